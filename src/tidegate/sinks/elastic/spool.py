"""Documents on disk until the server has them: bounded, oldest first, there again after a restart.

    DIR/lock                the one process that uses it
    DIR/000000000001.bulk   documents as they are sent; only grows, goes as a whole
    DIR/cursor              number of a file, and how many bytes of it the server has

A file ends with a whole document at any moment: what a full disk cut off is taken back, and what a power cut
left is passed over and counted.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import Literal

from tidegate.model.errors import TidegateError
from tidegate.sinks.elastic.documents import PREFIX, Document

_SUFFIX = ".bulk"
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


class SpoolError(TidegateError):
    """A directory that cannot be used."""


@dataclass(frozen=True)
class Piece:
    """The oldest documents; `end` is where the next ones begin."""

    documents: list[Document]
    number: int
    end: int
    damaged: int
    """Lines that were no documents."""


class Spool:
    """One thread adds, another one reads and says what is done."""

    def __init__(
        self,
        folder: Path,
        bound: int,
        full: Literal["oldest", "newest"],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Takes over what is there; raises SpoolError. `bound` is in bytes."""
        self._wall = wall
        self._folder = folder
        self._bound = bound
        self._full = full
        self._file_size = min(max(bound // 16, 1 << 16), 16 << 20)
        self._changed = Condition()
        self._sizes: dict[int, int] = {}
        """Bytes of each file, oldest first."""
        self._begun: dict[int, float] = {}
        """When the oldest byte of a file that waits was written (seconds since 1970)."""
        self._latest = 0
        self._offset = 0
        self._fd = -1
        self._closed = False
        self.lost = 0
        """Documents that had to go."""
        self._lock = _locked(folder)
        try:
            self._recover()
        except OSError as error:
            os.close(self._lock)
            raise SpoolError(f"{folder}: {error.strerror or error}") from None

    @property
    def waiting(self) -> int:
        """Bytes that the server does not have yet."""
        return max(sum(list(self._sizes.values())) - self._offset, 0)

    @property
    def lag(self) -> float:
        """How long the oldest file has waited for the server, in seconds; 0 where nothing waits."""
        with self._changed:
            number = next(iter(self._sizes), None)
            begun = self._begun.get(number) if number is not None else None
            return max(self._wall() - begun, 0.0) if begun is not None and self.waiting else 0.0

    def add(self, data: bytes) -> None:
        """Writes whole documents; where there is no room the oldest or these go, and are counted.

        Raises OSError if the disk takes nothing; then nothing of it is written.
        """
        with self._changed:
            while self.waiting + len(data) > self._bound:
                if self._full == "newest" or not self._drop_oldest():
                    self.lost += _count(data)
                    return
            self._append(data)
            self._changed.notify_all()

    def wait(self, enough: int, patience: float) -> bool:
        """Waits for documents, then up to `patience` seconds until they are `enough` bytes. False: ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.waiting or self._closed)
            self._changed.wait_for(lambda: self.waiting >= enough or self._closed, patience)
            return bool(self.waiting)

    def end(self) -> None:
        """No more is added: `wait` waits no longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self, size: int) -> Piece:
        """The oldest documents, about `size` bytes of them, one at least; they stay until `done`.

        Raises OSError. Where there is nothing but damage there is no document.
        """
        with self._changed:
            number, offset = next(iter(self._sizes), 0), self._offset
            if not number:  # what there was had to go meanwhile
                return Piece([], 0, 0, 0)
            end = self._sizes[number]
        try:
            file = self._path(number).open("rb")
        except FileNotFoundError:
            return self._gone(number)
        with file:
            while True:
                wanted = min(size, end - offset)
                file.seek(offset)
                data = file.read(wanted)
                documents, used, damaged = documents_in(data)
                if used:
                    return Piece(documents, number, offset + used, damaged)
                if len(data) < wanted or wanted == end - offset:
                    return Piece([], number, end, 1)
                size *= 2

    def _gone(self, number: int) -> Piece:
        """Somebody removed a file: how many rows were in it nobody knows."""
        with self._changed:
            if number == next(reversed(self._sizes)):
                self._leave()
            self._remove(number)
            self._remember()
            self.lost += 1
        return Piece([], number, 0, 0)

    def done(self, piece: Piece) -> None:
        """The server has them, or never will: they go."""
        with self._changed:
            self.lost += (piece.damaged + 1) // 2
            if piece.number not in self._sizes:  # they went meanwhile, and were counted as lost
                self.lost -= len(piece.documents)
                return
            self._offset = piece.end
            if self._offset >= self._sizes[piece.number]:
                self._begun.pop(piece.number, None)
                if self._is_finished(piece.number):
                    self._remove(piece.number)
            self._remember()

    def close(self) -> None:
        """Lets go of everything; what waits is there at the next start."""
        if self._lock < 0:
            return
        with self._changed:
            self._leave()
            if not self.waiting:
                for number in list(self._sizes):
                    self._remove(number)
                (self._folder / "cursor").unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1

    def _is_finished(self, number: int) -> bool:
        """Whether nothing will be added to a file; the one written to goes when it is worth it."""
        if self._fd >= 0 and number == next(reversed(self._sizes)):
            if self._sizes[number] < 1 << 20:
                return False
            self._leave()
        return True

    def _append(self, data: bytes) -> None:
        if self._fd < 0 or self._sizes[next(reversed(self._sizes))] >= self._file_size:
            self._leave()
            number = next(reversed(self._sizes), self._latest) + 1
            self._fd = os.open(self._path(number), _FLAGS, 0o600)
            self._sizes[number] = 0
            self._latest = number
        number = next(reversed(self._sizes))
        try:
            written = 0
            while written < len(data):
                written += os.write(self._fd, memoryview(data)[written:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._sizes[number])
            raise
        self._sizes[number] += len(data)
        self._begun.setdefault(number, self._wall())

    def _drop_oldest(self) -> bool:
        """Removes the oldest file and counts what the server did not have; False if there is none."""
        number = next(iter(self._sizes), None)
        if number is None:
            return False
        if self._fd >= 0 and number == next(reversed(self._sizes)):
            self._leave()
        with suppress(OSError):
            self.lost += _count_from(self._path(number), self._offset)
        self._remove(number)
        self._remember()
        return True

    def _remove(self, number: int) -> None:
        self._path(number).unlink(missing_ok=True)
        del self._sizes[number]
        self._begun.pop(number, None)
        self._offset = 0

    def _remember(self) -> None:
        number = next(iter(self._sizes), 0)
        beside = self._folder / "cursor.tmp"
        with suppress(OSError):  # a cursor that is behind costs a request more, no document
            beside.write_text(f"{number} {self._offset}\n")
            beside.replace(self._folder / "cursor")

    def _recover(self) -> None:
        found = sorted(
            (int(path.stem), path) for path in self._folder.glob(f"*{_SUFFIX}") if path.stem.isdigit()
        )
        self._latest = found[-1][0] if found else 0
        for number, path in found:
            if size := _whole(path):
                self._sizes[number] = size
                self._begun[number] = path.stat().st_mtime
            else:
                path.unlink()
        number, offset = _cursor(self._folder / "cursor")
        for old in [old for old in self._sizes if old < number]:
            self._remove(old)
        if offset and number in self._sizes:
            self._offset = min(offset, self._sizes[number])
            if self._offset == self._sizes[number]:
                self._remove(number)

    def _leave(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}{_SUFFIX}"


def documents_in(data: bytes) -> tuple[list[Document], int, int]:
    """The whole documents at the beginning of data, how many bytes they are, and how many lines were none."""
    lines = data.split(b"\n")
    found: list[Document] = []
    at = used = damaged = 0
    last = len(lines) - 1  # what follows the last newline is no line
    while at < last:
        action = lines[at]
        if action.startswith(PREFIX) and action.endswith(b'"}}'):
            if at + 1 >= last:
                break
            source = lines[at + 1]
            if source.startswith(b"{") and source.endswith(b"}"):
                found.append(Document(action, source))
                used += len(action) + len(source) + 2
                at += 2
                continue
        damaged += 1
        used += len(action) + 1
        at += 1
    return found, used, damaged


def _whole(path: Path) -> int:
    """The size of a file up to its last newline; what follows is cut off."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        end = size
        while end:
            start = max(end - (1 << 16), 0)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end < size:
            file.truncate(end)
    return end


def _cursor(path: Path) -> tuple[int, int]:
    try:
        number, offset = path.read_text().split()
        return int(number), max(int(offset), 0)
    except (OSError, ValueError):
        return 0, 0


def _count(data: bytes) -> int:
    return data.count(b"\n") // 2


def _count_from(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) // 2


def _locked(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise SpoolError(f"{folder}: {error.strerror or error}; choose another spool") from None
    if not _try_lock(fd):
        os.close(fd)
        raise SpoolError(f"{folder}: another process uses this spool; give each its own")
    return fd


def _try_lock(fd: int) -> bool:
    """Held until the descriptor is closed. Where there is no such lock, nobody holds it."""
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        return True
    lock: Callable[[int, int], None] = flock
    try:
        lock(fd, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
