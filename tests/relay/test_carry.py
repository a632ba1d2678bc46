"""What the relay carries arrives whole, whoever ends it and in whatever order."""

import contextlib
import hashlib
import socket
import struct
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import free_port, receive, wait_for
from relays import LOCAL, Running, flooding, nginx, program, server, service, started
from tidegate.relay.plan import Address, Backend, Excerpts, Plan, Timeouts

REQUEST = b"GET /page HTTP/1.1\r\nHost: www.example\r\nConnection: close\r\n\r\n"


def test_a_half_closed_client_gets_its_reply() -> None:
    def after_the_end(connection: socket.socket) -> None:
        connection.sendall(b"heard " + receive(connection))

    with server(after_the_end) as backend, Running(Plan((service(door := free_port(), backend),))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            client.sendall(b"all of it")
            client.shutdown(socket.SHUT_WR)
            assert receive(client) == b"heard all of it"
        assert relay.causes(1) == ["fin"]
        [close] = relay.events("close")
        assert (close["up_bytes"], close["down_bytes"]) == (9, 15)


def test_a_half_closed_server_still_hears_its_client() -> None:
    heard = []

    def done_at_once(connection: socket.socket) -> None:
        connection.sendall(b"only this")
        connection.shutdown(socket.SHUT_WR)
        heard.append(receive(connection))

    with server(done_at_once) as backend, Running(Plan((service(door := free_port(), backend),))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            assert receive(client) == b"only this"
            client.sendall(b"and now I")
        assert relay.causes(1) == ["fin"]
        assert heard == [b"and now I"]


@pytest.mark.parametrize("threads", [1, 2])
def test_ten_thousand_short_requests_are_complete(tmp_path: Path, threads: int) -> None:
    def ask(_: int) -> bytes:
        with socket.create_connection((LOCAL, door), 30) as client:
            client.sendall(REQUEST)
            return receive(client).rpartition(b"\r\n\r\n")[2]

    count = 10_000 if threads == 2 else 2_000
    with nginx(tmp_path) as backend:
        plan = Plan((service(door := free_port(), backend, excerpts=Excerpts(256)),), threads=threads)
        with Running(plan) as relay:
            with ThreadPoolExecutor(50) as pool:
                replies = Counter(pool.map(ask, range(count)))
            assert replies == {b"hello\n": count}
            assert set(relay.causes(count)) == {"fin"}
            wait_for(lambda: len(relay.table("http")) == count and len(relay.table("conn")) == count)
            assert {row["status"] for row in relay.table("http")} == {200}
            stats = relay.relay.stats()
            assert (stats["connections"], stats["memory"], stats["dropped"]) == (0, 0, 0)
            assert stats["services"]["test"]["total"] == count
    uids = [{row["uid"] for row in relay.table(name)} for name in ("conn", "http")]
    assert len(uids[0]) == count and uids[0] == uids[1]
    assert Counter(row["type"] for row in relay.table("relay")) == {
        "accept": count, "connect": count, "recv": count, "send": count, "close": count, "notice": 1,
    }  # fmt: skip


def test_replies_of_a_server_that_does_not_listen_are_whole() -> None:
    reply = b"x" * 1400

    def rude(connection: socket.socket) -> None:
        connection.recv(1)
        # What it has not read makes the kernel send a reset behind the reply.
        connection.sendall(reply)

    def ask(_: int) -> int:
        with socket.create_connection((LOCAL, door), 30) as client:
            client.sendall(b"more than it reads")
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(1 << 16):
                    got += piece
            return len(got)

    with (
        server(rude) as backend,
        Running(Plan((service(door := free_port(), backend),))),
        ThreadPoolExecutor(20) as pool,
    ):
        assert Counter(pool.map(ask, range(2000))) == {len(reply): 2000}


def test_a_server_that_speaks_first_and_alone_stays() -> None:
    go = threading.Event()

    def banner(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        go.wait(20)
        connection.sendall(b"still here\r\n")

    timeouts = Timeouts(first_byte=0.2, detect=0.2)
    with (
        server(banner) as backend,
        Running(Plan((service(door := free_port(), backend, timeouts=timeouts),))) as relay,
        socket.create_connection((LOCAL, door), 10) as client,
    ):
        assert client.recv(100) == b"220 ready\r\n"
        wait_for(lambda: relay.relay.connections(1)[0]["idle"] > 0.5)
        go.set()
        assert receive(client) == b"still here\r\n"


@pytest.mark.parametrize("parse", [True, False])
def test_bulk_arrives_as_it_was_sent(parse: bool) -> None:
    block = bytes(range(256)) * 4096
    blocks = 48

    def both_ways(connection: socket.socket) -> None:
        connection.sendall(hashlib.sha256(receive(connection)).digest())
        for _ in range(blocks):
            connection.sendall(block)

    with server(both_ways) as backend:
        plan = Plan((service(door := free_port(), backend, parse=parse),))
        with Running(plan) as relay, socket.create_connection((LOCAL, door), 20) as client:
            for _ in range(blocks):
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)
            reply = receive(client)
            assert reply[:32] == hashlib.sha256(block * blocks).digest()
            assert reply[32:] == block * blocks
            assert relay.causes(1) == ["fin"]
            [conn] = relay.table("conn")
            assert (conn["up_payload"], conn["down_payload"]) == (
                len(block) * blocks,
                len(block) * blocks + 32,
            )
            assert relay.relay.stats()["memory"] == 0


@pytest.mark.parametrize("parse", [True, False])
def test_a_slow_receiver_costs_bounded_memory(parse: bool) -> None:
    with flooding() as (backend, stop):
        plan = Plan((service(door := free_port(), backend, parse=parse, timeouts=Timeouts(write_stall=2)),))
        with Running(plan) as relay, contextlib.ExitStack() as clients:
            for _ in range(20):
                clients.enter_context(socket.create_connection((LOCAL, door), 10))
            # None of them reads: what waits is a buffer each, and they are ended in the end.
            highest = 0
            wait_for(lambda: relay.relay.stats()["memory"] > 0)
            while relay.relay.stats()["connections"]:
                highest = max(highest, relay.relay.stats()["memory"])
            assert 0 < highest <= 20 * 262_144
            stop.set()
            assert relay.causes(20) == ["write_stall"] * 20
            assert relay.relay.stats()["memory"] == 0


def test_many_slow_receivers_share_the_budget() -> None:
    def small(connection: socket.socket) -> None:
        connection.sendall(b"small")

    with flooding() as (backend, stop), server(small) as other:
        services = (service(door := free_port(), backend), service(free := free_port(), other, "other"))
        with Running(Plan(services, memory=1 << 20)) as relay, contextlib.ExitStack() as clients:
            for _ in range(20):
                clients.enter_context(socket.create_connection((LOCAL, door), 10))
            wait_for(lambda: relay.relay.stats()["memory"] > 900_000)
            assert relay.relay.stats()["memory"] <= 1 << 20
            stop.set()
            clients.close()
            wait_for(lambda: relay.relay.stats()["connections"] == 0)
            with socket.create_connection((LOCAL, free), 10) as client:
                assert receive(client) == b"small"


def test_resets_reach_the_other_end() -> None:
    seen: list[bytes | OSError] = []

    def wait(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        try:
            seen.append(connection.recv(10))
        except ConnectionResetError as error:
            seen.append(error)

    def reset(connection: socket.socket) -> None:
        connection.recv(5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with server(wait) as backend, Running(Plan((service(door := free_port(), backend),))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            assert client.recv(5) == b"hello"
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert relay.causes(1) == ["client_reset"]
        wait_for(lambda: seen)
        assert isinstance(seen[0], ConnectionResetError)
        [conn] = relay.table("conn")
        assert (conn["conn_state"], conn["end_reason"], conn["relay_cause"]) == (
            "RSTO",
            "rst",
            "client_reset",
        )

    with server(reset) as backend, Running(Plan((service(door := free_port(), backend),))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            client.sendall(b"hello")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert relay.causes(1) == ["backend_reset"]


def test_a_backend_that_refuses_is_told_and_the_next_one_takes_it(tmp_path: Path) -> None:
    closed = free_port()
    with nginx(tmp_path) as port:
        open_one = service(door := free_port(), port)
        targets = ((Address(LOCAL, closed), 1), (Address(LOCAL, port), 1))
        both = service(second := free_port(), closed, "both")
        both = replace(both, backends=(Backend("backend", targets),))
        none = service(third := free_port(), closed, "none")
        with Running(Plan((open_one, both, none))) as relay:
            for listen in (door, *[second] * 4):
                with socket.create_connection((LOCAL, listen), 10) as client:
                    client.sendall(REQUEST)
                    assert receive(client).endswith(b"hello\n")
            with socket.create_connection((LOCAL, third), 10) as client:
                assert receive(client) == b""
            assert relay.causes(6)[-1] == "connect_refused"
            refused = [row for row in relay.events("connect") if row["cause"] == "connect_refused"]
            assert {row["remote_port"] for row in refused} == {closed}
            # Once found closed it rests, while there is another.
            assert len([row for row in refused if row["service"] == "both"]) <= 1


def test_a_unix_socket_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(100).upper())

    thread = threading.Thread(target=serve)
    thread.start()
    made = service(door := free_port(), 1)
    made = replace(made, backends=(Backend("backend", ((Address(path=path), 1),)),))
    with Running(Plan((made,))) as relay:
        with socket.create_connection((LOCAL, door), 10) as client:
            client.sendall(b"hello")
            assert receive(client) == b"HELLO"
        relay.causes(1)
        assert [row["remote_ip"] for row in relay.events("connect")] == [path]
    thread.join(10)
    listener.close()


def test_real_programs_talk_through_it(tmp_path: Path) -> None:
    echo, tls = free_port(), free_port()
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=www.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    with (
        started(echo, program("socat"), f"TCP-LISTEN:{echo},bind={LOCAL},fork,reuseaddr", "EXEC:cat"),
        started(tls, program("openssl"), "s_server", "-accept", f"{LOCAL}:{tls}", "-key", key,
                "-cert", certificate, "-www", "-quiet"),
    ):  # fmt: skip
        services = (service(one := free_port(), echo, "echo"), service(two := free_port(), tls, "tls"))
        with Running(Plan(services)) as relay:
            said = subprocess.run(
                [program("ncat"), "--no-shutdown", "-i", "2", LOCAL, str(one)],
                input=b"words\n", capture_output=True, timeout=30, check=False,
            )  # fmt: skip
            assert said.stdout == b"words\n"
            page = subprocess.run(
                [program("curl"), "-sk", "--resolve", f"www.example:{two}:{LOCAL}", f"https://www.example:{two}/"],
                capture_output=True, timeout=30, check=False,
            )  # fmt: skip
            assert b"TLSv1.3" in page.stdout
            relay.causes(2)
            [row] = relay.table("tls")
            assert (row["sni"], row["version"]) == ("www.example", "TLSv1.3")
            named = [conn for conn in relay.table("conn") if conn["relay_service"] == "tls"]
            assert [(conn["service"], conn["name"]) for conn in named] == [("tls", "www.example")]
