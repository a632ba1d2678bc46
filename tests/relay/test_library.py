"""The library: services of one's own, with real sockets."""

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from helpers import wait_for
from tidegate import relay
from tidegate.model.errors import UsageError
from tidegate.relay import ClosedError, Connection, Event, Service, Services, Terms


@pytest.fixture
def services() -> Iterator[Services]:
    made = Services()
    yield made
    made.shutdown(0)


def call(service: Service, source: str = "127.0.0.1") -> socket.socket:
    host, _, port = service.address.rpartition(":")
    return socket.create_connection((host, int(port)), 10, source_address=(source, 0))


def pair(service: Service, source: str = "127.0.0.1") -> tuple[socket.socket, Connection]:
    client = call(service, source)
    return client, service.accept(10)


def test_everything_public_is_there() -> None:
    assert all(hasattr(relay, name) for name in relay.__all__)


def test_bytes_are_counted_live_and_after_the_end(services: Services) -> None:
    service = services.add("echo")
    assert service.listen("127.0.0.1:0") == service.address
    client, connection = pair(service)
    client.sendall(b"hello")
    connection.sendall(connection.recv() + b"!")
    assert client.recv(100) == b"hello!"
    assert service.bytes == (5, 6)
    connection.close()
    assert service.bytes == (5, 6)
    service.deduct(2, 6)
    assert service.bytes == (3, 0)
    service.reset()
    assert service.bytes == (0, 0)
    client.close()


def test_addresses_and_connections_are_known_while_they_are_there(services: Services) -> None:
    service = services.add("x")
    service.listen("127.0.0.1:0")
    one, first = pair(service)
    two, second = pair(service, "127.0.0.2")
    assert service.addresses == ["127.0.0.1", "127.0.0.2"]
    assert (service.address_count, service.connection_count) == (2, 2)
    assert [each.id for each in service.connections()] == [1, 2]
    first.close()
    first.close()
    assert service.addresses == ["127.0.0.2"]
    assert second.label == f"127.0.0.2:{two.getsockname()[1]} <-> {service.address}"
    assert service.uptime >= 0
    assert service.last_access is not None
    for each in (one, two):
        each.close()


def test_a_limit_of_addresses_admits_so_many_and_known_ones(services: Services) -> None:
    service = services.add("x", addresses=1)
    service.listen("127.0.0.1:0")
    pairs = [pair(service)]
    stranger = call(service, "127.0.0.2")
    known = call(service)
    pairs.append((known, service.accept(10)))
    assert stranger.recv(1) == b""
    assert service.addresses == ["127.0.0.1"]
    assert service.stats()["refused"] == 1
    for client, _ in pairs:
        client.close()
    stranger.close()


def test_a_limit_of_connections_leaves_others_waiting(services: Services) -> None:
    service = services.add("x", connections=1)
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    waiting = call(service)
    with pytest.raises(TimeoutError):
        service.accept(0.05)
    connection.close()
    other = service.accept(10)
    assert other.remote_port == waiting.getsockname()[1]
    client.close()
    waiting.close()


def test_rejected_addresses_are_refused_until_released(services: Services) -> None:
    told: list[Event] = []
    service = services.add("x", on_event=told.append)
    service.listen("127.0.0.1:0")
    service.reject("127.0.0.2", "2001:db8::1")
    refused = call(service, "127.0.0.2")
    client, _ = pair(service)
    assert refused.recv(1) == b""
    assert [(event.type, event.cause) for event in told] == [("refuse", "rejected"), ("accept", "")]
    service.release("127.0.0.2")
    assert service.rejected == ["2001:db8::1"]
    with pytest.raises(UsageError, match="one address"):
        service.reject("192.0.2.0/24")
    client.close()
    refused.close()


def test_a_callback_hears_every_event(services: Services) -> None:
    told: list[Event] = []
    service = services.add("x", on_event=told.append)
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    client.sendall(b"a")
    with connection:
        connection.sendall(connection.recv())
    assert [(event.type, event.connection_id, event.data) for event in told] == [
        ("accept", 1, b""), ("recv", 1, b"a"), ("send", 1, b"a"), ("close", 1, b""),
    ]  # fmt: skip
    assert told[-1].remote == f"127.0.0.1:{client.getsockname()[1]}"
    client.close()


