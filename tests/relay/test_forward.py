"""The relay from Python: what monconn's users had, and the events."""

import json
import socket
from typing import Any

import pytest
from doors import LOCAL, answering, call, said

from helpers import free_port, wait_for
from tidegate.model.config import RelayServiceSettings, RelaySettings
from tidegate.model.errors import UsageError
from tidegate.relay import Forwarder, forward


def test_a_door_leads_where_it_was_told_to() -> None:
    port, told = free_port(), []
    sid = f"{LOCAL}:{port}"
    with answering() as backend, forward({sid: f":{backend}"}, told.append) as running:
        assert said(port) == b"hello"
        wait_for(lambda: running.poll(0.05) is None or any(row["type"] == "close" for row in told))
        assert running.services == [sid]
        assert [row["type"] for row in told if row["type"] in ("accept", "connect", "close")] == [
            "accept", "connect", "close",
        ]  # fmt: skip
        assert {row["service"] for row in told if row["connection_id"]} == {sid}
        assert running.bytes(sid) == (5, 5)
        running.deduct(sid, 2, 5)
        assert running.bytes(sid) == (3, 0)
        running.reset(sid)
        assert running.bytes(sid) == (0, 0)
        assert running.last_access(sid) is not None
        assert running.uptime >= 0
        assert json.loads(running.json(sid))["total"] == 1
        assert f"service={sid}" in running.log_line(sid)
        with pytest.raises(UsageError, match="there is no service"):
            running.stats("x")
    with pytest.raises(OSError):
        call(port)


def test_connections_are_known_while_they_are_there() -> None:
    port = free_port()
    settings = RelaySettings((RelayServiceSettings("front", (f"{LOCAL}:{port}",), "pending"),))
    with answering() as backend:
        service = RelayServiceSettings("front", (f"{LOCAL}:{port}",), f":{backend}")
        with forward([service]) as running, call(port, "127.0.0.2") as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            (live,) = running.connections("front")
            assert running.addresses("front") == running.addresses() == ["127.0.0.2"]
            idle = running.idle(live["id"])
            assert idle is not None
            assert idle >= 0
            assert running.idle(live["id"] + 1) is None
            running.reject("127.0.0.2")
            assert running.rejected == ["127.0.0.2"]
            wait_for(lambda: not running.connections())
            running.release("127.0.0.2")
            assert said(port, source="127.0.0.2") == b"hello"
            with pytest.raises(UsageError):
                running.reload(settings)


def test_events_end_when_it_is_drained() -> None:
    port = free_port()
    with answering() as backend, forward({f"{LOCAL}:{port}": f":{backend}"}) as running:
        assert said(port) == b"hello"
        kinds: list[Any] = []
        for row in running.events():
            kinds.append(row["type"])
            if row["type"] == "close":
                running.drain()
        assert kinds[-1] in ("close", "notice")
        assert running.poll() is None


def test_batches_hold_rows_of_protocols() -> None:
    port = free_port()
    with answering() as backend, forward({f"{LOCAL}:{port}": f":{backend}"}) as running:
        said(port, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        running.drain()
        assert {"relay", "conn", "http"} <= {batch.table for batch in running.batches()}


def test_a_connection_of_ones_own_is_relayed_and_killed() -> None:
    with (
        answering(b"hi") as backend,
        forward({f"{LOCAL}:{free_port()}": f":{backend}"}) as running,
        socket.create_server((LOCAL, 0)) as listener,
        call(listener.getsockname()[1]) as client,
    ):
        number = running.adopt(running.services[0], listener.accept()[0])
        assert client.recv(2) == b"hi"
        assert running.kill(number)


def test_what_cannot_be_relayed_is_refused() -> None:
    for doors in ({":0": ":1"}, {}, {":1": "nowhere"}):
        with pytest.raises(UsageError):
            forward(doors)
    assert issubclass(Forwarder, object)
