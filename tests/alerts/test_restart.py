"""Restarts in every state: nothing is raised twice, or recovers without its alert, or is forgotten."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms import S, Watched, asked, conn, rows, rule
from tidegate.alerts import BusyError, open_desk
from tidegate.alerts.ledger import MOST_KNOWN, Ledger
from tidegate.alerts.remembered import remembered
from tidegate.alerts.state import StateFile, read_state
from tidegate.model.batch import make
from tidegate.model.errors import StoreError
from tidegate.store.layout import Layout


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "alerts.json"


def test_what_was_raised_before_recovers_after_and_is_not_raised_again(state: Path) -> None:
    before = Watched(rule(), state=state)
    before.tick(0)
    assert before.see(asked(1, 7)) == ["raised http_requests"]
    before.close()
    after = Watched(rule(), state=state)
    assert after.ticks(3, 6) == [], "an empty window says nothing yet"
    assert after.see(asked(7, 5)) == []
    assert after.ticks(8, 30) == ["recovered http_requests"]
    [recovered], [raised] = after.alerts, before.alerts
    assert recovered["alert_id"] == raised["alert_id"]
    assert (recovered["since"], recovered["peak"]) == (raised["since"], 7.0)
    assert recovered["duration"] == (recovered["ts"] - raised["ts"]) / S
    assert after.see(asked(31, 7)) == ["raised http_requests"]
    assert after.alerts[-1]["alert_id"] != raised["alert_id"]
    after.close()


def test_a_screen_begins_with_those_that_are_open(state: Path) -> None:
    assert remembered(state.parent) == {}
    watched = Watched(rule(), state=state)
    watched.tick(0)
    watched.see(asked(1, 7))
    watched.close()
    told = make("alert", remembered(state.parent))
    assert told.columns(["state", "rule", "since"]) == [
        ["raised"],
        ["http_requests"],
        [watched.alerts[0]["since"]],
    ]


@pytest.mark.parametrize("died", [True, False])
def test_what_only_waits_begins_anew(state: Path, died: bool) -> None:
    before = Watched(rule(hold=5.0), state=state)
    before.tick(0)
    assert before.see(asked(1, 7)) == []
    before.kill() if died else before.close()
    after = Watched(rule(hold=5.0), state=state)
    assert after.ticks(2, 60) == []
    after.close()


def test_what_settles_settles_anew(state: Path) -> None:
    before = Watched(rule(settle=30.0), state=state)
    before.see(asked(0, 3))
    assert before.ticks(1, 20) == []
    before.close()
    after = Watched(rule(settle=30.0), state=state)
    assert after.ticks(21, 60) == []
    assert after.ticks(61, 80) == ["recovered http_requests"]
    after.close()


def test_one_that_recovered_stays_recovered(state: Path) -> None:
    before = Watched(rule(), state=state)
    before.see(asked(0, 3))
    before.ticks(1, 20)
    before.close()
    after = Watched(rule(), state=state)
    assert after.ticks(21, 60) == []
    assert [row["alert_id"] for row in after.stage.desk.history()] == [before.alerts[0]["alert_id"]]
    after.close()


@pytest.mark.parametrize("recovered", [False, True])
def test_rows_a_crash_may_have_taken_come_again_with_the_same_name(state: Path, recovered: bool) -> None:
    before = Watched(rule(), state=state)
    before.tick(0)
    before.see(asked(1, 3))
    if recovered:
        before.ticks(2, 10)
        assert before.tick(11.5) == ["recovered http_requests"]
    before.kill()  # before the next tick: whether a sink had the last row is not known
    after = Watched(rule(), state=state)
    assert after.tick(12) == [f"{'recovered' if recovered else 'raised'} http_requests"]
    assert after.alerts[0] == before.alerts[-1]
    assert after.ticks(13, 40) == ([] if recovered else ["recovered http_requests"])
    after.close()
    assert Watched(rule(), state=state).tick(41) == []


def test_rows_that_went_through_do_not_come_again(state: Path) -> None:
    before = Watched(rule(), state=state)
    before.see(asked(1, 3))
    before.tick(2)
    before.kill()
    after = Watched(rule(), state=state)
    assert after.tick(3) == []
    after.close()


def test_a_rule_that_is_gone_or_measures_something_else_ends_its_alerts(state: Path) -> None:
    before = Watched(rule(name="a"), rule(name="b"), rule(name="c", key="host"), rule(name="d"), state=state)
    before.see(asked(1, 3))
    before.close()
    changed = (rule(name="b", metric="packets"), rule(name="c"), rule(name="d", threshold=1))
    after = Watched(*changed, state=state)
    assert after.tick(2) == ["recovered a", "recovered b", "recovered c www.example.org"]
    assert all("its rule was changed or removed" in row["message"] for row in after.alerts)
    assert after.ticks(3, 30) == ["recovered d"]
    after.close()


def test_a_quota_goes_on_and_a_new_month_begins_while_away(state: Path) -> None:
    quota = rule("quota", 1000, key="iface")
    before = Watched(quota, state=state)
    assert before.see(rows("conn", conn("a", 0, up_bytes=850, iface="eth0"))) == ["raised quota eth0"]
    before.close()
    middle = Watched(quota, state=state)
    assert middle.tick(5) == []
    assert middle.see(rows("conn", conn("b", 10, up_bytes=100, iface="eth0"))) == ["raised quota eth0"]
    assert middle.alerts[0]["value"] == 950
    middle.close()
    after = Watched(quota, state=state)
    assert after.tick(20 * 86_400) == ["recovered quota eth0"] * 2
    assert after.see(rows("conn", conn("c", 20 * 86_400, up_bytes=799, iface="eth0"))) == []
    after.close()


def test_a_connection_that_goes_on_over_a_reload_counts_once(state: Path) -> None:
    rules = rule("bytes", 1000, window=3600.0), rule("connections", 1, window=3600.0)
    before = Watched(*rules, state=state)
    before.tick(0)
    assert before.see(rows("conn", conn("a", 0, 1, up_bytes=900))) == []
    before.tick(2)
    before.close()
    after = Watched(*rules, state=state)
    assert after.see(rows("conn", conn("a", 0, 3, up_bytes=990))) == []
    assert after.see(rows("conn", conn("a", 0, 4, up_bytes=1500))) == []
    assert after.stage.standings()[0]["value"] == 510
    assert after.see(rows("conn", conn("b", 3, 4, up_bytes=600))) == ["raised bytes"]
    assert after.stage.standings()[1]["value"] == 1
    after.tick(5)
    after.close()
    back = Watched(*rules, state=state)
    back.tick(-3600)
    assert back.see(rows("conn", conn("c", -3600, up_bytes=600), conn("d", -3599))) == ["raised connections"]
    back.close()


def test_what_is_known_stays_known_and_learning_ends_when_it_should(state: Path) -> None:
    novelty = rule("new_program", None, learn=60.0)
    before = Watched(novelty, state=state)
    before.see(rows("conn", conn("a", 0, process_name="old")))
    before.close()
    after = Watched(novelty, state=state)
    said = after.see(
        rows("conn", conn("b", 61, process_name="old"), conn("c", 62, process_name="new\x1b[31m"))
    )
    assert said == ["raised new_program new\\x1b[31m"]
    after.close()
    again = Watched(novelty, state=state)
    assert again.see(rows("conn", conn("d", 63, process_name="new\x1b[31m"))) == []
    again.close()


def test_mutes_silences_and_acknowledgements_stay(state: Path) -> None:
    before = Watched(rule(), state=state)
    before.see(asked(0, 3))
    desk = before.stage.desk
    desk.acknowledge(before.alerts[0]["alert_id"], "kim")
    desk.mute(None, 100)
    name = desk.silence(source="10.0.0.0/8")
    before.kill()
    with open_desk(state) as offline:
        assert offline.open_alerts()[0]["acknowledged_by"] == "kim"
        assert list(offline.mutes()) == ["*"]
        assert [each["silence_id"] for each in offline.silences()] == [name]
        offline.unsilence(name)
    after = Watched(rule(), state=state)
    assert after.stage.desk.silences() == []
    after.tick(101)
    assert after.stage.desk.mutes() == {}
    after.close()


def test_only_one_has_the_state(state: Path) -> None:
    watched = Watched(rule(), state=state)
    with pytest.raises(BusyError, match=f"process {os.getpid()} is watching"):
        Watched(rule(), state=state)
    with pytest.raises(BusyError), open_desk(state):
        pass
    watched.close()
    watched.close()
    Watched(rule(), state=state).close()


def test_a_killed_process_leaves_its_state_to_the_next(state: Path) -> None:
    code = (
        "import os, pathlib, signal; from alarms import *\n"
        f"w = Watched(rule(), state=pathlib.Path({str(state)!r})); w.tick(0); print(w.see(asked(1, 3)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = os.pathsep.join(map(str, [Path(__file__).parents[1], *sys.path]))
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True)
    after = Watched(rule(), state=state)
    assert after.tick(2) == ["raised http_requests"], "the process died before its rows were sure"
    assert after.ticks(3, 30) == ["recovered http_requests"]
    after.close()


def test_a_stage_that_fails_lets_go_of_everything(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(rule(), state=state)
    monkeypatch.setattr("tidegate.alerts.book.Book.check", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watched.tick(0)
    watched.close()
    monkeypatch.undo()
    Watched(rule(), state=state).close()


def saved() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(Ledger().to_json()))
    return data


BROKEN: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"version": 99}',
    b'{"version": "1"}',
    json.dumps(saved() | {"open": [{"alert_id": 5}]}).encode(),
    json.dumps(saved() | {"open": 7}).encode(),
    json.dumps(saved() | {"mutes": {"*": "x"}}).encode(),
    json.dumps(saved() | {"silences": [{"silence_id": "a", "source": "nowhere"}]}).encode(),
    json.dumps(saved() | {"outbox": [{"ts": "now"}]}).encode(),
    json.dumps(saved() | {"known": {"a": {"learning_until": 0, "seen": [1]}}}).encode(),
    json.dumps(saved() | {"quotas": {"a": {"period": 0, "totals": {"k": None}}}}).encode(),
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_damaged_state_is_set_aside(state: Path, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    state.write_bytes(text)
    watched = Watched(rule(), state=state)
    assert "alerts begin anew" in caplog.text
    assert state.with_name("alerts.json.broken").read_bytes() == text
    assert watched.see(asked(0, 3)) == ["raised http_requests"]
    watched.close()
    assert read_state(state).open


def test_a_full_disk_is_said_once_and_counted(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(rule(), state=state)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tidegate.alerts.state.write_durably", refuse)
    assert watched.see(asked(0, 3)) == ["raised http_requests"]
    watched.ticks(1, 20)
    assert caplog.text.count("No space left") == 1
    assert watched.stage.counts()["state_unwritten"] > 1
    with pytest.raises(StoreError, match="No space left"), open_desk_of(watched, state) as desk:
        desk.mute(None, 5)
    watched.close()


def open_desk_of(watched: Watched, state: Path) -> Any:
    watched.kill()
    return open_desk(state)


def test_the_state_is_bounded(state: Path) -> None:
    watched = Watched(rule("new_program", None, learn=0.0, window=60.0, actions=()), state=state, keys=100)
    for start in range(0, MOST_KNOWN + 2000, 1000):
        numbers = range(start, start + 1000)
        names = [conn(f"u{n}", n / 100, process_path=f"/{n}/{'x' * 300}") for n in numbers]
        watched.see(rows("conn", *names))
    watched.close()
    assert state.stat().st_size < 6 << 20
    ledger = read_state(state)
    assert len(next(iter(ledger.known.values())).seen) == MOST_KNOWN
    assert len(ledger.history) <= 500
    assert watched.stage.counts()["known_forgotten"] == 2000


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="alerts cannot be remembered here"):
        StateFile(tmp_path / "missing" / "alerts.json")
    with pytest.raises(StoreError, match="Is a directory"):
        read_state(tmp_path)


def test_the_state_lies_in_a_store_unharmed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "store")
    layout.create()
    watched = Watched(rule(), state=layout.root / "alerts.json")
    watched.see(asked(0, 3))
    layout.remove_unfinished()
    assert layout.segments() == ([], [])
    watched.close()
    assert read_state(layout.root / "alerts.json").open


Turn = st.tuples(
    st.sampled_from(["row", "row", "row", "tick", "tick", "stop", "crash"]),
    st.integers(0, 30),
    st.integers(0, 2),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(Turn, max_size=40), st.booleans(), st.integers(0, 15))
def test_over_stops_and_crashes_raised_and_recovered_pair_up(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[str, int, int]], keyed: bool, settle: int
) -> None:
    """A crash takes what was handed on since the last tick; the store then holds each row at least once."""
    path = tmp_path_factory.mktemp("state") / "alerts.json"
    given = rule(key="host" if keyed else None, settle=float(settle))
    watched, store, at, sure = Watched(given, state=path), [], 0.0, 0
    for kind, passed, host in turns:
        at += passed
        if kind == "row":
            watched.see(asked(at, 2, host=f"h{host}"))
            continue
        if kind != "crash":
            sure = len(watched.alerts)
            watched.tick(at)
        if kind == "stop":
            store += watched.alerts
            watched.close()
        elif kind == "crash":
            store += watched.alerts[:sure]
            watched.kill()
        if kind != "tick":
            watched, sure = Watched(given, state=path), 0
    for later in range(1, 40):
        watched.tick(at + 5 * later)
    store += watched.alerts
    watched.close()
    unique = list({(row["alert_id"], row["state"]): row for row in reversed(store)}.values())
    assert sorted(row["state"] for row in unique).count("raised") == len(unique) / 2
    last: dict[str, str] = {}
    for row in store:
        assert (last.get(row["alert_id"]), row["state"]) in ALLOWED
        last[row["alert_id"]] = row["state"]
    assert set(last.values()) <= {"recovered"}
    assert not read_state(path).open


ALLOWED = {(None, "raised"), ("raised", "raised"), ("raised", "recovered"), ("recovered", "recovered")}


@pytest.mark.parametrize(
    ("name", "value"),
    [("seen_until", "1e400"), ("serial", "1" * 40), ("mutes", '{"*": 99999999999999999999}')],
)
def test_a_number_beyond_bounds_is_damage(state: Path, name: str, value: str) -> None:
    whole = {each: json.dumps(content) for each, content in Ledger().to_json().items()} | {name: value}
    state.write_text("{" + ",".join(f'"{each}": {content}' for each, content in whole.items()) + "}")
    file = StateFile(state)
    assert file.load() == Ledger()
    assert state.with_name("alerts.json.broken").exists()
    file.close()


def test_what_is_no_file_is_not_waited_for_and_its_lock_let_go(state: Path) -> None:
    os.mkfifo(state)
    for _ in range(2):
        with pytest.raises(StoreError, match="not a file"):
            StateFile(state).load()
