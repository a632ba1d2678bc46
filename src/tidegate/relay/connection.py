"""A socket of one's own that is counted: bytes, times, idleness, and an event for what happens to it."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from types import TracebackType
from typing import Any, Self

from tidegate.relay.times import moment


@dataclass(frozen=True)
class Event:
    """Something that happened to a connection: accept, refuse, recv, send, close."""

    type: str
    service: str
    connection_id: int
    remote: str
    """ "192.0.2.7:41234"."""
    at: float
    """Seconds since 1970."""
    data: bytes = b""
    """What was received or sent."""
    cause: str = ""
    """Why it was refused or closed."""


Listener = Callable[[Event], None]


@dataclass
class Counts:
    """Bytes and times of a connection. Seconds since 1970."""

    read: int = 0
    written: int = 0
    read_at: float = 0.0
    written_at: float = 0.0
    opened: float = field(default_factory=time.time)


class Connection:
    """A connected socket. What it has not, its `socket` has; reads and writes there are not counted."""

    def __init__(
        self,
        connected: socket.socket,
        number: int,
        service: str,
        local: str,
        tell: Listener,
        over: Callable[["Connection"], None],
    ) -> None:
        """Made by `Service.accept` and `Service.wrap`. `over` is called once, when it is closed."""
        self.socket = connected
        self.id = number
        self.service = service
        self.remote_ip, self.remote_port = peer_of(connected)
        self.local = local
        self._tell, self._over = tell, over
        self._lock = Lock()
        self._closed = False
        self.counts = Counts()

    @property
    def remote(self) -> str:
        """ "192.0.2.7:41234"."""
        return written(self.remote_ip, self.remote_port)

    @property
    def label(self) -> str:
        """Both ends: "192.0.2.7:41234 <-> 127.0.0.1:22"."""
        return f"{self.remote} <-> {self.local}"

    @property
    def closed(self) -> bool:
        """Whether it was closed here."""
        return self._closed

    def recv(self, size: int = 65536) -> bytes:
        """Up to so many bytes; none at the end of what the other end sends. Raises OSError."""
        data = self.socket.recv(size)
        if data:
            self.counts.read += len(data)
            self.counts.read_at = time.time()
            self._told("recv", data)
        return data

    def sendall(self, data: bytes) -> None:
        """Sends all of it; raises OSError."""
        self.socket.sendall(data)
        self.counts.written += len(data)
        self.counts.written_at = time.time()
        self._told("send", data)

    def fileno(self) -> int:
        """For select and selectors."""
        return self.socket.fileno()

    @property
    def idle(self) -> float:
        """Seconds since anything was read, or since the beginning."""
        return max(0.0, time.time() - (self.counts.read_at or self.counts.opened))

    def stats(self) -> dict[str, Any]:
        """Bytes and times, as JSON can say them."""
        counts = self.counts
        return {
            "id": self.id,
            "label": self.label,
            "service": self.service,
            "read_bytes": counts.read,
            "written_bytes": counts.written,
            "opened": moment(counts.opened),
            "read_at": moment(counts.read_at) if counts.read_at else None,
            "written_at": moment(counts.written_at) if counts.written_at else None,
            "idle": round(self.idle, 3),
        }

    def json(self) -> str:
        """The same as text."""
        return json.dumps(self.stats())

    def log_line(self) -> str:
        """The same in one line for a log."""
        counts = self.counts
        return (
            f"service={self.service} conn={self.label} read={counts.read} written={counts.written} "
            f"idle={self.idle:.0f}s"
        )

    def close(self, cause: str = "closed") -> None:
        """Closes it, once; safe from any thread, and ends a recv that waits in another one."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._told("close", cause=cause)
        self._over(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _told(self, kind: str, data: bytes = b"", cause: str = "") -> None:
        self._tell(Event(kind, self.service, self.id, self.remote, time.time(), data, cause))


def peer_of(connected: socket.socket) -> tuple[str, int]:
    """Address and port of the other end; of a unix socket its path, of one that is gone nothing."""
    try:
        peer = connected.getpeername()
    except OSError:
        return "", 0
    if not isinstance(peer, tuple):
        return str(peer) or "unix", 0
    return str(peer[0]).removeprefix("::ffff:"), int(peer[1])


def written(ip: str, port: int) -> str:
    """Both as people write them."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" if port else ip
