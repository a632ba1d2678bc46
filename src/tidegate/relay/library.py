"""Services whose connections one's own code serves: listened on, limited, counted and stopped here.

    with Services() as services:
        service = services.add("echo", addresses=100)
        service.listen("127.0.0.1:7777")
        while True:
            with service.accept() as connection:
                connection.sendall(connection.recv())

Everything may be called from any thread.
"""

import json
import logging
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Any, Self

from tidegate.model.ends import parse_address, parse_listen
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.locks import lock_and_condition
from tidegate.model.text import clip, safe_text
from tidegate.relay.connection import Connection, Event, Listener, peer_of, written
from tidegate.relay.times import moment

_log = logging.getLogger("tidegate")

_POLL = 0.25


class ClosedError(TidegateError):
    """The service does not listen, or no longer."""


@dataclass(frozen=True)
class Terms:
    """On what terms a service takes connections; seconds, None is no limit."""

    connections: int | None = None
    """At once; further ones wait in the backlog."""
    addresses: int | None = None
    """Client addresses at once; who is connected already may have more connections."""
    read_timeout: float | None = 600.0
    """A recv or sendall that takes longer raises TimeoutError."""
    max_idle: float | None = 900.0
    """A connection from which nothing was read for so long is closed."""
    close_wait: float = 60.0
    """How long `close` lets connections end by themselves."""
    keepalive: bool = True
    backlog: int = 1024