def test_an_idle_connection_is_closed(services: Services) -> None:
    told: list[Event] = []
    service = services.add("x", on_event=told.append, max_idle=0.05)
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    wait_for(lambda: connection.closed)
    assert client.recv(1) == b""
    assert told[-1].cause == "idle"
    assert connection.idle >= 0.05
    client.close()


def test_a_read_that_takes_too_long_ends(services: Services) -> None:
    service = services.add("x", read_timeout=0.05)
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    with pytest.raises(TimeoutError):
        connection.recv()
    client.close()


def test_a_connection_of_ones_own_is_counted(services: Services) -> None:
    service = services.add("x")
    ours, theirs = socket.socketpair()
    connection = service.wrap(ours)
    connection.sendall(b"abc")
    assert theirs.recv(10) == b"abc"
    assert service.bytes == (0, 3)
    assert service.connection_count == 1
    theirs.close()


def test_closing_waits_for_connections_and_not_for_ever(services: Services) -> None:
    service = services.add("x")
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    waiter = threading.Thread(target=service.close, args=(30.0,), name="closer")
    waiter.start()
    with pytest.raises(ClosedError):
        service.accept()
    assert not connection.closed
    connection.close()
    waiter.join(10)
    assert not waiter.is_alive()
    client.close()

    other = services.add("y")
    other.listen("127.0.0.1:0")
    client, connection = pair(other)
    other.close(0)
    assert connection.closed
    client.close()


def test_stats_are_json_and_a_line(services: Services) -> None:
    service = services.add("x")
    service.listen("127.0.0.1:0")
    client, connection = pair(service)
    said = json.loads(service.json())
    assert (said["sid"], said["connections"], said["addresses"]) == ("x", 1, ["127.0.0.1"])
    assert json.loads(connection.json())["label"] == connection.label
    assert "connections=1" in service.log_line()
    assert connection.label in connection.log_line()
    client.close()


def test_services_are_found_listed_and_removed(services: Services) -> None:
    made = services.add("a")
    services.add("b")
    assert services["a"] is services.get("a") is made
    assert services.get("c") is None
    assert [service.sid for service in services] == ["a", "b"]
    with pytest.raises(UsageError, match="already"):
        services.add("a")
    services.remove("a")
    services.remove("a")
    assert len(services) == 1


@pytest.mark.parametrize("address", ["127.0.0.1:1-5", "x y:1", "unix:/x", ""])
def test_what_cannot_be_listened_on_is_refused(services: Services, address: str) -> None:
    with pytest.raises(UsageError):
        services.add("x").listen(address)


def test_listening_twice_or_after_the_end_is_refused() -> None:
    service = Service("x", Terms())
    service.listen("[::1]:0")
    assert service.address.startswith("[::1]:")
    for _ in range(2):
        with pytest.raises(UsageError):
            service.listen("127.0.0.1:0")
        service.close(0)


def test_an_interrupted_accept_leaves_no_lock_taken(services: Services) -> None:
    class Struck(Exception):
        pass

    def strike(_number: int, _frame: object) -> None:
        raise Struck

    def contend() -> None:
        while not over.is_set():
            service.connections()

    service = services.add("trap")
    service.listen("127.0.0.1:0")
    over = threading.Event()
    threads = [threading.Thread(target=contend, name="contender") for _ in range(3)]
    before = signal.signal(signal.SIGPROF, strike)
    for thread in threads:
        thread.start()
    for _ in range(300):
        with contextlib.suppress(Struck):
            signal.setitimer(signal.ITIMER_PROF, 0.0007)
            while True:
                with contextlib.suppress(TimeoutError):
                    service.accept(0.0)
    signal.signal(signal.SIGPROF, before)
    over.set()
    # This thread is in no call, so another one gets the lock; if not, it is given back for the test to end.
    asking = threading.Thread(target=service.connections, name="asking")
    asking.start()
    asking.join(5)
    taken = asking.is_alive()
    with contextlib.suppress(RuntimeError):
        while taken:
            service._lock.release()
    asking.join()
    for thread in threads:
        thread.join()
    assert not taken
