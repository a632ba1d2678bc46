"""Acknowledged, muted, silenced: what is told to whom, and what counts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alarms import T0, S, Watched, asked, conn, rows, rule
from tidegate.alerts import commands, open_desk
from tidegate.model.config import SilenceSettings
from tidegate.model.errors import UsageError


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().split(" ")[1] for record in caplog.records]


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO")
    return caplog


def test_while_muted_alerts_are_kept_and_nobody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(rule())
    watched.tick(0)
    watched.stage.desk.mute("http_requests", 30)
    assert watched.see(asked(1, 3)) == ["raised http_requests"]
    assert watched.ticks(2, 29) == ["recovered http_requests"]
    assert told(caplog) == [], "of what was not told, the end is not told either"
    watched.close()


def test_what_is_still_open_after_a_mute_is_told_then(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(rule(window=60.0))
    watched.tick(0)
    watched.stage.desk.mute(None, 30)
    watched.see(asked(1, 3))
    watched.ticks(2, 29)
    assert told(caplog) == []
    watched.ticks(30, 70)
    assert told(caplog) == ["raised", "recovered"]
    watched.close()


def test_who_heard_of_an_alert_hears_of_its_end(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(rule(), rule("packets", name="other", tell_recovery=False))
    watched.see(asked(1, 3), rows("conn", conn("a", 1, up_packets=9)))
    watched.stage.desk.mute(None, 300)
    watched.ticks(2, 30)
    assert told(caplog) == ["raised", "raised", "recovered"]
    assert len(watched.alerts) == 4
    watched.close()


def test_a_mute_ends_when_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(rule())
    watched.stage.desk.mute("http_requests", 300)
    watched.stage.desk.mute("http_requests", 0)
    watched.see(asked(1, 3))
    assert told(caplog) == ["raised"]
    watched.close()


def test_a_silenced_source_or_destination_does_not_count() -> None:
    fixed = (SilenceSettings(source="10.0.0.0/24"),)
    watched = Watched(rule("distinct_ports", 2), rule("connections", 2), silences=fixed)
    scan = [conn(f"a{n}", n / 10, dst_port=n) for n in range(9)]
    assert watched.see(rows("conn", *scan)) == []
    desk = watched.stage.desk
    name = desk.silence(rule="connections", destination="2001:db8::/32")
    strange = {"src_ip": "192.0.2.7", "dst_ip": "2001:db8::1"}
    scan = [conn(f"b{n}", 1 + n / 10, dst_port=n, **strange) for n in range(9)]
    assert watched.see(rows("conn", *scan)) == ["raised distinct_ports 192.0.2.7"]
    desk.unsilence(name)
    scan = [conn(f"c{n}", 2 + n / 10, dst_port=n, **strange) for n in range(9)]
    assert watched.see(rows("conn", *scan)) == ["raised connections"]
    watched.close()


def test_a_silenced_rule_or_key_raises_nothing_and_counts_on() -> None:
    watched = Watched(rule(key="host"), rule("quota", 100))
    watched.tick(0)
    desk = watched.stage.desk
    desk.silence(rule="http_requests", key="noisy")
    desk.silence(rule="quota", seconds=60)
    assert watched.see(asked(1, 9, host="noisy"), asked(1, 9, host="other")) == ["raised http_requests other"]
    assert watched.see(rows("conn", conn("a", 1, up_bytes=95))) == []
    assert watched.ticks(2, 59) == ["recovered http_requests other"]
    assert watched.ticks(60, 62) == ["raised quota"] * 2, "the silence is over, the month is not"
    assert len(desk.silences()) == 1
    watched.close()


def test_an_open_alert_recovers_although_its_rule_is_silenced() -> None:
    watched = Watched(rule())
    watched.see(asked(1, 3))
    watched.stage.desk.silence(rule="http_requests")
    assert watched.ticks(2, 30) == ["recovered http_requests"]
    assert watched.see(asked(31, 3)) == []
    watched.close()


def test_only_what_is_open_can_be_acknowledged() -> None:
    watched = Watched(rule())
    watched.see(asked(1, 3))
    desk = watched.stage.desk
    [alert] = desk.open_alerts()
    shown = desk.acknowledge(alert["alert_id"], "kim\x1b]0;x\x07\n" + "y" * 500)
    assert shown["acknowledged_by"].startswith("kim\\x1b]0;x\\x07 yyy")
    assert len(shown["acknowledged_by"]) == 100
    assert shown["acknowledged_at"] == T0 + S
    watched.ticks(2, 30)
    with pytest.raises(UsageError, match="is over already"):
        desk.acknowledge(alert["alert_id"], "kim")
    with pytest.raises(UsageError, match="is not known"):
        desk.acknowledge("\x1b[2J" * 50, "kim")
    assert desk.history()[0]["acknowledged_by"] == shown["acknowledged_by"]
    watched.close()


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda desk: desk.mute("nothing", 5), 'there is no rule "nothing"; there are http_requests'),
        (lambda desk: desk.mute(None, -1), "a time from 0"),
        (lambda desk: desk.mute(None, float("nan")), "a time from 0"),
        (lambda desk: desk.silence(), "a silence needs"),
        (lambda desk: desk.silence(source="x"), '"x" is no address'),
        (lambda desk: desk.silence(rule="nothing"), "there is no rule"),
        (lambda desk: desk.unsilence("x"), 'there is no silence "x"'),
        (lambda desk: [desk.silence(key=str(n)) for n in range(1001)], "there are 1000 silences"),
    ],
)
def test_what_cannot_be_done_is_said(attempt: Any, said: str) -> None:
    watched = Watched(rule())
    with pytest.raises(UsageError, match=said):
        attempt(watched.stage.desk)
    watched.close()


def test_an_open_alert_shows_its_value_and_peak_as_they_are() -> None:
    watched = Watched(rule(window=10.0))
    watched.see(asked(0, 3), asked(5, 4))
    watched.tick(11)
    [alert] = watched.stage.desk.open_alerts()
    assert (alert["value"], alert["peak"], alert["state"]) == (4.0, 7.0, "raised")
    watched.close()


def test_the_words_of_the_control_socket(tmp_path: Path) -> None:
    watched = Watched(rule())
    watched.see(asked(0, 3))
    words = commands(lambda: watched.stage)
    found = words["alerts"]()
    assert words["acknowledge"](alert_id=found["open"][0]["alert_id"], who="kim")["alert"]["rule"]
    assert words["mute"](seconds=5.0) == {}
    name = words["silence"](source="10.0.0.1", who="kim")["silence_id"]
    assert words["alerts"]()["silences"][0]["by"] == "kim"
    assert words["unsilence"](silence_id=name) == {}
    assert words["alerts"]()["rules"][0]["value"] == 3.0
    watched.close()


def test_without_a_running_tidegate_the_next_start_knows(tmp_path: Path) -> None:
    state = tmp_path / "alerts.json"
    with open_desk(state, lambda: T0) as desk:
        desk.mute("http_requests", 60)
        desk.silence(rule="packets", who="kim")
    watched = Watched(rule(), rule("packets", 0), state=state)
    watched.tick(1)
    assert watched.see(rows("conn", conn("a", 1))) == []
    assert watched.stage.desk.mutes() == {"http_requests": T0 + 60 * S}
    watched.close()


def test_hands_of_many_threads() -> None:
    """Rows are counted while people are at the desk; nothing breaks, nothing is lost."""
    watched = Watched(rule(key="host", window=1000.0))
    desk = watched.stage.desk

    def busy(number: int) -> None:
        for turn in range(100):
            name = desk.silence(key=f"{number}-{turn}")
            desk.open_alerts()
            desk.mute(None, turn)
            desk.history()
            desk.unsilence(name)

    with ThreadPoolExecutor(4) as pool:
        hands = [pool.submit(busy, number) for number in range(4)]
        for at in range(300):
            watched.see(asked(at / 10, 3, host=f"h{at}"))
            watched.tick(at / 10)
        for hand in hands:
            hand.result()
    assert len(watched.alerts) == 300
    assert desk.silences() == []
    watched.close()
