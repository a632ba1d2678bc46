"""The tab of the relay: services and connections by rows and by what a relay says; keys that act on it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from screens import CONTROLS, after
from town import CARRIED, LOCAL, NOW, RELAY, TownFeed, batch, conn

from helpers import wait_for
from tidegate.model.errors import UsageError
from tidegate.tui.board.board import SECOND, Board
from tidegate.tui.board.carrier import read
from tidegate.tui.board.relays import KEPT, MOST_SESSIONS, Relays
from tidegate.tui.controls import RelayControls
from tidegate.tui.feeds.inbox import Inbox
from tidegate.tui.feeds.relay_watch import RelayWatch
from tidegate.tui.views.sessions import dump

WEB = "C00000000000000101"


def board(*rows: Mapping[str, Any], carried: Mapping[str, Any] | None = None) -> Board:
    made = Board(LOCAL)
    made.take(batch("relay", rows or RELAY), NOW)
    if carried is not None:
        made.relays.settle(carried, NOW)
    return made


def line(shot: str, begin: str) -> str:
    return next(line for line in shot.splitlines() if line.lstrip(" ▌").startswith(begin))


# --- by rows ---


def test_events_make_services_and_connections() -> None:
    relays = board().relays
    front = relays.services["front"]
    assert (front.open, front.total, front.turned_away) == (2, 3, 1)
    assert front.protocols == {"ssh": 1}
    web, over = relays.sessions[WEB], relays.sessions["C00000000000000103"]
    assert (web["phase"], web["rule"], web["remote_port"], web.closed) == (
        "relaying",
        "own-site",
        8080,
        False,
    )
    assert web.said == (b"GET /login?u=\x1b[2J HTTP/1.1\r\n", b"HTTP/1.1 200")
    assert (over["cause"], over["up_bytes"], over.closed) == ("idle", 70, True)
    assert [each.uid[-3:] for each in relays.of("front")] == ["102", "101", "103"]


def test_a_target_that_does_not_answer_is_no_connection_yet() -> None:
    accept, connect = RELAY[1], RELAY[4] | {"cause": "connect_refused"}
    relays = board(accept, connect).relays
    assert relays.sessions[WEB]["phase"] == "looking"


def test_only_the_first_bytes_are_kept_and_broken_ones_are_let_pass() -> None:
    read_ = RELAY[2] | {"payload_base64": "QUJD" * 1000}
    relays = board(RELAY[1], RELAY[2] | {"payload_base64": "!"}, read_, read_).relays
    assert len(relays.sessions[WEB].said[0]) == KEPT


def test_connections_are_bounded_and_those_that_are_over_go_first() -> None:
    made = Board(LOCAL)
    begun = [RELAY[1] | {"uid": f"C{number:017d}", "ts": NOW + number} for number in range(MOST_SESSIONS)]
    made.take(batch("relay", begun), NOW)
    made.take(batch("relay", [begun[-1] | {"type": "close", "cause": "fin"}]), NOW)
    made.take(batch("relay", [RELAY[1] | {"uid": "Cnew", "ts": NOW}]), NOW)
    relays = made.relays
    assert len(relays.sessions) == MOST_SESSIONS - MOST_SESSIONS // 10 + 1
    assert begun[-1]["uid"] not in relays.sessions
    assert begun[0]["uid"] not in relays.sessions
    assert relays.services["front"].open == len(relays.sessions)


def relayed(at: int, **values: Any) -> dict[str, Any]:
    row = conn(
        1, at, src_ip="192.0.2.66", dst_ip="10.0.0.2", dst_port=80, up_bytes=None, down_bytes=None,
        up_packets=None, down_packets=None, relay_service="front", up_payload=3_000, down_payload=38_000,
    )  # fmt: skip
    return row | {"uid": WEB} | values


def test_without_a_relay_to_ask_rates_and_endings_are_those_of_connections() -> None:
    made = board()
    made.take(batch("conn", [relayed(NOW, up_payload=3_000, down_payload=38_000)]), NOW)
    front = made.relays.services["front"]
    assert (front.series.total_down, front.series.total_up) == (3_000, 38_000)
    assert made.relays.sessions[WEB]["down_bytes"] == 38_000
    assert (made.total.total_down, made.total.total_up) == (3_000, 38_000)
    over = relayed(NOW + SECOND, state="closed", relay_cause="backend_reset", up_payload=3_000)
    made.take(batch("conn", [over]), NOW + SECOND)
    assert (front.errors, front.kills) == (1, 0)


# --- by what the relay says ---


def test_what_the_relay_says_counts_more_than_rows() -> None:
    relays = board(carried=CARRIED).relays
    assert list(relays.services) == ["front", "ssh"]
    front = relays.services["front"]
    assert front.told is not None
    assert (front.told.limit, front.kills, front.errors, front.turned_away) == (500, 4, 3, 7)
    assert relays.sessions[WEB]["down_bytes"] == 120_000
    assert relays.sessions[WEB].heard == NOW - 2_500_000_000
    assert relays.rejected("192.0.2.68")
    grown = CARRIED | {"services": [CARRIED["services"][0] | {"up": 94_000, "down": 1_280_000}]}
    relays.settle(grown, NOW + SECOND)
    assert (front.series.total_down, front.series.total_up) == (4_000, 80_000)
    assert relays.services["ssh"].told is None
    relays.settle(None, NOW + 2 * SECOND)
    assert (relays.running, relays.asides, front.turned_away) == (False, (), 1)


def test_connections_that_the_relay_does_not_list_are_over() -> None:
    relays = board(carried=CARRIED).relays
    later = NOW + 20 * SECOND
    relays.settle(CARRIED | {"connections": None}, later)
    assert not relays.sessions[WEB].closed
    relays.settle(CARRIED | {"connections": CARRIED["connections"][1:]}, later)
    assert relays.sessions[WEB].closed


@pytest.mark.parametrize(
    "told",
    [{}, {"services": 7}, CARRIED | {"services": [{}]}, CARRIED | {"rejected": 7},
     CARRIED | {"connections": [{"id": "x"}]},
     CARRIED | {"connections": [CARRIED["connections"][0] | {"idle": float("inf")}]}],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_none(told: dict[str, Any]) -> None:
    assert read(told) is None
    relays = Relays()
    relays.settle(told, NOW)
    assert not relays.running


def test_numbers_and_texts_of_an_answer_are_bounded() -> None:
    service = CARRIED["services"][0] | {"name": "n" * 9999, "up": 10**30, "total": -5}
    picture = read(json.loads(json.dumps(CARRIED | {"services": [service], "rejected": ["x"] * 5000})))
    assert picture is not None
    assert len(picture.carriers[0].name) == 512
    assert (picture.carriers[0].up, picture.carriers[0].total) == (1 << 63, 0)
    assert len(picture.asides) < 2000


def test_a_frozen_board_stays_as_it_is() -> None:
    made = board(carried=CARRIED)
    twin = made.frozen()
    made.take(batch("relay", [RELAY[1] | {"uid": "Cnew", "ts": NOW}, RELAY[-1]]), NOW)
    assert "Cnew" not in twin.relays.sessions
    assert (twin.relays.services["front"].refused, made.relays.services["front"].refused) == (1, 2)


# --- on the screen ---


def test_the_tab_shows_services_then_what_waits_and_is_rejected() -> None:
    shot = after("6", size=(140, 30))
    front = line(shot, "front")
    for words in ("10.0.0.2:25,80", "2 rules, 10.0.0.9:8080", "2/500", "ssh", "1.3 MB"):
        assert words in front
    assert front.split()[-4:-2] == ["7", "3"]
    assert "0/5" in line(shot, "ssh")
    assert "address already in use" in line(shot, "waiting")
    assert "192.0.2.68" in line(shot, "rejected")


def test_enter_shows_connections_and_esc_leads_back() -> None:
    shot = after("6", "enter", size=(160, 30))
    assert "connections of front; Esc leads back" in shot
    for words in (
        "NL Exam",
        "own-site",
        "10.0.0.9:8080",
        "relaying",
        r"GET /login?u=\x1b[2J HTTP/1.1",
    ):
        assert words in line(shot, "192.0.2.66:51000")
    assert "2/500" in after("6", "enter", "escape")


def test_connections_are_filtered_and_esc_clears_the_filter_first() -> None:
    keys = ("6", "enter", "slash", *(named(letter) for letter in "port:25"), "enter")
    shot = after(*keys)
    assert "filter port:25: 1 of 3" in shot
    assert "192.0.2.66" not in shot
    assert "connections of front" in after(*keys, "escape")
    assert "2/500" in after(*keys, "escape", "escape")


def named(letter: str) -> str:
    return {":": "colon", ".": "full_stop", " ": "space"}.get(letter, letter)


def test_details_have_the_first_bytes_as_text_and_in_hex() -> None:
    shot = after("6", "enter", "down", "enter", size=(100, 40))
    for words in ("Connection 101 of front", "From the client", r"GET /login?u=\x1b[2J HTTP/1.1\x0d\x0a",
                  "0000  47 45 54 20 2f 6c 6f 67 69 6e 3f 75 3d 1b 5b 32  |GET /login?u=.[2|",
                  "To the client",
                  "HTTP/1.1 200"):  # fmt: skip
        assert words in shot
    assert "nothing was kept of it" in after("6", "enter", "enter", size=(100, 40))


@pytest.mark.parametrize(("room", "count"), [(97, 16), (50, 8), (25, 4), (3, 4)])
def test_hex_fits_the_room(room: int, count: int) -> None:
    lines = dump(bytes(range(40)), room)
    assert lines[0].startswith("0000  00 01 02 03")
    assert len(lines) == -(-40 // count)
    assert all(len(each) <= max(room, 25) for each in lines)


def test_where_no_relay_runs_the_tab_says_how_to_start_one() -> None:
    feed = TownFeed([batch("conn", [conn(1)])])
    assert "No relay runs here. Start: tidegate relay -p :8022=127.0.0.1:22" in after("6", feed=feed)


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (79, 19)])
def test_small_terminals(size: tuple[int, int]) -> None:
    for keys in (("6",), ("6", "enter"), ("6", "enter", "enter")):
        shot = after(*keys, size=size)
        assert all(len(each) <= size[0] for each in shot.splitlines())
        assert "front" in shot or "192.0.2.66" in shot


# --- acting ---


class Acts:
    """A relay beside that notes what it is told."""

    def __init__(self, error: str = "") -> None:
        self.done: list[tuple[str, dict[str, Any]]] = []
        self._error = error

    def do(self, word: str, **given: Any) -> None:
        if self._error:
            raise UsageError(self._error)
        self.done.append((word, given))

    def look(self, _connections: bool) -> Mapping[str, Any]:
        return CARRIED

    def after(self, *keys: str) -> str:
        controls = replace(CONTROLS, relay=RelayControls(self.do, self.look))
        return after(*keys, controls=controls, size=(120, 30))


def test_k_asks_and_enter_ends_the_connection() -> None:
    acts = Acts()
    assert "end connection (Enter does it, Esc leaves it)" in acts.after("6", "enter", "k")
    assert acts.done == []
    assert "connection 102 is ended" in acts.after("6", "enter", "k", "enter")
    assert acts.done == [("relay_kill", {"connection": 102})]


def test_pressing_k_on_and_on_ends_nothing() -> None:
    acts = Acts()
    assert "is no number of a connection" in acts.after("6", "enter", "k", "k", "k", "enter")
    acts.after("6", "enter", "k", "escape")
    acts.after("6", "down", "k")
    acts.after("6", "enter", "G", "k", "enter")  # that one is over: Enter opens it
    assert acts.done == []


def test_r_rejects_the_address_of_the_row_or_one_that_is_written() -> None:
    acts = Acts()
    assert "192.0.2.66 is rejected" in acts.after("6", "enter", "down", "R", "enter")
    address = [named(letter) for letter in "198.51.100.7"]
    acts.after("6", "R", *address, "enter")
    assert '"x" is no address' in acts.after("6", "R", "x", "enter")
    assert acts.done == [
        ("relay_reject", {"address": "192.0.2.66"}), ("relay_reject", {"address": "198.51.100.7"}),
    ]  # fmt: skip


def test_u_lets_an_address_in_again_and_is_else_what_it_always_was() -> None:
    acts = Acts()
    assert "192.0.2.68 is let in again" in acts.after("6", "G", "u", "enter")
    assert acts.done == [("relay_release", {"address": "192.0.2.68"})]
    assert "10.3 Mb" in line(acts.after("6", "u"), "front")


def test_what_cannot_be_done_says_why() -> None:
    assert "not done: there is no connection 102" in Acts("there is no connection 102").after(
        "6", "enter", "k", "enter"
    )
    assert "not here: a capture that is played relays nothing" in after("6", "enter", "k")
    feed = TownFeed([batch("relay", RELAY)])
    controls = replace(CONTROLS, relay=RelayControls(Acts().do, Acts().look))
    assert "no relay answers" in after("6", "R", feed=feed, controls=controls)


def test_the_watch_asks_for_connections_only_while_they_are_looked_at_and_says_when_nobody_answers() -> None:
    asked: list[bool] = []
    inbox, picture = Inbox(), Board(LOCAL)

    def look(connections: bool) -> Mapping[str, Any]:
        asked.append(connections)
        if len(asked) > 2:
            raise UsageError("gone")
        inbox.wants_sessions = True
        return CARRIED

    def poured(running: bool) -> bool:
        inbox.pour(picture)
        return picture.relays.running is running

    watch = RelayWatch(inbox, look)
    watch.start()
    try:
        wait_for(lambda: poured(True))
        wait_for(lambda: poured(False))
    finally:
        watch.stop()
        watch.join()
    assert asked[:2] == [False, True]
