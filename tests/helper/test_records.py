"""Records of processes from one end to the other: in order, bounded, nobody waits."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from helpers import wait_for
from tidegate.helper.records import Receiver, Record, Sender, messages


class Asker:
    """Knows nothing beside."""

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None, remote_port: int
    ) -> list[Record]:
        return []

    def state(self) -> dict[str, Any]:
        return {"refused": [["bpf", "no"]], "stats": {"events": 1}}


class Source:
    """Gives what it is told to give."""

    method = "tracepoint"
    refused: Sequence[tuple[str, str]] = ()
    stats: Mapping[str, int] = MappingProxyType({})

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[Record]:
        return []

    def __init__(self, *polls: Sequence[Record]) -> None:
        self._polls = list(polls)
        self.empty = threading.Event()
        self.stopped = threading.Event()

    def poll(self, timeout: float) -> Sequence[Record]:
        if self._polls:
            return self._polls.pop(0)
        self.empty.set()
        self.stopped.wait(timeout)
        return []

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield here, there
    here.close()
    there.close()


def test_they_arrive_in_order_and_as_they_were(ends: tuple[socket.socket, socket.socket]) -> None:
    first: list[Record] = [("exec", 7, "süß", None, 1.5, True), ("exit", 7)]
    second: list[Record] = [(n, "x" * 100) for n in range(2000)]
    sender = Sender(Source(first, second), ends[0])
    receiver = Receiver(ends[1], sender.method, Asker())
    received: list[Record] = []
    wait_for(lambda: received.extend(receiver.poll(0.1) or ()) or len(received) == 2002)
    assert received == first + second
    assert (receiver.method, receiver.dropped) == ("tracepoint", 0)
    sender.close()


def test_bytes_come_as_text_that_can_be_turned_back(ends: tuple[socket.socket, socket.socket]) -> None:
    sender = Sender(Source([(b"/bin/\xff", "\ud800")]), ends[0])
    receiver = Receiver(ends[1], sender.method, Asker())
    assert receiver.poll(10) == [("/bin/\udcff", "\ud800")]
    sender.close()


def test_the_number_of_lost_ones_comes_with_the_next(ends: tuple[socket.socket, socket.socket]) -> None:
    full = threading.Event()

    class Slow(Source):
        def poll(self, timeout: float) -> Sequence[Record]:
            return super().poll(timeout) if not self.empty.is_set() or full.wait(timeout) else []

    source = Slow([(n, "x" * 1000) for n in range(20_000)], [])
    sender = Sender(source, ends[0])
    receiver = Receiver(ends[1], sender.method, Asker())
    assert source.empty.wait(30)
    got = len(receiver.poll(0) or ())
    assert 0 < got < 20_000, "the sender waits for nobody"
    source._polls.append([("after",)])
    full.set()
    lost, after = receiver.poll(10) or ()
    assert (lost[0], lost[2], after) == ("lost", 20_000 - got, ("after",))
    assert receiver.stats == {"events": 1, "helper_dropped": 20_000 - got}
    assert receiver.refused == [("bpf", "no")]
    sender.close()


def test_it_ends_with_its_helper(ends: tuple[socket.socket, socket.socket]) -> None:
    receiver = Receiver(ends[1], "scan", Asker())
    ends[0].close()
    assert receiver.poll(30) is None
    assert receiver.over
    assert receiver.poll(30) is None


def test_pieces_are_bounded() -> None:
    pieces = list(messages([("x" * 30_000,)] * 5))
    assert [count for _, count in pieces] == [1] * 5
    assert list(messages([])) == []