class Service:
    """A name, a door, and the connections that came through it."""

    def __init__(self, sid: str, terms: Terms | None = None, on_event: Listener | None = None) -> None:
        """`on_event` is called in the thread in which the event happens: it has to be quick."""
        self.sid = sid
        self.terms = terms or Terms()
        self._on_event = on_event
        self._lock, self._changed = lock_and_condition()
        self._open: dict[int, Connection] = {}
        self._addresses: Counter[str] = Counter()
        self._rejected: set[str] = set()
        self._next = 1
        self._accepted = self._refused = 0
        self._read = self._written = 0
        """Of connections that are over, and less what was deducted."""
        self._last_access = 0.0
        self._started: float | None = None
        self._listener: socket.socket | None = None
        self._closing = Flag()
        self._reaper = Thread(target=self._reap, name=f"tidegate-relay-idle-{sid}"[:60])

    def listen(self, address: str) -> str:
        """Listens on "127.0.0.1:7777", ":22" or "[::1]:0"; gives where. Raises UsageError, OSError."""
        if self._listener or self._closing.is_set():
            raise UsageError(f'service "{clip(self.sid, 40)}" listens already, or was closed')
        host, port = _door(address)
        self._listener = _listener(host, port, self.terms.backlog)
        self._started = time.time()
        self._reaper.start()
        return self.address

    @property
    def address(self) -> str:
        """Where it listens; empty where it does not."""
        return written(*self._listener.getsockname()[:2]) if self._listener else ""

    def accept(self, timeout: float | None = None) -> Connection:
        """The next connection that is let in. Raises TimeoutError, and ClosedError at the end."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            self._await_room(until)
            connected = self._take(until)
            made = self._admit(connected)
            if made is not None:
                return made

    def connections(self) -> list[Connection]:
        """Those that are open."""
        with self._lock:
            return list(self._open.values())

    def wrap(self, connected: socket.socket) -> Connection:
        """Counts a connection of your own among those of the service; no limit holds for it."""
        with self._lock:
            made = self._add(connected)
        self._tell(Event("accept", self.sid, made.id, made.remote, self._last_access))
        return made

    def close(self, wait: float | None = None) -> None:
        """Listens no more, lets connections end for `wait` seconds (`terms.close_wait`), then closes them."""
        self._closing.set()
        listener, self._listener = self._listener, None
        if listener:
            listener.close()
            self._reaper.join()
        with self._lock:
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._open, self.terms.close_wait if wait is None else wait)
        for connection in self.connections():
            connection.close("service closed")

    def reject(self, *addresses: str) -> None:
        """Refuses these addresses from now on; raises UsageError for what is none."""
        self._rejected |= {parse_address(address) for address in addresses}

    def release(self, *addresses: str) -> None:
        """Lets them in again."""
        self._rejected -= {parse_address(address) for address in addresses}

    @property
    def rejected(self) -> list[str]:
        """Addresses that are refused."""
        return sorted(self._rejected)

    @property
    def bytes(self) -> tuple[int, int]:
        """Read and written so far, open connections included."""
        with self._lock:
            counts = [connection.counts for connection in self._open.values()]
            return (
                self._read + sum(count.read for count in counts),
                self._written + sum(count.written for count in counts),
            )

    def deduct(self, read: int, written: int) -> None:
        """Takes away what was counted elsewhere meanwhile, so that `bytes` does not grow for ever."""
        with self._lock:
            self._read -= max(read, 0)
            self._written -= max(written, 0)

    def reset(self) -> None:
        """Begins to count bytes, accepted and refused ones anew."""
        self.deduct(*self.bytes)
        with self._lock:
            self._accepted = self._refused = 0

    @property
    def addresses(self) -> list[str]:
        """Client addresses that are connected."""
        with self._lock:
            return sorted(self._addresses)

    @property
    def address_count(self) -> int:
        """How many those are."""
        return len(self._addresses)

    @property
    def connection_count(self) -> int:
        """Connections that are open."""
        return len(self._open)

    @property
    def started_at(self) -> float | None:
        """When it began to listen, seconds since 1970."""
        return self._started

    @property
    def uptime(self) -> float:
        """Seconds since then."""
        return time.time() - self._started if self._started else 0.0

    @property
    def last_access(self) -> float | None:
        """When a client said or wanted something the last time, seconds since 1970."""
        with self._lock:
            times = [self._last_access, *(each.counts.read_at for each in self._open.values())]
        return max(times) or None

    def stats(self) -> dict[str, Any]:
        """All of it, as JSON can say it."""
        read, written_bytes = self.bytes
        return {
            "sid": self.sid,
            "address": self.address,
            "uptime": round(self.uptime, 3),
            "started": moment(self._started) if self._started else None,
            "last_access": moment(self.last_access) if self.last_access else None,
            "connections": self.connection_count,
            "addresses": self.addresses,
            "accepted": self._accepted,
            "refused": self._refused,
            "read_bytes": read,
            "written_bytes": written_bytes,
        }

    def json(self) -> str:
        """The same as text."""
        return json.dumps(self.stats())

    def log_line(self) -> str:
        """The same in one line for a log."""
        said = self.stats()
        return (
            f"service={self.sid} up={self.uptime:.0f}s connections={said['connections']} "
            f"addresses={self.address_count} read={said['read_bytes']} written={said['written_bytes']} "
            f"last={said['last_access'] or '-'}"
        )

    def _await_room(self, until: float | None) -> None:
        most = self.terms.connections
        with self._lock:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            if not self._changed.wait_for(
                lambda: self._closing.is_set() or most is None or len(self._open) < most, left
            ):
                raise TimeoutError("no room for a further connection")

    def _take(self, until: float | None) -> socket.socket:
        """A connection from the backlog, looking now and then whether the service was closed."""
        while True:
            listener = self._listener
            if listener is None or self._closing.is_set():
                raise ClosedError(f'service "{safe_text(clip(self.sid, 40))}" does not listen')
            left = _POLL if until is None else min(until - time.monotonic(), _POLL)
            try:
                listener.settimeout(max(left, 0.0))
                return listener.accept()[0]
            except (TimeoutError, BlockingIOError):
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError("nobody came") from None
            except OSError:
                if not self._closing.is_set():
                    raise

    def _admit(self, connected: socket.socket) -> Connection | None:
        ip, port = peer_of(connected)
        with self._lock:
            cause = self._reason(ip)
            made = None if cause else self._add(connected)
            self._refused += made is None
        if made is None:
            connected.close()
        kind, number = ("accept", made.id) if made else ("refuse", 0)
        self._tell(Event(kind, self.sid, number, written(ip, port), time.time(), cause=cause))
        return made

    def _reason(self, ip: str) -> str:
        """Why it is not let in; empty if it is."""
        terms = self.terms
        if not ip or self._closing.is_set():
            return "gone" if not ip else "closing"
        if ip in self._rejected:
            return "rejected"
        if (
            terms.addresses is not None
            and ip not in self._addresses
            and len(self._addresses) >= terms.addresses
        ):
            return "addresses"
        full = terms.connections is not None and len(self._open) >= terms.connections
        return "connections" if full else ""

    def _add(self, connected: socket.socket) -> Connection:
        connected.settimeout(self.terms.read_timeout)
        if connected.family != getattr(socket, "AF_UNIX", None):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(self.terms.keepalive))
        local = self.address or "-"
        made = Connection(connected, self._next, self.sid, local, self._tell, self._forget)
        self._next += 1
        self._accepted += 1
        self._open[made.id] = made
        self._addresses[made.remote_ip] += 1
        self._last_access = time.time()
        return made

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._open.pop(connection.id, None)
            self._addresses[connection.remote_ip] -= 1
            if self._addresses[connection.remote_ip] <= 0:
                del self._addresses[connection.remote_ip]
            self._read += connection.counts.read
            self._written += connection.counts.written
            self._last_access = max(self._last_access, connection.counts.read_at)
            self._changed.notify_all()

    def _reap(self) -> None:
        """Closes what is idle for too long, until the service is closed."""
        while not self._closing.wait(_POLL):
            for connection in self.connections():
                if self.terms.max_idle is not None and connection.idle > self.terms.max_idle:
                    connection.close("idle")

    def _tell(self, event: Event) -> None:
        if self._on_event:
            self._on_event(event)


class Services:
    """Services by their names, closed together."""

    def __init__(self) -> None:
        self._services: dict[str, Service] = {}

    def add(self, sid: str, *, on_event: Listener | None = None, **terms: Any) -> Service:
        """A new one, on these terms (see `Terms`); raises UsageError where there is one of the name."""
        if sid in self._services:
            raise UsageError(f'there is a service "{clip(sid, 40)}" already')
        made = self._services[sid] = Service(sid, Terms(**terms), on_event)
        return made

    def get(self, sid: str) -> Service | None:
        """The one of the name."""
        return self._services.get(sid)

    def __getitem__(self, sid: str) -> Service:
        return self._services[sid]

    def __iter__(self) -> Iterator[Service]:
        return iter(list(self._services.values()))

    def __len__(self) -> int:
        return len(self._services)

    def remove(self, sid: str, wait: float | None = None) -> None:
        """Closes it and forgets it; no mistake where there is none."""
        if service := self._services.pop(sid, None):
            service.close(wait)

    def shutdown(self, wait: float | None = None) -> None:
        """Closes all of them, at the same time."""
        threads = [
            Thread(target=service.close, args=(wait,), name=f"tidegate-relay-close-{service.sid}"[:60])
            for service in self
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(0.0 if error else None)


def _door(address: str) -> tuple[str, int]:
    """Host and port; port 0 is any that is free."""
    host, _, port = address.strip().rpartition(":")
    if port == "0":
        return host.strip("[]"), 0
    door = parse_listen(address)
    if len(door.ports) != 1 or door.ports[0][0] != door.ports[0][1]:
        raise UsageError(
            f'"{clip(address, 60)}" is more than one port: listen with a service each, or with Relay'
        )
    return door.host, door.ports[0][0]


def _listener(host: str, port: int, backlog: int) -> socket.socket:
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=backlog)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True)
    return socket.create_server(("", port), backlog=backlog)
