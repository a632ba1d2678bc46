"""`tidegate alerts`, as a user runs it: with a running Tidegate, and without one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import talk
from alarms import T0, Watched, asked, conn, rows, rule
from helpers import Run
from tidegate.alerts import NAME, commands
from tidegate.alerts.actions import Notice
from tidegate.pipeline.control import ControlServer
from tidegate.store.layout import Layout


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    talk.alert().save(root)
    return root


@pytest.fixture
def watched(store: Path) -> Iterator[Watched]:
    """One that runs, with an open alert."""
    watched = Watched(rule(window=60.0), state=store / NAME)
    watched.tick(0)
    watched.see(asked(1, 3))
    yield watched
    watched.close()


@pytest.fixture
def running(watched: Watched, store: Path) -> Iterator[Watched]:
    """The same with its control socket."""
    server = ControlServer(store / "control.sock", commands(lambda: watched.stage))
    server.start()
    yield watched
    server.close()


def test_open_ones_and_history_are_listed(run: Run, store: Path, watched: Watched) -> None:
    name = watched.alerts[0]["alert_id"]
    watched.stage.desk.silence(rule="http_requests", source="10.0.0.0/8")
    watched.stage.desk.mute(None, 60)
    done = run("alerts", "--store", store)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "open (times are UTC)",
        f"  {name}  since 2026-11-20 10:00:01  warning   http_requests: http_requests: 3 in 1m, more than 2"
        "  (peak 3, limit 2)",
    ]
    assert lines[2] == "muted: everything until 2026-11-20 10:01:01 (over)"
    assert lines[3].endswith(": rule http_requests, from 10.0.0.0/8")
    assert lines[4:] == [
        "over (times are UTC)",
        "  a1  2026-11-20 10:00:00    2h 00m  http-traffic: over  (limit 7)",
    ]
    assert run("alerts", "--store", store, "--since", "2026-11-21").stdout.splitlines()[4:] == ["none over"]


def test_nothing_at_all_is_said_too(run: Run, tmp_path: Path) -> None:
    Layout(tmp_path / "new").create()
    assert run("alerts", "--store", tmp_path / "new").stdout == "no open alerts\nnone over\n"
    done = run("alerts", "--store", tmp_path / "missing")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no store here yet" in done.stderr


def test_a_running_one_does_it_at_once(run: Run, store: Path, running: Watched) -> None:
    desk = running.stage.desk
    name = running.alerts[0]["alert_id"]
    assert run("alerts", "--store", store, "ack", name).stdout == f"acknowledged {name}\n"
    assert desk.open_alerts()[0]["acknowledged_by"]
    assert run("alerts", "--store", store, "mute", "1h").stdout == "muted everything for 1h 00m\n"
    assert desk.mutes() == {"*": T0 + 3601 * 10**9}
    assert run("alerts", "--store", store, "mute", "0", "http_requests").stdout.endswith("told again\n")
    done = run("alerts", "--store", store, "silence", "--destination", "192.0.2.0/24", "--for", "5m")
    [silence] = desk.silences()
    assert silence["silence_id"] in done.stdout
    assert silence["until"] == T0 + 301 * 10**9
    run("alerts", "--store", store, "unsilence", silence["silence_id"])
    assert desk.silences() == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ack", "\x1b[31m"], 2, 'alert "\\x1b[31m" is not known'),
        (["mute", "1h", "nothing"], 2, 'there is no rule "nothing"; there are http_requests'),
        (["mute", "often"], 2, '"often" is no duration'),
        (["silence"], 2, "a silence needs"),
        (["silence", "--source", "home"], 2, '"home" is no address'),
        (["unsilence", "x"], 2, 'there is no silence "x"'),
        (["shout"], 2, "No such command"),
        (["--since", "soon"], 2, "is no time"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Run, store: Path, running: Watched, words: list[str], code: int, said: str
) -> None:
    done = run("alerts", "--store", store, *words)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert said in done.stderr
    assert "\x1b" not in done.stderr


def test_options_may_stand_behind_the_verb(run: Run, store: Path, running: Watched, tmp_path: Path) -> None:
    name = running.alerts[0]["alert_id"]
    (tmp_path / "t.yml").write_text(f"store: {{path: {store}}}\n")
    for words in (["ack", name], ["mute", "1h"], ["silence", "--key", "k"]):
        done = run("alerts", *words, "--config", "t.yml")
        assert done.returncode == 0, done.stderr
        assert run("alerts", "--config", "gone.yml", *words, "--store", store).returncode == 2
    assert running.stage.desk.open_alerts()[0]["acknowledged_by"]
    [silence] = running.stage.desk.silences()
    assert run("alerts", "unsilence", silence["silence_id"], "--store", store).returncode == 0
    assert running.stage.desk.silences() == []


def test_bytes_are_listed_as_sizes(run: Run, tmp_path: Path) -> None:
    limit = 2_000_000.0
    watched = Watched(rule("bytes", limit, settle=0.0), state=tmp_path / NAME)
    watched.tick(0)
    watched.see(rows("conn", conn("a", 1, up_bytes=3_500_000)))
    (tmp_path / "VERSION").write_text("1\n")
    said = run("alerts", "--store", tmp_path).stdout
    assert "bytes: 3.5 MB in 10s, more than 2.0 MB  (peak 3.5 MB, limit 2.0 MB)" in said
    notice = Notice.of(watched.alerts[0]).text()
    assert "threshold: 2.0 MB" in notice
    assert "value:     3.5 MB" in notice
    watched.ticks(2, 30)
    assert ", peak 3.5 MB: 3.5 MB in 10s" in watched.alerts[-1]["message"]
    watched.close()


def test_one_that_takes_no_commands_is_named(run: Run, store: Path, watched: Watched) -> None:
    done = run("alerts", "--store", store, "mute", "1h")
    assert done.returncode == 1
    assert f"process {os.getpid()} is watching over its alerts, and takes no commands at" in done.stderr


def test_without_one_the_next_start_knows(run: Run, store: Path, watched: Watched) -> None:
    name = watched.alerts[0]["alert_id"]
    watched.close()
    for words in (["ack", name], ["mute", "1h", "http_requests"], ["silence", "--key", "k"]):
        done = run("alerts", "--store", store, *words)
        assert done.returncode == 0, done.stderr
    assert "acknowledged by" in run("alerts", "--store", store).stdout
    after = Watched(rule(), state=store / NAME)
    assert after.stage.desk.open_alerts()[0]["acknowledged_by"]
    assert list(after.stage.desk.mutes()) == ["http_requests"]
    assert after.stage.desk.silences()[0]["key"] == "k"
    after.close()


def test_a_damaged_state_is_one_line(run: Run, store: Path) -> None:
    (store / NAME).write_text("{")
    done = run("alerts", "--store", store)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is no JSON" in done.stderr


def test_a_rule_that_the_next_start_will_not_have_is_no_rule(run: Run, store: Path, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(
        f"store: {{path: {store}}}\nalerts: {{rules: [{{name: a, metric: packets, threshold: 1}}]}}\n"
    )
    done = run("alerts", "--config", "t.yml", "mute", "5m", "nosuch")
    assert (done.returncode, done.stderr) == (2, 'tidegate: there is no rule "nosuch"; there are a\n')
    assert run("alerts", "--config", "t.yml", "mute", "5m", "a").returncode == 0
