"""Everything that is wrong with a configuration is found before anything is opened, with its line."""

import errno
import os
from pathlib import Path

import pytest

import mmdb
from helpers import Run
from tidegate.app import checking, reporting
from tidegate.model.config import Config, LogSettings, WatchSettings
from tidegate.settings.problem import ConfigError

WRONG = """\
alerts:
  rules:
    - {name: a, metric: packets, threshold: 1, window: 0, message: "{vlue}"}
    - {name: b, metric: bytes, key: "process_name, colours"}
  webhooks: [{name: chat, url: "ftp://SECRET", headers: [x], timeout: -1}]
  mails: [{name: me, to: [nobody], server: "a b"}]
  silences: [{rule: aa, source: here}, {}]
logs:
  - {name: x, path: y, tables: [conn], columns: [ts]}
  - {name: y, path: /etc/passwd/x, format: jsnl, rotate_size: -1, rotate_time: 5x}
  - {name: "", path: y}
watch: {filter: "tcp prt 80", interfaces: [eth 0, lo, 0123456789abcdef], record: {path: /tmp}}
places: {databases: [/nope.mmdb]}
service: {user: nobdy, metrics: "0.0.0.0:1"}
store: {path: /proc/nope}
logger:
  version: 1
  handlers:
    file: {class: logging.FileHandlr, filename: /x}
  root: {handlers: [fil]}
"""

SAID = [
    "3: alerts.rules[0].window: a time from 1s to 31d is expected",
    '3: alerts.rules[0].message: there is no place in a message "vlue"; did you mean "value"?',
    '4: alerts.rules[1].key: there is no column in conn "colours"; see tidegate tables conn',
    "4: alerts.rules[1].threshold: bytes needs a threshold: a number from 0, or a size",
    "5: alerts.webhooks[0].url: its URL is none: write https://host/path",
    "5: alerts.webhooks[0].timeout: a timeout above 0 is needed",
    '5: alerts.webhooks[0].headers: a header is "Name: value", not "x"',
    '6: alerts.mails[0].server: "a b" is no server: write mail.example.org:587',
    '6: alerts.mails[0].to: "nobody" is no mail address',
    '7: alerts.silences[0].rule: there is no rule "aa"; did you mean "a"?',
    '7: alerts.silences[0].source: "here" is no address: write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32',
    "7: alerts.silences[1]: a silence needs a rule, a key, a source or a destination",
    "9: logs[0].columns: conmon writes its eleven columns of conn; choose tsv for other tables and columns",
    "10: logs[1].format: one of conmon, tsv, csv, jsonl, zeek, eve, ecs, autonapt, cowrie is expected, "
    "not 'jsnl'; did you mean \"jsonl\"?",
    '10: logs[1].rotate_time: "5x" is no duration: write 90, 200s, 5m, 2h or 1d',
    "10: logs[1].rotate_size: 0 or more is expected",
    "10: logs[1].path: /etc/passwd is no directory",
    "11: logs[2].name: a name is needed",
    "11: logs[2].path: log x writes to {here}/y already",
    '12: watch.interfaces[0]: "eth 0" can be no interface: at most 15 characters, '
    "no spaces, slashes or colons",
    '12: watch.interfaces[2]: "0123456789abcdef" can be no interface: at most 15 characters, '
    "no spaces, slashes or colons",
    '12: watch.filter: "tcp prt 80": can\'t parse filter expression: syntax error',
    "12: watch.record.path: /tmp is a directory; name a file",
    "13: places.databases[0]: /nope.mmdb: no such file or directory; "
    "see docs/places.md for databases of places",
    '14: service.metrics: "0.0.0.0:1" is no loopback address: write 127.0.0.1:1',
    '14: service.user: there is no user "nobdy"; did you mean "nobody"?',
    "15: store.path: nothing can be kept in /proc, which is no disk",
    '19: logger.handlers.file.class: "logging.FileHandlr" cannot be imported: '
    "No module named 'logging.FileHandlr'",
    '20: logger.root.handlers: there is no handler "fil" in this section; did you mean "file"?',
]  # fmt: skip


