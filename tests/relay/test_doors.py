"""Who comes in, where they go, and how it ends: doors, limits, rules, reload, drain."""

import contextlib
import hashlib
import resource
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from helpers import free_port, receive, wait_for
from relays import LOCAL, Running, Serve, server, service
from tidegate import _core
from tidegate.relay.plan import Address, Backend, Door, Excerpts, Limits, Plan, Rule, Service, Timeouts


def named(name: bytes) -> Serve:
    """A server that says its name and what it heard first."""

    def serve(connection: socket.socket) -> None:
        heard = connection.recv(1 << 16)
        connection.sendall(name + b" " + heard)

    return serve


def hold(connection: socket.socket) -> None:
    """A server that waits for its client to leave."""
    receive(connection)


def ask(port: int, *pieces: bytes, pause: float = 0.05) -> bytes:
    """What comes back for this, said in pieces."""
    with socket.create_connection((LOCAL, port), 20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
            time.sleep(pause if len(pieces) > 1 else 0)
        return receive(client)


def test_rules_choose_by_first_bytes_even_in_pieces() -> None:
    with server(named(b"web")) as web, server(named(b"ssh")) as ssh, server(named(b"other")) as other:
        backends = tuple(
            Backend(name, ((Address(LOCAL, port), 1),))
            for name, port in (("web", web), ("ssh", ssh), ("other", other))
        )
        door = free_port()
        made = replace(
            service(door, other),
            backends=backends,
            default="other",
            rules=(
                Rule("http", "web", services=("http",)),
                Rule("ssh", "ssh", pattern=rb"^SSH-2\.0-"),
                Rule("worm", None, pattern=b"evil", refusal="reset"),
            ),
            timeouts=Timeouts(first_byte=0.3, detect=0.5),
            excerpts=Excerpts(per_direction=6),
        )
        with Running(Plan((made,))) as relay:
            assert (
                ask(door, b"GE", b"T / HTTP/1.1\r\nHost: a\r\n\r\n")
                == b"web GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            assert ask(door, b"SSH-", b"2.0-x\r\n") == b"ssh SSH-2.0-x\r\n"
            assert ask(door, b"neither of them\n") == b"other neither of them\n"
            with pytest.raises(ConnectionResetError):
                ask(door, b"something evil this way comes")
            # Who says nothing goes to the default, and harms nobody else.
            with socket.create_connection((LOCAL, door), 10) as silent:
                assert ask(door, b"SSH-2.0-y\r\n") == b"ssh SSH-2.0-y\r\n"
                wait_for(lambda: len(relay.events("connect")) == 5)
                silent.sendall(b"late")
                assert receive(silent) == b"other late"
            relay.causes(6)
            detect = {row["connection_id"]: row for row in relay.events("detect")}
            assert [row["rule"] for row in detect.values()][:4] == ["http", "ssh", None, "worm"]
            assert (
                detect[1]["payload"] == "GET / " and detect[1]["size"] > 6 and detect[1]["protocol"] == "http"
            )
            assert 0.3 <= detect[5]["detect_duration"] < 3 or 0.3 <= detect[6]["detect_duration"] < 3
            assert {row["relay_rule"] for row in relay.table("conn")} == {"http", "ssh", None, "worm"}


def test_a_limit_of_n_admits_n_under_concurrent_arrivals() -> None:
    def try_one(_: int) -> socket.socket | None:
        client = socket.create_connection((LOCAL, door), 20)
        client.sendall(b"x")
        try:
            if client.recv(1):
                return client
        except ConnectionResetError:
            pass
        client.close()
        return None

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"!")
        receive(connection)

    with server(greet) as backend:
        door = free_port()
        plan = Plan((service(door, backend, limits=Limits(connections=7)),), threads=2)
        with Running(plan) as relay, ThreadPoolExecutor(40) as pool:
            for _ in range(3):
                got = [client for client in pool.map(try_one, range(40)) if client]
                assert len(got) == 7
                assert relay.relay.stats()["services"]["test"]["connections"] == 7
                for client in got:
                    client.close()
                wait_for(lambda: relay.relay.stats()["connections"] == 0)
            assert sum(relay.relay.stats()["services"]["test"]["refused"].values()) == 3 * 33
            wait_for(lambda: len(relay.events("refused")) == 99)


def test_those_beyond_a_limit_wait_in_the_backlog_if_asked_to() -> None:
    with server(named(b"served")) as backend:
        door = free_port()
        plan = Plan((service(door, backend, limits=Limits(connections=2, refusal="wait")),), threads=2)
        with Running(plan) as relay:
            first = [socket.create_connection((LOCAL, door), 20) for _ in range(2)]
            wait_for(lambda: relay.relay.stats()["connections"] == 2)
            third = socket.create_connection((LOCAL, door), 20)
            third.sendall(b"me")
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(1)
            assert relay.relay.stats()["connections"] == 2
            first.pop().close()
            third.settimeout(20)
            assert receive(third) == b"served me"
            for client in (*first, third):
                client.close()


def test_a_flood_of_refused_ones_delays_nobody() -> None:
    with server(named(b"served")) as backend:
        denied = replace(service(bad := free_port(), backend, "bad"), deny=("127.0.0.0/8",))
        plan = Plan((denied, service(good := free_port(), backend, "good")))
        stop = threading.Event()

        def flood() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError), socket.create_connection((LOCAL, bad), 5) as client:
                    client.recv(1)

        with Running(plan) as relay:
            threads = [threading.Thread(target=flood) for _ in range(8)]
            for thread in threads:
                thread.start()
            wait_for(lambda: relay.relay.stats()["services"]["bad"]["refused"].get("denied", 0) > 200)
            began = time.monotonic()
            assert [ask(good, b"x") for _ in range(50)] == [b"served x"] * 50
            assert time.monotonic() - began < 5
            stop.set()
            for thread in threads:
                thread.join()


