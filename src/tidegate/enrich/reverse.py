"""Names of addresses from the name server (PTR): asked for by a thread of its own, never waited for.

The library is dnspython, its one door here: unlike the system's resolver it can be told how long a question
may take, so that closing takes no longer than that.
"""

import time
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import NamedTuple

from tidegate.enrich.bounded import Bounded

MOST_ADDRESSES = 16_384
"""Addresses whose answers are remembered: about 400 bytes each."""

MOST_WAITING = 1024
"""Addresses that wait to be asked for; what comes while they are so many is asked for when it comes again."""

KNOWN, UNKNOWN, FAILED = 3600.0, 600.0, 60.0
"""Seconds that an answer counts for: a name, that there is none, that the server did not say."""

_POLL = 0.25

Ask = Callable[[str], bytes | None]
"""Asks for the name of an address: the name, None where there is none; raises OSError if nobody says."""


class Answer(NamedTuple):
    """What the server said, when (nanoseconds UTC), and until when it counts (seconds, monotonic)."""

    text: bytes | None
    ts: int
    until: float


class Said(NamedTuple):
    """A name as the server sent it, and when (nanoseconds UTC)."""

    text: bytes
    ts: int


class ReverseDns:
    """Answers from what is known, and asks for the rest behind the scenes. Close it to end its thread."""

    def __init__(
        self,
        timeout: float,
        ask: Ask | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._ask = ask or name_server(timeout)
        self._clock, self._wall = clock, wall
        self._lock = Lock()
        self._known: Bounded[str, Answer] = Bounded(MOST_ADDRESSES)
        self._waiting: Queue[str] = Queue(MOST_WAITING)
        self._asked: set[str] = set()
        """Those that wait."""
        self.dropped = 0
        """Questions that found no room."""
        self._over = Event()
        self._thread = Thread(target=self._run, name="tidegate-rdns")
        self._thread.start()

    def find(self, ip: str) -> Said | None:
        """The name, if it is known by now."""
        with self._lock:
            answer = self._known.get(ip)
            if answer and self._clock() < answer.until:
                return Said(answer.text, answer.ts) if answer.text else None
            if ip not in self._asked and _is_askable(ip):
                self._enqueue(ip)
        return None

    def close(self) -> None:
        """Ends the thread, after at most the time of one answer."""
        self._over.set()
        self._thread.join()

    def _enqueue(self, ip: str) -> None:
        try:
            self._waiting.put_nowait(ip)
            self._asked.add(ip)
        except Full:
            self.dropped += 1

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                ip = self._waiting.get(timeout=_POLL)
            except Empty:
                continue
            text, lasts = self._asked_for(ip)
            with self._lock:
                self._known.put(ip, Answer(text, self._wall(), self._clock() + lasts))
                self._asked.discard(ip)

    def _asked_for(self, ip: str) -> tuple[bytes | None, float]:
        try:
            text = self._ask(ip)
        except OSError:
            return None, FAILED
        return (text, KNOWN) if text else (None, UNKNOWN)


def _is_askable(ip: str) -> bool:
    address = ip_address(ip)
    return not (address.is_multicast or address.is_unspecified or ip == "255.255.255.255")


def name_server(timeout: float, servers: list[str] | None = None, port: int = 53) -> Ask:
    """Asks the system's name servers, or these, and waits so many seconds for an answer.

    Without any name server every question fails.
    """

    def ask(ip: str) -> bytes | None:
        from dns import exception, resolver, reversename

        try:
            found = resolver.Resolver(configure=servers is None)
            if servers is not None:
                found.nameservers, found.port = servers, port
            found.lifetime = timeout
            answers = found.resolve(reversename.from_address(ip), "PTR", search=False)
            labels = answers[0].target.labels
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return None
        except (exception.DNSException, IndexError) as error:
            raise OSError(str(error)) from None
        return b".".join(label for label in labels if label) or None

    return ask