def test_every_part_says_everything_in_one_go(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(WRONG)
    done = run("config", "check", "t.yml")
    assert done.returncode == 2
    said = [line.replace("filter: filter ", "filter: ") for line in done.stderr.splitlines()]
    assert said == [f"t.yml:{line.replace('{here}', str(tmp_path))}" for line in SAID]
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("verb", ["run", "watch"])
def test_a_start_says_the_same(run: Run, tmp_path: Path, verb: str) -> None:
    (tmp_path / "t.yml").write_text(WRONG)
    done = run(verb, "--config", "t.yml")
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert told[0] == f"tidegate: t.yml:{SAID[0]}"
    assert told[-1] == f"tidegate: and {len(SAID) - 20} more: tidegate config check"
    assert len(told) == 21
    (tmp_path / "t.yml").write_text("places: {databases: [none.mmdb]}\nservice: {user: nobdy}\n")
    checked = run("config", "check", "t.yml").stderr
    started = run(verb, "--config", "t.yml").stderr
    assert started == "".join(f"tidegate: {line}\n" for line in checked.splitlines())
    assert len(started.splitlines()) == 2


def test_what_the_environment_sets_wrongly_is_told_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("watch: {filter: tcp}\n")
    wrong = {"TIDEGATE_WATCH__FILTER": "tcp prt 80", "TIDEGATE_SERVICE__USER": "nobdy"}
    with pytest.raises(ConfigError) as caught:
        checking.load(tmp_path / "t.yml", wrong)
    assert [problem.place for problem in caught.value.problems] == sorted(wrong, reverse=True)


def test_reports_that_are_scheduled_are_looked_up_beside_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "mine.yml").write_text("title: Mine\nsections: [{question: pings}]\n")
    (tmp_path / "reports" / "odd.yml").write_text("title: Odd\nsections: [{question: pingz}]\n")
    (tmp_path / "t.yml").write_text("""\
mail: {server: "localhost:25", to: [kim@example.org]}
schedule:
  reports:
    - {report: pings, at: hourly}
    - {report: mine, at: hourly}
    - {report: pingz, at: hourly}
    - {report: odd, at: hourly}
""")
    done = run("config", "check", "t.yml")
    assert done.returncode == 2
    missing, odd = done.stderr.splitlines()
    assert missing == 't.yml:6: schedule.reports[2].report: there is no report "pingz"; did you mean "pings"?'
    assert odd.startswith("t.yml:7: schedule.reports[3].report: ")
    assert "odd.yml:2: " in odd
    assert "pingz" in odd
    assert len(checking.load(tmp_path / "t.yml", {}).schedule.reports) == 4
    listed = run("schedule", "--config", "t.yml")
    assert listed.returncode == 0
    assert [line for line in listed.stdout.splitlines() if "CANNOT BE MADE: " in line and "odd.yml:2" in line]


