"""One file of a log: whole lines, rotation, reopening, and patience with a disk that takes nothing.

Everything happens in the caller's thread and never waits. What the file does not take stays in memory,
bounded, and is tried again after 1, 2, 4 … 60 seconds; a line that was cut off by a full disk is taken back,
so that at any moment the file ends with a whole line.
"""

import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tidegate.model.config import LogSettings
from tidegate.model.units import human_bytes
from tidegate.sinks.backlog import Backlog, Backoff
from tidegate.sinks.format import Format
from tidegate.sinks.rotation import shift

log = logging.getLogger(__name__)

MOVED = 5.0
"""Seconds that a renamed file is still written to, unless reopen() comes first: logrotate needs a moment."""

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_MODES = {"owner": 0o600, "group": 0o640}


class LogFile:
    """Appends lines to a file."""

    def __init__(
        self,
        path: Path,
        format: Format,
        settings: LogSettings,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._format = format
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._fd = -1
        self._front = b""
        self._front_done = 0
        self._size = self._lines = 0
        self._period = 0.0
        self._reopen = False
        self._moved: float | None = None
        self._fixed_until = 0.0
        self._backlog = Backlog(settings.buffer)
        self._waits_since: float | None = None
        self._backoff = Backoff()
        self._told = 0
        """Lost lines that were told of."""
        self._go()

    @property
    def lost(self) -> int:
        """Lines that were lost because the file took none and the memory was full."""
        return self._backlog.lost

    @property
    def waiting(self) -> int:
        """Bytes in memory that the file did not take yet."""
        return self._backlog.waiting

    @property
    def lag(self) -> float:
        """Seconds for which something has been waiting for the file."""
        return 0.0 if self._waits_since is None else self._clock() - self._waits_since

    @property
    def failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._backoff.failing

    def write(self, lines: bytes) -> None:
        """Appends whole lines, now or when the file takes them. Never raises for a file that does not."""
        self._backlog.add(lines)
        self._go()
        self._note_wait()

    def tick(self) -> None:
        """Called about once a second: tries again, and rotates when it is time."""
        self._watch()
        self._go()
        self._note_wait()

    def reopen(self) -> None:
        """Opens the path anew before the next line, as after a rename. Safe from a signal handler."""
        self._reopen = True

    def close(self) -> None:
        """Writes what still waits, as far as the file takes it."""
        self._backoff.succeeded()
        self._go()
        self._backlog.give_up()
        if self.lost > self._told:  # with those that found no room before
            name = self._settings.name
            log.warning("log %s: %d lines could not be written to %s", name, self.lost, self.path)
        self._leave()

    def _note_wait(self) -> None:
        if not self._backlog:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = self._clock()

    def _go(self) -> None:
        """Opens, rotates and writes, as far as it goes and is time for it."""
        now = self._clock()
        if not (self._backoff.due(now) or self._reopen):
            return
        try:
            self._ready()
            self._drain()
        except BlockingIOError:  # a pipe that is full: its reader is slow, not gone
            return
        except OSError as error:
            self._take_back()
            if not self._backoff.failing:
                self._say_failing(error)
            self._backoff.failed(now)
            return
        if self._backoff.failing:
            self._backoff.succeeded()
            self._told = self.lost
            log.warning(
                "log %s: writing to %s again; %d lines were lost", self._settings.name, self.path, self.lost
            )

    def _say_failing(self, error: OSError) -> None:
        room = human_bytes(self._settings.buffer)
        why = error.strerror or str(error)
        log.warning(
            "log %s: %s: %s; keeping up to %s in memory and trying again",
            self._settings.name,
            self.path,
            why,
            room,
        )

    def _ready(self) -> None:
        """An open file, that is the one the path names, if asked so."""
        if self._fd >= 0 and (self._reopen or not os.fstat(self._fd).st_nlink):
            self._take_back()
            self._leave()
        if self._fd < 0:
            self._reopen = False
            self._open()

    def _open(self) -> None:
        mode = _MODES[self._settings.readable]
        there = os.path.lexists(self.path)
        fd = os.open(self.path, _FLAGS, mode)
        self._fd = fd
        if not there and hasattr(os, "fchmod"):
            os.fchmod(fd, mode)  # whatever the umask says
        found = os.fstat(fd)
        regular = stat.S_ISREG(found.st_mode)
        self._size = found.st_size if regular else 0
        self._lines = 1 if self._size else 0
        self._moved = None
        self._period = self._period_of(found.st_mtime if self._size else self._wall())
        self._front, self._front_done = self._beginning(), 0

    def _beginning(self) -> bytes:
        """What has to be written before the first line; rotates a file with other columns away."""
        head = self._format.head()
        if not self._size:
            return head
        with self.path.open("rb") as file:
            same = self._format.repeats or file.read(len(head)) == head
            if same and self._settings.rotate_lines:
                file.seek(0)
                self._lines = _line_count(file) - head.count(b"\n")
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"  # somebody was killed in the middle of it
        if not same and self._clock() >= self._fixed_until:
            self._rotate()
            return self._front
        return (b"\n" if torn else b"") + (head if self._format.repeats or not same else b"")

    def _drain(self) -> None:
        while self._backlog:
            if self._is_due():
                self._rotate()
            while self._front_done < len(self._front):
                self._front_done += self._put(self._front, self._front_done, len(self._front))
            piece, offset = self._backlog.first()
            count = self._put(piece, offset, self._end(piece, offset))
            self._lines += piece.count(b"\n", offset, offset + count) if self._settings.rotate_lines else 1
            self._backlog.done(count)
        if self._is_due():
            self._rotate()

    def _put(self, piece: bytes, start: int, end: int) -> int:
        count = os.write(self._fd, memoryview(piece)[start:end])
        self._size += count
        return count

    def _end(self, piece: bytes, start: int) -> int:
        """Up to where it fits into this file: whole lines, one at least."""
        end = len(piece)
        if size := self._settings.rotate_size:
            room = start + max(size - self._size, 0)
            if room < end:
                end = (piece.rfind(b"\n", start, room) + 1) or (piece.find(b"\n", start) + 1)
        if most := self._settings.rotate_lines:
            at = start
            for _ in range(max(most - self._lines, 1)):
                at = piece.find(b"\n", at, end) + 1
                if not at:
                    return end
            end = at
        return end

    def _is_due(self) -> bool:
        """Whether the file is full; one without a line never is."""
        settings = self._settings
        if not self._lines or self._clock() < self._fixed_until or self._backlog.torn():
            return False
        if settings.rotate_lines and self._lines >= settings.rotate_lines:
            return True
        if settings.rotate_time and self._period_of(self._wall()) != self._period:
            return True
        if not settings.rotate_size:
            return False
        following = 0
        if self._backlog:
            piece, start = self._backlog.first()
            following = piece.find(b"\n", start) + 1 - start
        return self._size + following > settings.rotate_size

    def _period_of(self, moment: float) -> float:
        length = self._settings.rotate_time
        return moment // length if length else 0.0

    def _rotate(self) -> None:
        """Moves the file away and begins anew; goes on with it for a while where it cannot be moved."""
        self._leave()
        try:
            shift(self.path, self._settings.keep)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._fixed_until = self._clock() + 60.0
            name = self._settings.name
            log.warning("log %s: %s cannot be rotated: %s; going on with it", name, self.path, error.strerror)
        self._open()

    def _take_back(self) -> None:
        """Removes the beginning of a line that was cut off, or of a header; it comes again later."""
        torn = self._backlog.torn() or self._front_done % (len(self._front) or 1)
        try:
            if not torn or self._fd < 0 or not stat.S_ISREG(os.fstat(self._fd).st_mode):
                return
            os.ftruncate(self._fd, max(os.fstat(self._fd).st_size - torn, 0))
        except OSError:
            return  # the rest of it follows where it stopped
        self._size -= torn
        if self._backlog.torn():
            self._backlog.take_back(torn)
        else:
            self._front_done = 0

    def _leave(self) -> None:
        """Ends the file and closes it."""
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            tail = self._format.tail() if self._lines else b""
            written = os.write(fd, tail) if tail else 0
            if written < len(tail):
                os.ftruncate(fd, os.fstat(fd).st_size - written)
        except OSError:
            pass  # the line that says when it was closed is no loss
        finally:
            os.close(fd)

    def _watch(self) -> None:
        """Notices that the path names another file, or none, by now."""
        if self._fd < 0:
            return
        mine = os.fstat(self._fd)
        try:
            named = self.path.stat()
            same = (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino)
        except OSError:
            same = False
        if same:
            self._moved = None
        elif self._moved is None:
            self._moved = self._clock()
        elif self._clock() - self._moved >= MOVED:
            self.reopen()


def _line_count(file: BinaryIO) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
