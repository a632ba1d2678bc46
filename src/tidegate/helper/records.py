"""Records of processes on their way from helper to worker: in order, bounded, never waited for."""

import json
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

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

    def poll(self, timeout: float) -> Sequence[Record]:
        """Records since the last call, after at most `timeout` seconds."""

    def stop(self) -> None:
        """Ends it; a poll that waits returns."""


class Sender:
    """The helper's end: a thread that hands on what the source gives."""

    def __init__(self, source: RecordSource, connection: socket.socket) -> None:
        self.method = str(source.method)
        self._source = source
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
        self._source.stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            for message, count in messages(self._source.poll(_SLICE)):
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
        encoded = json.dumps(record, separators=(",", ":"), default=_text).encode("ascii")
        if piece and size + len(encoded) > _MESSAGE:
            yield b",".join(piece), len(piece)
            piece, size = [], 0
        piece.append(encoded)
        size += len(encoded) + 1
    if piece:
        yield b",".join(piece), len(piece)


class Receiver:
    """The worker's end; itself a source of records."""

    def __init__(self, connection: socket.socket, method: str) -> None:
        self._connection = connection
        self._method = method
        self._lock = threading.Lock()
        self.dropped = 0
        """Records that were lost because they were not polled in time."""
        self.over = False
        """Whether the helper is gone: no more will come."""

    @property
    def method(self) -> str:
        """How they are found."""
        return self._method

    def poll(self, timeout: float) -> list[Record]:
        """Records since the last call, after at most `timeout` seconds; nothing once it is over."""
        records: list[Record] = []
        with self._lock:
            while not self.over and (message := self._receive(0.0 if records else timeout)):
                content = json.loads(message)
                self.dropped = content["dropped"]
                records.extend(tuple(record) for record in content["records"])
        return records

    def stop(self) -> None:
        """Takes no more."""
        self.over = True

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


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)
