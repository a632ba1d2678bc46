"""Records of processes on their way from helper to worker: in order, bounded, never waited for."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tidegate.helper.messages import text_of

Record = tuple[Any, ...]
"""Numbers, text and None; bytes arrive as text, undecodable ones escaped as in file names."""

_MESSAGE = 48 << 10
_BUFFER = 4 << 20
_RECEIVED = 1 << 18
_SLICE = 0.25


class RecordSource(Protocol):
    """What gives records, in the helper or in a process that has the rights itself."""

    @property
    def method(self) -> str:
        """How they are found."""

    @property
    def refused(self) -> Sequence[tuple[str, str]]:
        """Better ways that do not work here, and why."""

    @property
    def stats(self) -> Mapping[str, int]:
        """Counters."""

    def poll(self, timeout: float) -> Sequence[Record] | None:
        """Records since the last call, after at most `timeout` seconds; None when there will be no more."""

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> Sequence[Record]:
        """Records of who holds the socket with these ends now, or listens for them; from any thread."""

    def stop(self) -> None:
        """Ends it; a poll that waits returns."""


class Sender:
    """The helper's end: a thread that hands on what the source gives."""

    def __init__(self, source: RecordSource, connection: socket.socket) -> None:
        self.method = str(source.method)
        self.source = source
        self._connection = connection
        self._connection.setblocking(False)
        _widen(connection)
        self._over = threading.Event()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="tidegate-records")
        self._thread.start()

    def close(self) -> None:
        """Ends source and thread."""
        self._over.set()
        self.source.stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set() and (records := self.source.poll(_SLICE)) is not None:
            for message, count in messages(records):
                self._send(message, count)

    def _send(self, records: bytes, count: int) -> None:
        message = b'{"dropped":%d,"records":[%s]}' % (self._dropped, records)
        try:
            self._connection.send(message)
        except OSError:  # full, too long, or the worker is gone, which the other connection tells
            self._dropped += count


def messages(records: Sequence[Record]) -> Iterator[tuple[bytes, int]]:
    """The records as JSON lists, joined to pieces of bounded size, with the number of each."""
    piece: list[bytes] = []
    size = 0
    for record in records:
        encoded = json.dumps(record, separators=(",", ":"), default=text_of).encode("ascii")
        if piece and size + len(encoded) > _MESSAGE:
            yield b",".join(piece), len(piece)
            piece, size = [], 0
        piece.append(encoded)
        size += len(encoded) + 1
    if piece:
        yield b",".join(piece), len(piece)


class Asker(Protocol):
    """How the worker asks beside."""

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None, remote_port: int
    ) -> list[Record]:
        """As RecordSource.lookup."""

    def state(self) -> dict[str, Any]:
        """`refused` and `stats` of the source."""


class Receiver:
    """The worker's end; itself a source of records, with nothing to tell once the helper is gone."""

    def __init__(self, connection: socket.socket, method: str, asker: Asker) -> None:
        self._connection = connection
        self._method = method
        self._asker = asker
        self._lock = threading.Lock()
        self.dropped = 0
        """Records that were lost because they were not polled in time; a record "lost" tells of them too."""
        self.over = False
        """Whether the helper is gone: no more will come."""

    @property
    def method(self) -> str:
        """How they are found."""
        return self._method

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Better ways that do not work here, and why."""
        return [(str(way), str(why)) for way, why in self._asker.state().get("refused", [])]

    @property
    def stats(self) -> dict[str, int]:
        """Counters of the source, and of what was lost on the way from it."""
        return dict(self._asker.state().get("stats", {})) | {"helper_dropped": self.dropped}

    def poll(self, timeout: float) -> list[Record] | None:
        """Records since the last call, after at most `timeout` seconds; None when there will be no more."""
        records: list[Record] = []
        with self._lock:
            while not self.over and (message := self._receive(0.0 if records else timeout)):
                self._take(json.loads(message), records)
        return records if records or not self.over else None

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[Record]:
        """Records of who holds the socket with these ends now, or listens for them; from any thread."""
        if self.over:
            return []
        return self._asker.lookup(proto, local_ip, local_port, remote_ip, remote_port)

    def stop(self) -> None:
        """Takes no more."""
        self.over = True

    def _take(self, content: dict[str, Any], records: list[Record]) -> None:
        lost = content["dropped"] - self.dropped
        if lost > 0:
            self.dropped += lost
            records.append(("lost", time.time_ns(), lost))
        records.extend(tuple(record) for record in content["records"])

    def _receive(self, timeout: float) -> bytes | None:
        try:
            self._connection.settimeout(timeout)
            message = self._connection.recv(_RECEIVED)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            message = b""
        self.over = self.over or not message
        return message


def _widen(connection: socket.socket) -> None:
    """What waits for the worker; as much as the system lets us have."""
    force = getattr(socket, "SO_SNDBUFFORCE", 32)
    try:
        connection.setsockopt(socket.SOL_SOCKET, force, _BUFFER)
    except OSError:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