def test_what_is_right_is_said_to_be_right(run: Run, tmp_path: Path) -> None:
    mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": {"country_code": "US"}}, "Some-Kind")
    (tmp_path / "secret").write_text("x\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "t.yml").write_text(f"""\
watch: {{interfaces: [lo, eth77], filter: tcp port 80, record: {{path: {tmp_path}/r.pcapng}}}}
places: {{databases: x.mmdb}}
service: {{user: root, metrics: "127.0.0.1:9700", control: {tmp_path}/c.sock}}
store: {{path: {tmp_path}/a/b}}
alerts:
  rules: [{{name: a, metric: packets, threshold: 1K, actions: [log, chat, me]}}]
  webhooks: [{{name: chat, url: "http://x/"}}]
  mails: [{{name: me, to: a@example.org, security: tls, user: u, password_file: {tmp_path}/secret}}]
  silences: [{{rule: a, source: 10.0.0.0/8}}]
logs: [{{name: a, path: {tmp_path}/a.tsv}}, {{name: b, path: "-"}}, {{name: c, path: "-"}}]
""")
    done = run("config", "check", "t.yml")
    assert (done.returncode, done.stdout) == (0, "t.yml: nothing is wrong, but see the notes\n"), done.stderr
    assert done.stderr.startswith("note: watch.interfaces: eth77 is not there, tidegate run waits for it; ")
    assert not (tmp_path / "a.tsv").exists()
    assert not (tmp_path / "a").exists()


def test_notes_for_who_is_not_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    logs = tuple(LogSettings(name=path, path=path) for path in ("-", f"{tmp_path}/a", f"{tmp_path}/b/c"))
    assert checking.notes(Config(logs=logs)) == [
        f"logs: {tmp_path}/b/c: {tmp_path}/b is not there, and only root's are made: mkdir -p {tmp_path}/b"
    ]
    assert checking.notes(Config(watch=WatchSettings(interfaces=("lo", "any")))) == []


def test_a_rule_for_countries_without_a_database_is_noted(run: Run, tmp_path: Path) -> None:
    mmdb.write(tmp_path / "asn.mmdb", {"8.8.8.8/32": {"asn": "AS15169"}}, "No-Country")
    mmdb.write(tmp_path / "c.mmdb", {"8.8.8.8/32": {"country_code": "US"}}, "Some-Kind")
    text = """\
places: {databases: %s}
relay:
  services:
    - name: web
      listen: "127.0.0.1:18080"
      backend: "127.0.0.1:8000"
      rules: [{name: out, countries: [FR], refusal: reset}]
"""
    (tmp_path / "t.yml").write_text(text % (tmp_path / "asn.mmdb"))
    done = run("config", "check", "t.yml")
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        'note: relay: service "web", rule "out": no database knows a country; '
        "name one by places.databases or --place\n"
    )
    (tmp_path / "t.yml").write_text(text % (tmp_path / "c.mmdb"))
    done = run("config", "check", "t.yml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to look with another user's eyes")
def test_a_user_who_cannot_read_the_program_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "t.yml").write_text("service:\n  user: nobody\n")
    with pytest.raises(ConfigError) as caught:
        checking.load(tmp_path / "t.yml", {})
    assert f"{tmp_path}/t.yml:2: service.user: nobody cannot read Tidegate's files" in str(caught.value)
    assert os.geteuid() == 0


SCHEDULE = """\
mail: {server: "a b"}
schedule:
  reports:
    - {report: mine, at: daily, folder: .}
    - {name: again, report: mine, at: weekly, folder: .}
"""


def wrong(place: Path, report: str) -> list[str]:
    """What is said of a schedule with that report, beside a mistake elsewhere."""
    (place / "reports").mkdir()
    (place / "reports" / "mine.yml").write_text(report)
    (place / "t.yml").write_text(SCHEDULE)
    with pytest.raises(ConfigError) as caught:
        checking.load(place / "t.yml", {}, reports=True)
    first, *rest = [str(each).removeprefix(f"{place}/t.yml:") for each in caught.value.problems]
    assert first.startswith("1: mail.server")
    return rest


def test_a_report_s_window_is_told_beside_all_else(tmp_path: Path) -> None:
    first, second = wrong(tmp_path, "window: now\nsections: [{question: names}]")
    said = f'{tmp_path}/reports/mine.yml:1: window: "now" is no window: write '
    assert first.startswith(f"4: schedule.reports[0].report: {said}")
    assert second.startswith(f"5: schedule.reports[1].report: {said}")


def test_a_report_that_cannot_be_tried_out_keeps_nothing_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full(**_: object) -> None:
        tried.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reporting.tempfile, "TemporaryDirectory", full)
    monkeypatch.setattr(reporting.tempfile, "tempdir", None)
    first, second = wrong(tmp_path, "sections: [{question: names}]")
    said = "it cannot be tried out: No space left on device; set TMPDIR"
    assert first == f"4: schedule.reports[0].report: {said}"
    assert second == f"5: schedule.reports[1].report: {said}"
    assert len(tried) == 1