def test_who_is_rejected_is_ended_and_refused_until_released() -> None:
    with server(hold) as backend, Running(Plan((service(door := free_port(), backend),))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            wait_for(lambda: relay.relay.stats()["services"]["test"]["total"] == 1)
            assert relay.relay.reject(LOCAL) and not relay.relay.reject(LOCAL)
            assert receive(client) == b""
        assert relay.causes(1) == ["rejected"]
        with socket.create_connection((LOCAL, door), 10) as client:
            assert receive(client) == b""
        assert relay.causes(1, "refused") == ["rejected"]
        assert relay.relay.rejected() == [LOCAL]
        assert relay.relay.release(LOCAL)
        with socket.create_connection((LOCAL, door), 10) as client:
            wait_for(lambda: relay.relay.stats()["connections"] == 1)
            [live] = relay.relay.connections(10)
            relay.relay.kill(live["id"])
            assert receive(client) == b""
        assert relay.causes(2) == ["rejected", "killed"]


def test_a_port_that_is_taken_is_named_and_tried_again() -> None:
    with server(named(b"served")) as backend, socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
        services = (
            service(port, backend, "taken", listen_retry=0.2),
            service(free := free_port(), backend, "free"),
        )
        with Running(Plan(services)) as relay:
            assert ask(free, b"x") == b"served x"
            assert relay.relay.stats()["waiting"] == {f"{LOCAL}:{port}": "Address already in use"}
            wait_for(lambda: len(relay.events("notice")) == 2)
            taken.close()
            wait_for(lambda: not relay.relay.stats()["waiting"])
            assert ask(port, b"x") == b"served x"


def test_reload_keeps_connections_and_listens_anew() -> None:
    with server(named(b"old")) as old, server(named(b"new")) as new:
        one, two = free_port(), free_port()
        with Running(Plan((service(one, old),))) as relay:
            with socket.create_connection((LOCAL, one), 10) as client:
                wait_for(lambda: relay.relay.stats()["services"]["test"]["total"] == 1)
                relay.relay.reload(Plan((service(one, new), service(two, new, "second"))))
                assert ask(two, b"x") == b"new x"
                assert ask(one, b"x") == b"new x"
                client.sendall(b"still here")
                assert receive(client) == b"old still here"
            relay.relay.reload(Plan((service(two, new, "second"),)))
            wait_for(lambda: refuses(one))
            assert relay.relay.stats()["services"]["test"]["total"] == 2
            with pytest.raises(_core.UsageError, match="two services"):
                relay.relay.reload(Plan((service(one, new), service(two, new))))


def refuses(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection((LOCAL, port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # the door was closed while we waited there
    return False


@pytest.mark.parametrize("threads", [1, 2])
def test_drain_ends_five_thousand_connections_within_its_deadline(threads: int) -> None:
    count = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * count - 1000:
        pytest.skip(f"{hard} open files are too few for {count} connections with both ends here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server((LOCAL, 0), backlog=4096)
    backend = listener.getsockname()[1]
    held: list[socket.socket] = []
    clients: list[socket.socket] = []
    try:
        door = free_port()
        # What this test needs itself leaves not much more.
        with Running(Plan((service(door, backend, listen_backlog=4096),), threads=threads)) as relay:
            for _ in range(count if hard > 4 * count else count - 250):
                clients.append(socket.create_connection((LOCAL, door), 10))
                held.append(listener.accept()[0])
            wait_for(lambda: relay.relay.stats()["connections"] == len(clients))
            began = time.monotonic()
            relay.relay.drain(1.0)
            wait_for(lambda: relay.relay.poll(0) is None)
            assert time.monotonic() - began < 5
            assert refuses(door)
    finally:
        listener.close()
        for end in (*clients, *held):
            end.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_drain_waits_for_those_who_end_by_themselves() -> None:
    with (
        server(named(b"served")) as backend,
        Running(Plan((service(door := free_port(), backend),))) as relay,
    ):
        with socket.create_connection((LOCAL, door), 10) as client:
            wait_for(lambda: relay.relay.stats()["services"]["test"]["total"] == 1)
            relay.relay.drain(20)
            wait_for(lambda: refuses(door))
            client.sendall(b"last words")
            assert receive(client) == b"served last words"
        # Who asked whether the door is closed may have come in.
        assert set(relay.causes(1)) == {"fin"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_proxy_headers_are_made_and_believed(version: str) -> None:
    with server(named(b"served")) as backend:
        inner, outer = free_port(), free_port()
        trusting = service(inner, backend, "inner", proxy_from=("127.0.0.0/8",))
        sending = replace(
            service(outer, 1, "outer"),
            backends=(Backend("backend", ((Address(LOCAL, inner), 1),), version),),  # type: ignore[arg-type]
        )
        with Running(Plan((trusting, sending))) as relay:
            with socket.create_connection((LOCAL, outer), 10) as client:
                own = client.getsockname()[1]
                client.sendall(b"hello")
                assert receive(client) == b"served hello"
            relay.causes(2)
            [accept] = [row for row in relay.events("accept") if row["service"] == "inner"]
            assert (accept["client_port"], accept["server_port"]) == (own, outer)
            # Whoever is trusted and sends none is not let in.
            assert ask(inner, b"GET / HTTP/1.1\r\n\r\n") == b""
            assert relay.causes(3)[-1] == "proxy_header"


def test_refused_ones_may_be_held() -> None:
    with server(hold) as backend:
        held = Timeouts(tarpit=0.5)
        silent = service(door := free_port(), backend, deny=("127.0.0.1",), timeouts=held,
                         limits=Limits(refusal="silent"))  # fmt: skip
        reset = service(other := free_port(), backend, "reset", deny=("127.0.0.1",),
                        limits=Limits(refusal="reset"))  # fmt: skip
        with Running(Plan((silent, reset))) as relay:
            began = time.monotonic()
            with socket.create_connection((LOCAL, door), 10) as client:
                client.sendall(b"anybody there?")
                with contextlib.suppress(ConnectionResetError):
                    assert receive(client) == b""
            assert time.monotonic() - began > 0.4
            with pytest.raises(ConnectionResetError):
                ask(other, b"x")
            assert relay.causes(2, "refused") == ["denied", "denied"]


def test_wide_doors_show_the_port_that_was_called() -> None:
    with server(named(b"served")) as backend:
        ports = sorted({free_port() for _ in range(4)})
        doors = (Door("0.0.0.0", tuple((port, port) for port in ports)),)
        with Running(Plan((replace(service(1, backend), doors=doors),))) as relay:
            # Somebody else's connection may have one of them for a moment.
            wait_for(lambda: not relay.relay.stats()["waiting"])
            for port in ports:
                assert ask(port, b"x") == b"served x"
            relay.causes(len(ports))
            assert [row["server_port"] for row in relay.events("accept")] == ports
            assert {row["server_ip"] for row in relay.events("accept")} == {LOCAL}


def test_open_sockets_may_be_handed_in() -> None:
    with server(named(b"served")) as backend:
        with socket.create_server((LOCAL, 0)) as mine:
            port = mine.getsockname()[1]
            door = Door(LOCAL, ((port, port),), fds=((port, mine.fileno()),))
            plan = Plan((replace(service(port, backend), doors=(door,)),))
            relay = Running(plan)
        with relay:
            assert ask(port, b"x") == b"served x"


def test_a_connection_of_the_callers_own_is_carried() -> None:
    with server(named(b"served")) as backend:
        bare = Service("bare", (), (Backend("backend", ((Address(LOCAL, backend), 1),)),), "backend")
        with Running(Plan((bare,))) as relay:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    number = relay.relay.adopt("bare", theirs.fileno())
                ours.sendall(b"hello")
                assert receive(ours) == b"served hello"
            assert relay.causes(1) == ["fin"]
            assert [row["connection_id"] for row in relay.events("close")] == [number]


def test_connections_are_spread_over_threads() -> None:
    with server(hold) as backend:
        plan = Plan((service(door := free_port(), backend),), threads=2)
        with Running(plan) as relay, contextlib.ExitStack() as clients:
            for _ in range(20):
                clients.enter_context(socket.create_connection((LOCAL, door), 10))
            wait_for(lambda: len(relay.relay.connections(100)) == 20)
            # Each thread is asked for at most so many.
            assert len(relay.relay.connections(10)) == 10


def test_when_no_more_files_may_be_opened_accepting_pauses() -> None:
    with server(hold) as backend:
        door = free_port()
        with (
            Running(Plan((service(door, backend),), connections=5)) as relay,
            contextlib.ExitStack() as clients,
        ):
            for _ in range(12):
                clients.enter_context(socket.create_connection((LOCAL, door), 10))
            wait_for(lambda: relay.relay.stats()["connections"] == 5)
            wait_for(lambda: len(relay.events("notice")) == 2)
            assert "wait in the backlog" in relay.events("notice")[1]["text"]
            clients.close()
            wait_for(lambda: relay.relay.stats()["services"]["test"]["total"] == 12)
            assert len(relay.events("notice")) == 2, "it is said once a minute"


def test_excerpts_and_hex_keep_what_was_asked_for() -> None:
    with server(named(b"served")) as backend:
        services = (
            service(few := free_port(), backend, "few", excerpts=Excerpts(per_direction=4)),
            service(all_of_it := free_port(), backend, "all", excerpts=Excerpts(hex=True)),
            service(bare := free_port(), backend, "bare", excerpts=Excerpts(reads=True)),
        )
        with Running(Plan(services)) as relay:
            for port in (few, all_of_it, bare):
                assert ask(port, b"\x00\xffhello") == b"served \x00\xffhello"
            relay.causes(3)
            recv = {row["service"]: row for row in relay.events("recv")}
            assert (recv["few"]["payload"], recv["few"]["size"]) == ("\\x00\\xffhe", 7)
            assert recv["few"]["payload_base64"] == "AP9oZQ=="
            assert recv["few"]["sha1"] == hashlib.sha1(b"\x00\xffhe", usedforsecurity=False).hexdigest()
            assert recv["few"]["sha256"] == hashlib.sha256(b"\x00\xffhe").hexdigest()
            assert recv["all"]["payload"] == "\\x00\\xffhello"
            assert (recv["bare"]["payload"], recv["bare"]["size"]) == (None, 7)


def test_bytes_per_second_are_held() -> None:
    def flood(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for _ in range(30):
                connection.sendall(b"z" * 10_000)

    with server(flood) as backend:
        limits = Limits(bytes_per_second=100_000)
        with Running(Plan((service(door := free_port(), backend, limits=limits, read_buffer=16384),))):
            began = time.monotonic()
            with socket.create_connection((LOCAL, door), 30) as client:
                assert len(receive(client)) == 300_000
            assert 1.0 < time.monotonic() - began < 10


def test_a_client_that_resets_while_the_backend_is_called_is_let_go() -> None:
    # An address that nobody answers at (RFC 5737), or that there is no way to.
    with Running(Plan((replace(
        service(door := free_port(), 1),
        backends=(Backend("backend", ((Address("192.0.2.1", 9), 1),)),),
        timeouts=Timeouts(connect=1.0),
    ),))) as relay:  # fmt: skip
        client = socket.create_connection((LOCAL, door), 10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert relay.causes(1)[0] in ("client_reset", "connect_timeout", "unreachable")
        wait_for(lambda: relay.relay.stats()["connections"] == 0)
