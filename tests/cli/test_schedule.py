"""`tidegate schedule`, and a `tidegate run` that records and serves a schedule on the loopback interface."""

import json
import os
import re
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import tidegate
from helpers import TIDEGATE, Run, wait_for
from tidegate.cli.schedule import _became
from tidegate.store.layout import Layout

SETTINGS = """\
store: {{path: {place}/s}}
watch: {{interfaces: lo}}
mail: {{server: "127.0.0.1:1", to: kim@example.org}}
schedule:
  zone: Europe/Berlin
  reports:
    - {{name: morning, report: overnight, at: "daily 06:30", from: "22:00", to: "06:00"}}
  windows:
    - {{name: always, from: "00:00", to: "00:00", filter: icmp, interface: lo}}
    - {{name: never, from: "{soon}", to: "{later}", days: "{day}"}}
"""


def written(place: Path) -> Path:
    """A configuration of which one window goes on now, and one comes in some days."""
    then = datetime.now() + timedelta(days=3)
    soon, later = then.strftime("%H:%M"), (then + timedelta(hours=1)).strftime("%H:%M")
    file = place / "t.yml"
    file.write_text(SETTINGS.format(place=place, soon=soon, later=later, day=then.strftime("%a")))
    return file


def test_what_comes_is_listed_without_anything_running(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path)
    done = run("schedule", "--config", str(file))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "times are of Europe/Berlin"
    assert lines[1].startswith("morning          report   next ")
    assert "06:30   (overnight, daily 06:30)" in lines[1]
    assert lines[2].strip() == "not made yet"
    assert lines[3].startswith("always           window   due until")
    assert "nothing of it is done now" in done.stderr
    assert "(icmp on lo)" in lines[3]
    assert lines[4].strip() == "nothing recorded yet"
    assert lines[5].startswith("never            window   next")
    found = json.loads(run("schedule", "--json", "--config", str(file)).stdout)
    assert [each["name"] for each in found["windows"]] == ["always", "never"]
    assert datetime.fromisoformat(found["reports"][0]["next"]).utcoffset() is not None


def test_another_store_has_times_of_its_own(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / "s").mkdir()
    Layout(tmp_path / "other").create()
    (tmp_path / "s" / "schedule.json").write_text("{")
    assert run("schedule", "--config", str(file)).returncode == 1
    done = run("schedule", "--store", str(tmp_path / "other"), "--config", str(file))
    assert (done.returncode, done.stdout.count("not made yet")) == (0, 1)


def test_who_cannot_read_the_password_may_look(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path)
    secret = "user: kim, password_file: /nowhere/password, security: starttls"
    file.write_text(file.read_text().replace("mail: {", f"mail: {{{secret}, "))
    assert run("config", "check", str(file)).returncode == 2
    for words in (("schedule",), ("report", "list")):
        done = run(*words, "--config", str(file))
        assert done.returncode == 0, words
        assert "password" not in done.stderr


def test_without_a_schedule_it_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("{}\n")
    assert "nothing is scheduled" in run("schedule", "--config", str(tmp_path / "t.yml")).stdout


def test_every_mistake_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    file.write_text(
        "mail: {security: tls, server: 'a b', subject: '{titel}', max_size: 5}\n"
        "schedule:\n"
        "  zone: Europe/Berln\n"
        "  reports:\n"
        "    - {report: pings, at: never}\n"
        "    - {report: web, at: daily, mail: kim}\n"
        "    - {report: web, at: daily, frm: 1}\n"
        "  windows:\n"
        "    - {name: w, from: '25:00', to: '06:00', filter: 'icmp foo'}\n"
        "    - {name: v, to: '06:00'}\n"
    )
    done = run("config", "check", str(file))
    assert done.returncode == 2
    said = (done.stdout + done.stderr).replace(f"{file}", "t.yml")
    for line in (
        't.yml:1: mail.server: "a b" is no server: write mail.example.org:587',
        't.yml:1: mail.subject: there is no place "titel"; did you mean "title"?',
        "t.yml:1: mail.max_size: a mail of 100 KB at least",
        't.yml:3: schedule.zone: "Europe/Berln" is no time zone',
        't.yml:5: schedule.reports[0].at: "never" is no time: write "daily 06:30"',
        "t.yml:5: schedule.reports[0]: nobody gets it: set mail.to, or mail or folder here",
        't.yml:6: schedule.reports[1].mail: "kim" is no mail address',
        't.yml:7: unknown key "schedule.reports[2].frm"; did you mean "from"?',
        't.yml:9: schedule.windows[0].from: "25:00" is no time of day: write 22:00',
        "t.yml:9: schedule.windows[0].filter",
        't.yml:10: schedule.windows[1] needs "from"',
    ):
        assert line in said, said


