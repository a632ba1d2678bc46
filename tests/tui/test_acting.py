"""Acting on alerts from the screen: acknowledge, mute, silence, undo; what was done elsewhere is shown."""

from dataclasses import replace
from typing import Any

import pytest
from screens import CONTROLS, after, play, settle, text
from textual.pilot import Pilot
from town import DESK, NOW, TownFeed

from alarms import Watched, asked, rule
from tidegate.alerts import commands
from tidegate.model.errors import TidegateError, UsageError
from tidegate.tui import acting
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import SECOND, Board
from tidegate.tui.board.desk import Desk, desk_of
from tidegate.tui.controls import AlertControls
from tidegate.tui.look import Look
from tidegate.tui.screen import WatchScreen
from tidegate.tui.views import alerts as alert_view
from tidegate.tui.views import now
from tidegate.tui.views.view import Scene

NAMED = {" ": "space", ":": "colon", "-": "minus", "/": "slash", ".": "full_stop", "'": "apostrophe"}


def typed(words: str) -> list[str]:
    """The keys of some words."""
    return [NAMED.get(letter, letter) for letter in words]


class Deeds:
    """Remembers what was asked for."""

    def __init__(self, desk: dict[str, Any] | None = None) -> None:
        self.done: list[tuple[str, dict[str, Any]]] = []
        self.desk = DESK if desk is None else desk

    def controls(self) -> AlertControls:
        return AlertControls(lambda word, **given: self.done.append((word, given)), lambda: self.desk)


def on_alerts(*keys: str, deeds: Deeds | None = None, **options: Any) -> tuple[list[Any], str]:
    """What was asked for after these keys on the tab of alerts, and what stands there then."""
    made = deeds or Deeds()
    shot = after("7", *keys, controls=replace(CONTROLS, alerts=made.controls()), **options)
    return made.done, shot


def test_alerts_are_acknowledged_and_muted() -> None:
    done, shot = on_alerts("a", "m")
    assert done == [
        ("acknowledge", {"alert_id": "A2", "who": "ada"}), ("mute", {"rule": "http-rate", "seconds": 3600.0}),
    ]  # fmt: skip
    assert "CRITICAL ack" in shot
    assert "http-rate: muted for an hour" in shot


