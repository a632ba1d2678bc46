"""Bad guests and bad backends, each beside a good client that must notice nothing."""

import contextlib
import resource
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bystander import BAD, Bystander, answer, guest
from helpers import free_port, receive, wait_for
from relays import LOCAL, Running, flooding, server, service
from tidegate.relay.plan import Address, Backend, Excerpts, Limits, Plan, Rule, Service, Timeouts


def rules(listen: int, backend: int, name: str, **more: object) -> Service:
    """A service that looks at first bytes before it calls anybody."""
    made = service(listen, backend, name, **more)
    return replace(made, rules=(Rule("http", "backend", services=("http",)),))


@contextlib.contextmanager
def beside(*bad: Service, threads: int = 1, **more: object) -> Iterator[tuple[Running, Bystander]]:
    """These services beside a good one that is in use."""
    with server(answer) as backend:
        good = service(free_port(), backend, "good", excerpts=Excerpts(per_direction=64))
        plan = Plan((*bad, good), threads=threads, **more)  # type: ignore[arg-type]
        with Running(plan) as relay, Bystander(good.doors[0].ports[0][0]) as bystander:
            bystander.goes_on(1)
            yield relay, bystander


def open_now(relay: Running, name: str) -> int:
    """Connections of a service."""
    return int(relay.relay.stats()["services"][name]["connections"])


@pytest.mark.parametrize("threads", [1, 2])
def test_clients_that_send_a_byte_at_a_time(threads: int) -> None:
    heard: list[bytes] = []
    with server(lambda connection: heard.append(receive(connection))) as backend:
        slow = Timeouts(first_byte=0.5, detect=1.5)
        bad = rules(door := free_port(), backend, "bad", timeouts=slow, detect_bytes=4096)
        with beside(bad, threads=threads) as (relay, bystander), ExitStack() as guests:
            all_of_them = [guests.enter_context(guest(door)) for _ in range(100)]
            for byte in b"GET / HTTP":
                for each in all_of_them:
                    each.sendall(bytes([byte]))
                bystander.goes_on(1)
            # Nobody is waited for for long: they go where the rest goes, with all that they have said.
            wait_for(lambda: len([row for row in relay.events("connect") if row["service"] == "bad"]) == 100)
            for each in all_of_them:
                each.sendall(b"/1.1")
                each.shutdown(socket.SHUT_WR)
            wait_for(lambda: len(heard) == 100)
            assert set(heard) == {b"GET / HTTP/1.1"}
            bystander.goes_on()


def test_clients_that_never_read() -> None:
    with flooding() as (backend, stop):
        # Long enough for several to stand still at once, where everything is slow.
        stall = Timeouts(write_stall=8)
        bad = service(door := free_port(), backend, "bad", timeouts=stall)
        with beside(bad, memory=4 << 20) as (relay, bystander), ExitStack() as guests:
            for _ in range(40):
                guests.enter_context(guest(door))
            wait_for(lambda: relay.relay.stats()["memory"] > 1 << 20)
            bystander.goes_on()
            assert relay.relay.stats()["memory"] <= 4 << 20
            wait_for(lambda: open_now(relay, "bad") == 0, 60)
            stop.set()
            ended = [row["cause"] for row in relay.events("close") if row["service"] == "bad"]
            wait_for(lambda: relay.relay.stats()["memory"] == 0)
            assert set(ended) == {"write_stall"}


