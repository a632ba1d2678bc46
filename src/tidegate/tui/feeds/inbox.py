"""What passes from a feed's thread to the screen's: rows and lines, bounded."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition
from typing import Any

from tidegate.tui.board.board import Board, Line
from tidegate.tui.board.desk import Desk
from tidegate.tui.board.rows import Rows

MOST_ROWS = 200_000
MOST_LINES = 1_000


@dataclass(frozen=True)
class Entry:
    """Rows and when they came, nanoseconds UTC."""

    rows: Rows
    now: int


class Inbox:
    """A bounded queue. When the screen is too slow, rows are dropped and counted, or the feed waits."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._changed = Condition()
        self._entries: deque[Entry] = deque()
        self._lines: deque[Line] = deque(maxlen=MOST_LINES)
        self._desk: Desk | None = None
        self._relay: tuple[Mapping[str, Any] | None, int] | None = None
        self.wants_sessions = False
        """Whether the screen looks at connections of the relay just now."""
        self._waiting = 0
        self._shut = False
        self.skipped = 0
        """Rows dropped because the screen was too slow."""

    def put(self, rows: Rows, now: int, wait: bool = False) -> None:
        """Hands rows over; full, it waits for room or drops the oldest."""
        with self._changed:
            while wait and self._waiting >= self._most and not self._shut:
                self._changed.wait(1.0)
            self._entries.append(Entry(rows, now))
            self._waiting += rows.num_rows
            while self._waiting > self._most and len(self._entries) > 1:
                dropped = self._entries.popleft().rows.num_rows
                self._waiting -= dropped
                self.skipped += dropped

    def say(self, level: str, text: str, ts: int | None = None) -> None:
        """Hands a line for the log over."""
        with self._changed:
            self._lines.append(Line(time.time_ns() if ts is None else ts, level, text))

    def settle(self, desk: Desk) -> None:
        """Hands over what people did about alerts; only the latest counts."""
        with self._changed:
            self._desk = desk

    def carry(self, told: Mapping[str, Any] | None, now: int) -> None:
        """Hands over what a relay says of itself, None if none runs; only the latest counts."""
        with self._changed:
            self._relay = told, now

    def pour(self, board: Board, most: int | None = None) -> int:
        """Gives the board what waits, about `most` rows of it; how many rows that were."""
        taken = 0
        while most is None or taken < most:
            with self._changed:
                if not self._entries:
                    break
                entry = self._entries.popleft()
                self._waiting -= entry.rows.num_rows
                self._changed.notify_all()
            board.take(entry.rows, entry.now)
            taken += entry.rows.num_rows
        self._pour_lines(board)
        return taken

    def shut(self) -> None:
        """Nobody takes any more: who waits for room goes on."""
        with self._changed:
            self._shut = True
            self._changed.notify_all()

    def _pour_lines(self, board: Board) -> None:
        with self._changed:
            lines, skipped, desk, relay = list(self._lines), self.skipped, self._desk, self._relay
            self._lines.clear()
            self._desk = self._relay = None
        for line in lines:
            board.say(line.ts, line.level, line.text)
        if desk is not None:
            board.settle(desk)
        if relay is not None:
            board.relays.settle(*relay)
        board.losses.total["screen"] = skipped


class Messages(logging.Handler):
    """Puts what the program logs into the screen's log: stderr would write across the screen.

    But for alerts that the action `log` tells of: their rows come to the screen anyway.
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Hands the message over."""
        if hasattr(record, "alert_id"):
            return
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._say("info" if record.levelno < logging.WARNING else level, record.getMessage())
