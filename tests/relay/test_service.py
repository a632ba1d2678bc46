"""The policy around the core's relay, with real connections: lists, names, targets, ports, reloads."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from doors import LOCAL, answering, call, carrying, one, said

from helpers import free_port, wait_for
from tidegate.helper.own import OwnRights
from tidegate.model.config import (
    BackendSettings,
    RelayExcerpts,
    RelayLimits,
    RelayServiceSettings,
    RelaySettings,
    RouteSettings,
)
from tidegate.model.errors import UsageError
from tidegate.relay.machine import low_ports
from tidegate.relay.service import Machine, Relay


def test_bytes_come_back_and_events_are_told() -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend, excerpts=RelayExcerpts(per_read=3))) as carried:
        assert said(port) == b"hello"
        wait_for(lambda: carried.of("close"))
        kinds = [row["type"] for row in carried.rows if row["type"] != "notice"]
        assert kinds[:2] == ["accept", "connect"]
        assert kinds[-1] == "close"
        assert carried.of("recv")[0]["payload"] == "hel"
        assert carried.of("close")[0]["cause"] == "fin"
        assert {"relay", "conn"} <= carried.tables
        service = carried.relay.status()["services"]["front"]
        assert (service["total"], service["up"], service["down"]) == (1, 5, 5)


def test_rules_that_never_hold_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    rules = (RouteSettings("get", ":1", pattern="^GET"), RouteSettings("admin", ":2", pattern="^GET /admin"))
    settings = one(free_port(), 9, rules=rules)
    with carrying(settings) as carried:
        carried.relay.reload(replace(settings, drain=7.0))
    assert caplog.text.count('rule "admin": never reached') == 1


def test_nothing_to_relay_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing is relayed"):
        Relay(RelaySettings())


def test_a_port_that_is_taken_is_named_and_the_others_run() -> None:
    port, other = free_port(), free_port()
    with answering() as backend, socket.create_server((LOCAL, port)) as taker:
        service = RelayServiceSettings("a", (f"{LOCAL}:{port}",), f":{backend}", listen_retry=0.1)
        settings = RelaySettings((service, replace(service, name="b", listen=(f"{LOCAL}:{other}",))))
        with carrying(settings) as carried:
            wait_for(lambda: carried.relay.status()["waiting"])
            assert f"{LOCAL}:{port}" in carried.relay.status()["waiting"]
            assert said(other) == b"hello"
            wait_for(lambda: any(f"{LOCAL}:{port}" in row["text"] for row in carried.of("notice")))
            taker.close()
            wait_for(lambda: not carried.relay.status()["waiting"])
            assert said(port) == b"hello"


def test_rejected_addresses_lose_their_connections_and_get_no_other() -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend)) as carried:
        with call(port, "127.0.0.2") as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            assert carried.relay.reject("127.0.0.2")
            assert not carried.relay.reject("127.0.0.2")
            with pytest.raises(ConnectionError):
                assert client.recv(1) == b""
                raise ConnectionError
        assert said(port, source="127.0.0.2") == b""
        assert said(port) == b"hello"
        assert carried.relay.status()["rejected"] == ["127.0.0.2"]
        assert carried.relay.release("127.0.0.2")
        assert said(port, source="127.0.0.2") == b"hello"


def test_a_list_counts_from_the_moment_it_is_changed(tmp_path: Path) -> None:
    port, deny = free_port(), tmp_path / "deny"
    deny.write_text("127.0.0.2\n")
    with answering() as backend, carrying(one(port, backend, deny_files=(str(deny),))) as carried:
        assert said(port, source="127.0.0.2") == b""
        assert said(port, source="127.0.0.3") == b"hello"
        deny.write_text("127.0.0.3\n")
        wait_for(lambda: said(port, source="127.0.0.3") == b"")
        assert said(port, source="127.0.0.2") == b"hello"
        deny.write_text("nonsense\n")
        wait_for(lambda: carried.relay.status()["problems"])
        assert f'{deny}:1: "nonsense"' in carried.relay.status()["problems"][0]
        assert said(port, source="127.0.0.3") == b""


def test_an_empty_list_of_those_who_are_let_in_lets_nobody_in(tmp_path: Path) -> None:
    port, allow = free_port(), tmp_path / "allow"
    allow.write_text("# nobody yet\n")
    with answering() as backend, carrying(one(port, backend, allow_files=(str(allow),))):
        assert said(port) == b""
        allow.write_text("127.0.0.0/8\n")
        wait_for(lambda: said(port) == b"hello")


def test_a_reload_loses_no_connection() -> None:
    other = free_port()
    with (
        answering(b"1") as first,
        answering(b"2") as second,
        carrying(one(port := free_port(), first)) as carried,
        call(port) as client,
    ):
        assert client.recv(1) == b"1"
        carried.relay.reload(one(port, second))
        wait_for(lambda: said(port, b"") == b"2")
        client.sendall(b"still")
        assert client.recv(10) == b"still"
        carried.relay.reload(one(other, second))
        wait_for(lambda: said(other, b"") == b"2")
        client.sendall(b"there")
        assert client.recv(10) == b"there"


def test_a_reload_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend)) as carried:
        with pytest.raises(UsageError):
            carried.relay.reload(one(port, backend, deny_files=(str(tmp_path / "none"),)))
        assert said(port) == b"hello"
        assert carried.relay.settings == one(port, backend)


def test_a_target_that_is_gone_is_left_out_until_it_is_back() -> None:
    port = free_port()
    with answering(b"1") as steady:
        with answering(b"2") as goes:
            targets = (f":{steady}", f":{goes} weight 9")
            backend = BackendSettings("web", targets, check=0.05, check_fall=1, check_rise=1)
            service = RelayServiceSettings("front", (f"{LOCAL}:{port}",), "web")
            settings = RelaySettings((service,), (backend,))
            relayed = carrying(settings)
            carried = relayed.__enter__()
            wait_for(lambda: said(port, b"") == b"2")
        try:
            wait_for(lambda: [each["up"] for each in carried.relay.status()["targets"]] == [True, False])
            wait_for(lambda: {said(port, b"") for _ in range(5)} == {b"1"})
            with answering(b"2", goes):
                wait_for(lambda: said(port, b"") == b"2")
        finally:
            relayed.__exit__(None, None, None)


def test_connections_are_listed_and_ended() -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend)) as carried, call(port) as client:
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        (live,) = carried.relay.connections()
        assert (live["service"], live["client_ip"], live["phase"]) == ("front", LOCAL, "relaying")
        assert not carried.relay.kill(live["id"] + 1)
        assert carried.relay.kill(live["id"])
        wait_for(lambda: not carried.relay.connections())


def test_a_limit_is_exact_and_told() -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend, limits=RelayLimits(connections=2))) as carried:
        kept = []
        for _ in range(2):
            kept.append(call(port))
            kept[-1].sendall(b"a")
            assert kept[-1].recv(1) == b"a"
        assert said(port) == b""
        wait_for(lambda: carried.relay.status()["services"]["front"]["refused"])
        assert sum(carried.relay.status()["services"]["front"]["refused"].values()) == 1
        for each in kept:
            each.close()
        wait_for(lambda: said(port) == b"hello")


def test_a_connection_of_ones_own_is_relayed() -> None:
    with (
        answering(b"hi") as backend,
        carrying(one(free_port(), backend)) as carried,
        socket.create_server((LOCAL, 0)) as listener,
        call(listener.getsockname()[1]) as client,
    ):
        assert carried.relay.adopt("front", listener.accept()[0]) >= 1
        assert client.recv(2) == b"hi"
        with pytest.raises(UsageError):
            carried.relay.adopt("nobody", socket.socket())


def test_draining_lets_connections_end_and_nobody_in() -> None:
    port = free_port()
    with answering() as backend, carrying(one(port, backend)) as carried:
        with call(port) as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            carried.relay.stop()
            client.sendall(b"b")
            assert client.recv(1) == b"b"
            with pytest.raises(OSError):
                for _ in range(1000):
                    call(port).close()
        wait_for(lambda: carried.of("close"))


def test_names_are_resolved_when_it_starts() -> None:
    port = free_port()
    with answering() as backend:
        service = RelayServiceSettings("front", (f"localhost:{port}",), f"localhost:{backend}")
        with carrying(RelaySettings((service,))) as carried:
            assert said(port) == b"hello"
            assert carried.relay.status()["names"]["localhost"][0] == LOCAL


class Bound(OwnRights):
    """Stands for the helper: binds what it is asked for, somewhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []
        self.taken = True
        self.error = OSError(98, "Address already in use")
        self.ports: list[int] = []

    def bind(self, protocol: str, address: str, port: int) -> socket.socket:
        self.asked.append((address, port))
        if self.taken:
            raise self.error
        bound = super().bind(protocol, address, 0)
        self.ports.append(bound.getsockname()[1])
        return bound


