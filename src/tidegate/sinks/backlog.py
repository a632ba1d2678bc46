"""Lines that wait until a file takes them: bounded, in order, what is lost counted."""

from collections import deque

FIRST, LONGEST = 1.0, 60.0
"""Seconds until the first attempt after a failure, and between attempts at most."""


class Backlog:
    """Lines in whole pieces; the first piece may be partly written."""

    def __init__(self, bound: int) -> None:
        """Holds `bound` bytes, or one piece if that is longer."""
        self._bound = bound
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._size = 0
        """Bytes that wait, those of the first piece that are written included."""
        self.lost = 0
        """Lines that found no room."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def waiting(self) -> int:
        """Bytes that wait."""
        return self._size - self._offset

    def add(self, lines: bytes) -> None:
        """Takes lines; where there is no room they are lost, and counted."""
        if self._pieces and self._size + len(lines) > self._bound:
            self.lost += lines.count(b"\n")
        elif lines:
            self._pieces.append(lines)
            self._size += len(lines)

    def first(self) -> tuple[bytes, int]:
        """What comes next: a piece, and how much of it is written."""
        return self._pieces[0], self._offset

    def done(self, count: int) -> None:
        """Forgets the next `count` bytes of the first piece: they are written."""
        self._offset += count
        if self._offset >= len(self._pieces[0]):
            self._size -= len(self._pieces.popleft())
            self._offset = 0

    def torn(self) -> int:
        """Bytes that are written of a line that is not yet whole."""
        return self._offset - self._pieces[0].rfind(b"\n", 0, self._offset) - 1 if self._offset else 0

    def take_back(self, count: int) -> None:
        """The last `count` bytes are not written after all."""
        self._offset -= count

    def give_up(self) -> int:
        """Drops everything and counts it as lost; the number of lines."""
        lines = sum(piece.count(b"\n") for piece in self._pieces)
        if self._pieces:
            lines -= self._pieces[0].count(b"\n", 0, self._offset)
        self._pieces.clear()
        self._offset = self._size = 0
        self.lost += lines
        return lines


class Backoff:
    """When to try again: sooner at first, once a minute in the end."""

    def __init__(self) -> None:
        self._delay = 0.0
        self._next = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._delay > 0

    def due(self, now: float) -> bool:
        """Whether it is time for an attempt."""
        return now >= self._next or not self.failing

    def due_in(self, now: float) -> float:
        """Seconds until it is time for an attempt."""
        return max(self._next - now, 0.0) if self.failing else 0.0

    def failed(self, now: float) -> None:
        """An attempt failed."""
        self._delay = min(self._delay * 2, LONGEST) or FIRST
        self._next = now + self._delay

    def succeeded(self) -> None:
        """An attempt went well."""
        self._delay = 0.0