def test_questions_of_own_reports_are_tried_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    own = tmp_path / "reports" / "shop.yml"
    own.write_text("figures: SELECT 1 AS n FROM htp\nsections: [{title: A, sql: SELECT agent FROM http}]\n")
    file = tmp_path / "t.yml"
    file.write_text("schedule: {reports: [{report: shop, at: daily, folder: ., mail: [k@example.org]}]}\n")
    done = run("config", "check", str(file))
    assert done.returncode == 2
    assert f"{file}:1: schedule.reports[0].report: figures: SQL: " in done.stderr
    assert 'section "A": SQL: ' in done.stderr
    own.write_text("sections: [{title: A, sql: SELECT user_agent FROM http}]\n")
    assert run("config", "check", str(file)).returncode == 0


@pytest.mark.parametrize(
    ("state", "said", "mailed", "shown"),
    [
        (
            "made",
            "made up for 06:30; to be sent to k@x; why",
            "sent to k@x",
            "made up for 06:30; sent to k@x; why",
        ),
        ("made", "written to p; to be sent to k@x", None, "written to p; to be sent to k@x"),
        ("made", "written to p", None, "written to p"),
        ("failed", "no such store", None, "FAILED, 5 tries: no such store"),
        ("running", "", None, "is being made, or was cut short"),
    ],
)
def test_of_what_was_to_be_sent_is_told_what_became(
    state: str, said: str, mailed: str | None, shown: str
) -> None:
    assert _became({"state": state, "said": said, "mail_said": mailed, "tries": 5}) == shown


def test_times_need_no_quotes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    file.write_text("schedule: {windows: [{name: w, from: 22:00, to: 06:30, days: mon-fri}]}\n")
    done = run("schedule", "--json", "--config", str(file))
    (window,) = json.loads(done.stdout)["windows"]
    assert window["end"][11:16] == "06:30"


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_watch_says_that_it_serves_no_schedule(run: Run, tmp_path: Path) -> None:
    done = run("watch", "-i", "lo", "--for", "200ms", "--no-store", "--config", str(written(tmp_path)))
    assert "schedule: only tidegate run serves it, not watch" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_a_running_tidegate_records_and_tells_of_its_schedule(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    file = written(tmp_path)
    with (tmp_path / "told").open("w") as told:
        words = [*TIDEGATE, "run", "--config", str(file)]
        process = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=told)
    try:

        def status() -> str:
            return run("control", "--config", str(file)).stdout

        wait_for(lambda: "recording until" in status(), 60)
        subprocess.run(["ping", "-q", "-c", "3", "-i", "0.2", "127.0.0.1"], check=True, capture_output=True)
        said = status()
        assert re.search(r"schedule  next at \S+ 06:30 Europe/Berlin\n", said)
        assert "mail      nothing to be sent" in said
        assert re.search(r"window always recording until \S+ 00:00 Europe/Berlin; ", said)
        assert "window never next at" in said
        looked = run("schedule", "--config", str(file))
        assert "window   recording until" in looked.stdout
        assert looked.stderr == ""
        assert re.search(
            r"last \S+ \S+ \d\d:\d\d   [\d.]+ k?B in \S+/always-\d{8}-\d{6}_00001.pcapng", looked.stdout
        )
        file.write_text(
            file.read_text().replace("daily 06:30", "daily 07:45").replace("name: never", "name: off")
        )
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "window off" in status(), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    files = sorted((tmp_path / "s" / "recordings").glob("always-*.pcapng"))
    assert len(files) == 1  # the reload left it alone
    rows = tidegate.read(str(files[0]), tables=["icmp"]).table("icmp")
    assert rows.num_rows >= 3
    book = json.loads((tmp_path / "s" / "schedule.json").read_text())
    assert book["entries"]["morning"]["at"] == "45 7 * * * Europe/Berlin"