@pytest.mark.skipif(low_ports() <= 7, reason="here everybody may bind port 7")
def test_low_ports_are_bound_by_who_may_and_tried_again() -> None:
    rights = Bound()
    with answering() as backend:
        service = RelayServiceSettings("front", (f"{LOCAL}:7,{free_port()}",), f":{backend}")
        with carrying(RelaySettings((service,)), Machine(rights=rights)) as carried:
            (problem,) = carried.relay.status()["problems"]
            assert problem == f'service "front": {LOCAL} port 7: Address already in use'
            rights.taken = False
            wait_for(lambda: rights.ports)
            wait_for(lambda: not carried.relay.status()["problems"])
            assert set(rights.asked) == {(LOCAL, 7)}
            assert said(rights.ports[0]) == b"hello"


@pytest.mark.skipif(low_ports() <= 7, reason="here everybody may bind port 7")
def test_who_may_not_bind_a_low_port_is_told_what_it_takes() -> None:
    rights = Bound()
    rights.error = PermissionError(13, "Permission denied")
    with carrying(one(7, 9), Machine(rights=rights)) as carried:
        (problem,) = carried.relay.status()["problems"]
    assert problem.endswith(
        f"port 7: Permission denied: ports below {low_ports()} take root, or CAP_NET_BIND_SERVICE"
    )