@pytest.mark.parametrize("refusal", ["close", "reset", "silent", "tarpit"])
def test_floods_of_refused_addresses(refusal: str) -> None:
    stop = threading.Event()
    tried = [0, 0]

    def flood(number: int) -> None:
        held: list[socket.socket] = []
        while not stop.is_set():
            with contextlib.suppress(OSError):
                held.append(guest(door))
                tried[number] += 1
            if len(held) > 200:
                held.pop(0).close()
        for each in held:
            each.close()

    bad = service(door := free_port(), 1, "bad", deny=(f"{BAD}/32",), limits=Limits(refusal=refusal))  # type: ignore[arg-type]
    bad = replace(bad, timeouts=Timeouts(tarpit=1.0))
    with beside(bad) as (relay, bystander):
        threads = [threading.Thread(target=flood, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()

        def refused() -> int:
            return int(relay.relay.stats()["services"]["bad"]["refused"].get("denied", 0))

        wait_for(lambda: refused() > 500)
        bystander.goes_on()
        stop.set()
        for thread in threads:
            thread.join()
        # A reset may come so soon that connecting seems to fail.
        wait_for(lambda: refused() >= sum(tried))
        wait_for(lambda: relay.relay.stats()["connections"] <= 2)
        # Every one of them is on record, and none was let in.
        wait_for(lambda: len(relay.events("refused")) == refused())
        assert relay.relay.stats()["dropped"] == 0
        assert relay.relay.stats()["services"]["bad"]["total"] == 0


@pytest.mark.parametrize("refusal", ["silent", "tarpit"])
def test_refused_ones_that_talk_without_end(refusal: str) -> None:
    stop = threading.Event()
    block = b"t" * (4 << 20)

    def talk() -> None:
        with contextlib.suppress(ConnectionError), guest(door) as client:
            client.settimeout(0.2)
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    client.send(block)

    bad = service(door := free_port(), 1, "bad", deny=(BAD,), limits=Limits(refusal=refusal))  # type: ignore[arg-type]
    with beside(replace(bad, timeouts=Timeouts(tarpit=60))) as (relay, bystander):
        threads = [threading.Thread(target=talk) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: relay.relay.stats()["services"]["bad"]["refused"].get("denied", 0) == 4)
        bystander.goes_on(50)
        assert relay.relay.stats()["memory"] <= 1 << 20
        stop.set()
        for thread in threads:
            thread.join()


def test_only_so_many_refused_ones_are_held() -> None:
    count, held = 4300, 4096
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * count + 3000:
        pytest.skip(f"{hard} open files are too few for {count} connections with both ends here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        bad = service(door := free_port(), 1, "bad", deny=(BAD,), limits=Limits(refusal="silent"))
        with beside(replace(bad, timeouts=Timeouts(tarpit=60))) as (relay, bystander), ExitStack() as guests:
            for _ in range(count):
                guests.enter_context(guest(door))
            wait_for(lambda: relay.relay.stats()["services"]["bad"]["refused"]["denied"] == count)
            bystander.goes_on()
            assert held <= relay.relay.stats()["connections"] <= held + 2
            assert relay.relay.stats()["services"]["bad"]["connections"] == 0
            guests.close()
            wait_for(lambda: relay.relay.stats()["connections"] <= 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_backends_that_refuse_hang_or_vanish() -> None:
    def vanish(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"z" * 100_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with server(vanish) as gone, socket.create_server((LOCAL, 0), backlog=0) as deaf, ExitStack() as full:
        hanging = deaf.getsockname()[1]
        # Its backlog is full, so that it answers nobody any more.
        for _ in range(4):
            filler = full.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((LOCAL, hanging))
        times = Timeouts(connect=1.0)
        doors = {name: free_port() for name in ("refuses", "hangs", "vanishes")}
        behind = {"refuses": free_port(), "hangs": hanging, "vanishes": gone}
        bad = [service(doors[name], behind[name], name, timeouts=times) for name in doors]
        with beside(*bad) as (relay, bystander), ExitStack() as guests:
            for _ in range(30):
                for door in doors.values():
                    with contextlib.suppress(ConnectionResetError):
                        guests.enter_context(guest(door)).sendall(b"x")
            bystander.goes_on()
            wait_for(lambda: all(open_now(relay, name) == 0 for name in doors))
            wait_for(lambda: len([row for row in relay.events("close") if row["service"] != "good"]) == 90)
            causes = {
                name: {row["cause"] for row in relay.events("close") if row["service"] == name}
                for name in doors
            }
            assert causes["refuses"] == {"connect_refused"}
            assert causes["hangs"] == {"connect_timeout"}
            assert causes["vanishes"] <= {"backend_reset"}
            services = relay.relay.stats()["services"]
            assert {services[name]["total"] for name in doors} == {30}


def test_a_target_that_hangs_is_left_for_one_that_answers() -> None:
    with (
        server(answer) as backend,
        socket.create_server((LOCAL, 0), backlog=0) as deaf,
        ExitStack() as full,
    ):
        for _ in range(4):
            filler = full.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        targets = tuple((Address(LOCAL, port), 1) for port in (deaf.getsockname()[1], backend))
        made = service(door := free_port(), backend, "two", timeouts=Timeouts(connect=0.3))
        with beside(replace(made, backends=(Backend("backend", targets),))) as (relay, _):
            for _ in range(10):
                with socket.create_connection((LOCAL, door), 20) as client:
                    client.sendall(b"x")
                    assert client.recv(10)
            wait_for(lambda: len([row for row in relay.events("connect") if row["service"] == "two"]) >= 10)
            late = [row for row in relay.events("connect") if row["cause"] == "connect_timeout"]
            assert len(late) <= 2, "it rests once it was found out"


def test_a_reader_of_events_that_is_late(tmp_path: Path) -> None:
    """Nobody takes rows: they are dropped and counted, memory is bounded, connections go on."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    with server(answer) as backend:
        services = (
            service(door := free_port(), backend, "all", excerpts=Excerpts(hex=True)),
            service(good := free_port(), backend, "good"),
        )
        relay = Running(Plan(services))
        before = resident()
        with Bystander(good) as bystander, socket.create_connection((LOCAL, door), 20) as client:
            # As much as would fill the queue several times.
            for _ in range(400_000):
                client.sendall(b"q" * 1000)
                if not relay.relay.stats()["dropped"]:
                    client.recv(1 << 20)
                    continue
                break
            bystander.goes_on()
            stats = relay.relay.stats()
            assert stats["dropped"] > 0
            assert resident() - before < 400_000_000
        with relay:
            taken = len(relay.table("relay"))
            assert taken > 0
            assert relay.relay.stats()["services"]["good"]["total"] == bystander.rounds + 1