def test_a_silence_is_written_beginning_with_the_alert_of_the_row() -> None:
    done, _ = on_alerts("G", "w", "enter")
    assert done == [
        ("silence", {"rule": "iface-down", "key": "wg0", "seconds": 86400.0, "who": "ada"}),
    ]  # fmt: skip
    done, shot = on_alerts("w", "ctrl+u", *typed("src:10.0.0.7 dst:192.0.2.0/24"), "enter")
    assert done == [("silence", {"source": "10.0.0.7", "destination": "192.0.2.0/24", "who": "ada"})]
    assert "source 10.0.0.7, destination 192.0.2.0/24: silenced" in shot
    assert on_alerts("w", "escape")[0] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "silence whom?"),
        ("for:1d", "silence whom?"),
        ("host:x", '"host:x" is not what is expected: rule:NAME'),
        ("rule:", '"rule:" is not what is expected'),
        ("rule:a rule:b", "rule stands there twice"),
        ("rule:a for:soon", '"soon" is no duration'),
        ("rule:'a", "a quotation mark has no end"),
    ],
)
def test_what_is_no_silence_is_told_while_it_is_written(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        acting.checked(words)
    done, shot = on_alerts("w", "ctrl+u", *typed(words), "enter")
    assert done == []
    assert said in shot


def test_names_with_spaces_and_signs_are_quoted_and_come_back_as_they_were() -> None:
    odd = Alert("A", {"rule": "two words", "key": "it's \u202e", "state": "raised"}, NOW)
    words = acting.suggested(odd)
    assert "\u202e" not in words
    given = acting.silence(words, "ada", odd).given
    assert given == {"rule": "two words", "key": "it's \u202e", "seconds": 86400.0, "who": "ada"}


def test_what_was_done_elsewhere_is_shown_and_undone() -> None:
    shot = on_alerts(size=(200, 30))[1]
    assert "ack grace" in shot
    assert "nobody is told; x ends it" in shot
    assert "from 10.0.0.7/32, by ada; x ends it" in shot
    assert "1 muted, 1 silenced" in after("1", size=(140, 30))
    done, shot = on_alerts("down", "x", "down", "x")
    assert done == [("mute", {"rule": "scan", "seconds": 0.0}), ("unsilence", {"silence_id": "5f2a"})]
    assert "from 10.0.0.7/32: no longer silenced" in shot
    assert "anywhere" in on_alerts("down", "enter")[1]


def test_undoing_on_an_alert_ends_what_covers_it() -> None:
    desk: dict[str, Any] = DESK | {"mutes": {"*": NOW + 3600 * SECOND}, "silences": []}
    done, shot = on_alerts("x", deeds=Deeds(desk), feed=TownFeed(desk=desk_of(desk)), size=(200, 30))
    assert done == [("mute", {"rule": None, "seconds": 0.0})]
    assert "ack grace, muted until 15:02:11" in shot
    assert "neither muted nor silenced" in on_alerts("x")[1]


def test_acknowledging_a_mute_does_nothing() -> None:
    assert on_alerts("down", "a", "m")[0] == []


def test_where_alerts_cannot_be_acted_on_the_reason_is_told() -> None:
    for key in ("m", "w", "a"):
        assert "not here: a capture that is played raises no alerts" in after("7", key)


def test_an_action_that_fails_says_why() -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise TidegateError("nobody answers at \x1b[31mcontrol.sock")

    controls = replace(CONTROLS, alerts=AlertControls(refuse, refuse))
    assert "not acknowledged: nobody answers at \\x1b[31mcontrol.sock" in after("7", "a", controls=controls)
    shot = after("7", "w", "enter", controls=controls)
    assert "not silenced: nobody answers at \\x1b[31mcontrol.sock" in shot


def test_rules_stand_against_their_thresholds_the_nearest_first_chosen() -> None:
    shot = after()
    assert "812 of 500 in 1m00 (162%) ▲ over" in shot
    assert "12 of 50 in 1m00 (24%)  10.0.0.5" in shot
    assert "1.7 GB of 2.0 GB in 1h00 (85%)  firefox" in shot
    small = after(size=(80, 20))
    assert "http-rate" in small
    assert "24%" not in small


def test_without_alerts_that_run_the_board_counts_http_itself() -> None:
    shot = after(feed=TownFeed(desk=Desk()))
    assert "120 of 7,000 in 2m00 (2%)" in shot


@pytest.mark.parametrize("size", [(60, 20), (40, 12), (30, 6), (80, 24)])
def test_the_alert_that_stands_is_seen_on_small_terminals(size: tuple[int, int]) -> None:
    assert "CRITICAL ack http-rate" in after(size=size)


def test_an_alert_stands_once_in_the_log() -> None:
    feed = TownFeed()
    for one in list(feed.inbox._entries):
        feed.inbox.put(one.rows, NOW)  # as a store gives again what was remembered
    shot = after("8", feed=feed)
    assert shot.count("raised: http-rate") == 1
    assert shot.count("recovered: iface-down") == 1


def test_the_real_desk_is_shown_and_answers() -> None:
    watched = Watched(rule(window=60.0))
    watched.tick(0)
    watched.see(asked(1, 3))
    asked_ = commands(lambda: watched.stage)
    alerts = AlertControls(lambda word, **given: asked_[word](**given), asked_["desk"])
    shots: list[str] = []

    async def act(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, WatchScreen)
        await pilot.press("7", "w", "ctrl+u", *typed("dst:192.0.2.9 for:1h"), "enter")
        await settle(pilot)
        shots.append(text(app))
        await pilot.press("down", "x")
        await settle(pilot)
        shots.append(text(app))
        gauges = now.nearest(app.board, (), 4)
        assert [(gauge.rule, gauge.value) for gauge in gauges] == [("http_requests", 3.0)]

    play(act, controls=replace(CONTROLS, alerts=alerts), feed=TownFeed(desk=Desk()), size=(200, 30))
    assert "to 192.0.2.9/32, by ada; x ends it" in shots[0]
    assert watched.stage.desk.silences() == []
    assert "x ends it" not in shots[1]
    watched.close()


@pytest.mark.parametrize(
    "told",
    [
        {}, {"mutes": []}, {"mutes": {"a": "soon"}}, {"silences": [{"silence_id": 1, "until": "x"}]},
        {"rules": [{"rule": "a"}, 5]}, {"open": {"a": 1}}, {"open": [{"alert_id": None}]},
        {"rules": [{"rule": "a", "metric": [], "value": 1, "threshold": 1, "window": 1}]},
        {"capture": {"error": "x"}}, {"told": {"A": [{"name": 1, "at": "x"}]}},
    ],
)  # fmt: skip
def test_a_desk_that_makes_no_sense_is_empty(told: dict[str, Any]) -> None:
    assert desk_of(told) == Desk()


def test_the_value_of_an_alert_is_the_one_of_now() -> None:
    desk = desk_of({"open": [{"alert_id": "A2", "value": 412.0, "peak": 900.0}]})
    shot = after("7", feed=TownFeed(desk=desk), size=(140, 30))
    assert "412     500      900" in shot
    assert "http-rate 412, peak 900 > 500" in after(feed=TownFeed(desk=desk))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "eth0 \x1b is gone", "retry_in": 3.7, "failures": 3},
         r"Capture stopped: eth0 \x1b is gone. Retrying in 4 s (failure 3)"),
        ({"error": "eth0", "retry_in": 0.0, "failures": 1},
         "Capture stopped: eth0. Retrying now (failure 1)"),
    ],
)  # fmt: skip
def test_a_capture_that_is_tried_again_says_when(told: dict[str, Any], words: str) -> None:
    feed = TownFeed(kind="store", title="/s", desk=desk_of({"capture": told}))
    assert words in after(feed=feed)
    well = desk_of({"capture": told | {"error": ""}})
    assert "Retrying" not in after(feed=TownFeed(kind="store", title="/s", desk=well))


def test_times_of_a_desk_are_bounded() -> None:
    desk = desk_of({"mutes": {"a": 10**40}})
    assert "2116" in after("7", feed=TownFeed(desk=desk), size=(140, 30))


def test_bytes_are_sizes_and_an_alert_may_be_acknowledged_and_muted() -> None:
    row: dict[str, Any] = {"rule": "r", "key": None, "metric": "bytes", "severity": "warning", "message": "m"}
    row |= {"value": 453_909.0, "threshold": 2e5, "peak": 5e5}
    alert = Alert("A", row, NOW, acknowledged="ada")
    board = Board()
    board.desk = desk_of({"mutes": {"r": NOW + SECOND}})
    scene = Scene(board, Look(), lambda _: None)
    assert alert_view.state(scene, alert)[0].endswith("WARNING ack mute")
    values = {column.title: column.cell(alert)[0] for column in alert_view.columns(scene)}
    assert (values["Value"], values["Limit"], values["Peak"]) == ("453.9 kB", "200.0 kB", "500.0 kB")
    assert "453.9 kB > 200.0 kB" in now.told(scene, alert)[0][0]
