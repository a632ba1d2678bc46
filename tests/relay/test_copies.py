"""Captured copies of relayed connections, in virtual time: which rows go on, when, and which do not."""

from collections.abc import Sequence
from typing import Any

import pytest
from town import batch

from tidegate.model.config import BackendSettings, RelayServiceSettings, RelaySettings
from tidegate.relay import copies as module
from tidegate.relay.copies import MEMORY, PATIENCE, Copies

SECOND = 1_000_000_000
CLIENT, DOOR, OWN, BACKEND = ("192.0.2.7", 40_000), ("10.0.0.2", 80), ("10.0.0.2", 50_000), ("10.0.0.9", 8080)
RELAY = RelaySettings(
    (RelayServiceSettings("front", (":80,8000-8010",), "web"),),
    (BackendSettings("web", ("10.0.0.9:8080 weight 2", "unix:/run/x")),),
)


class Line:
    """A stage with a clock, and what came out of it."""

    def __init__(self, settings: RelaySettings = RELAY) -> None:
        self.now = 1_000 * SECOND
        self.ending = False
        self.stage = Copies(lambda: self.ending, lambda: self.now)
        self.stage.follow(settings)

    def take(self, table: str, *rows: dict[str, Any]) -> list[str]:
        return uids(self.stage.process(batch(table, rows)))

    def tick(self, seconds: float) -> list[str]:
        self.now += int(seconds * SECOND)
        return uids(self.stage.tick(self.now))

    def event(self, kind: str, at: int | None = None, **values: Any) -> list[str]:
        ends = ends_of(CLIENT, DOOR, "client", "server") | ends_of(OWN, BACKEND, "local", "remote")
        row = {"ts": self.now if at is None else at, "uid": "R", "type": kind, "proto": "tcp"} | ends
        return self.take("relay", row | values)


def ends_of(one: tuple[str, int], other: tuple[str, int], a: str = "src", b: str = "dst") -> dict[str, Any]:
    return {f"{a}_ip": one[0], f"{a}_port": one[1], f"{b}_ip": other[0], f"{b}_port": other[1]}


def row(uid: str, ts: int, one: Any = CLIENT, other: Any = DOOR, **values: Any) -> dict[str, Any]:
    made = {"uid": uid, "ts": ts, "last_ts": ts, "iface": "eth0", "proto": "tcp", "transport": "tcp"}
    return made | ends_of(one, other) | values


def uids(batches: Any) -> list[str]:
    return [uid for made in batches for uid in made.columns(("uid",))[0]]


def test_rows_of_a_connection_that_is_known_are_left_out() -> None:
    line = Line()
    assert line.event("accept") == ["R"]
    line.event("connect")
    now = line.now
    assert line.take("conn", row("a", now), row("b", now, ("192.0.2.8", 1), ("10.0.0.2", 443))) == ["b"]
    assert line.take("http", row("a", now)) == []
    assert line.take("http", row("c", now, OWN, BACKEND)) == []
    assert line.take("conn", row("c", now, OWN, BACKEND)) == ["c"], "it is another connection"
    assert line.take("conn", row("turned", now, DOOR, CLIENT)) == []
    assert line.stage.left_out == 4
    assert line.tick(5) == []


def test_rows_of_the_relay_itself_and_of_other_tables_pass() -> None:
    line = Line()
    line.event("accept")
    assert line.take("conn", row("R", line.now, iface="")) == ["R"]
    assert line.take("http", row("R", line.now, iface="")) == ["R"]
    assert line.take("packet", row("p", line.now)) == ["p"]
    assert line.take("conn", row("u", line.now, proto="udp")) == ["u"]
    assert line.take("tls", row("q", line.now, transport="udp")) == ["q"]


def test_rows_that_come_before_the_relay_tells_wait_for_it() -> None:
    line = Line()
    now = line.now
    assert line.take("conn", row("a", now), row("b", now, CLIENT, ("10.0.0.2", 443))) == ["b"]
    assert line.take("http", row("a", now), row("c", now, OWN, BACKEND)) == []
    assert line.tick(0.2) == []
    line.event("accept", now)
    line.event("connect", now)
    assert line.tick(1) == []
    assert line.stage.left_out == 3


def test_who_is_not_let_in_is_on_record_after_a_moment_and_from_then_on_at_once() -> None:
    line = Line()
    assert line.take("conn", row("a", line.now)) == []
    line.event("refused", cause="deny")
    assert line.tick(0.5) == []
    assert line.tick(PATIENCE / SECOND) == ["a"]
    assert line.take("conn", row("a", line.now)) == ["a"]
    line.event("accept")
    assert line.take("conn", row("a", line.now)) == ["a"], "it is on record, so all of it is"


def test_the_last_captured_row_comes_after_the_end_and_a_later_connection_is_another_one() -> None:
    line = Line()
    began = line.now
    line.event("accept")
    line.now += SECOND
    line.event("close")
    line.now += 5 * SECOND
    assert line.take("conn", row("a", began)) == []
    again = line.now
    assert line.take("conn", row("b", again)) == []
    assert line.tick(2) == ["b"]
    assert line.tick((MEMORY + SECOND) / SECOND) == []
    assert line.take("conn", row("c", began)) == []
    assert line.tick(2) == ["c"], "long forgotten"


def test_all_that_waits_goes_on_at_the_end_and_when_the_clock_is_set_back() -> None:
    line = Line()
    assert line.take("conn", row("a", line.now)) == []
    assert line.tick(-100) == ["a"]
    assert line.take("conn", row("b", line.now)) == []
    line.ending = True
    assert line.tick(0) == ["b"]


def test_without_a_relay_nothing_waits() -> None:
    line = Line(RelaySettings())
    assert line.take("conn", row("a", line.now)) == ["a"]


def test_an_attempt_that_failed_is_no_connection_to_a_backend() -> None:
    line = Line()
    line.event("connect", cause="connect_refused")
    line.event("connect", local_ip=None)
    assert line.take("http", row("a", line.now, OWN, BACKEND)) == []
    assert line.tick(2) == ["a"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    line = Line()
    clients: Sequence[tuple[str, int]] = [("192.0.2.7", port) for port in range(1, 31)]
    for client in clients:
        line.event("accept", **ends_of(client, DOOR, "client", "server"))
        line.event("close", **ends_of(client, DOOR, "client", "server"))
        line.event("accept", **ends_of(client, ("10.0.0.2", 8000), "client", "server"))
        line.take("conn", row(f"x{client[1]}", line.now + SECOND, client, ("10.0.0.2", 8001)))
    line.tick(2)
    stage = line.stage
    assert [len(kept) for kept in (stage._clients.open, stage._clients.closed, stage._passed)] == [10] * 3
