"""How far reading has come: a bar on stderr, if that is a terminal and it takes longer than a second."""

import sys
import time
from types import TracebackType
from typing import Self

from tidegate.model.stats import Stats
from tidegate.model.units import human_bytes, human_count

PATIENCE = 1.0
WIDTH = 30


class Progress:
    """Call with the counters now and then, inside a `with` block."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = False

    def __call__(self, stats: Stats) -> None:
        """Draws the bar anew."""
        if sys.stderr.isatty() and time.monotonic() - self._started > PATIENCE:
            sys.stderr.write("\r" + bar(stats).ljust(79))
            sys.stderr.flush()
            self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the line as if nothing had been there."""
        if self._shown:
            sys.stderr.write("\r" + " " * 79 + "\r")
            sys.stderr.flush()


def bar(stats: Stats) -> str:
    """One line of at most 79 characters."""
    packets = f"{human_count(stats.packets)} packets"
    if not stats.bytes_total:
        return f"{human_bytes(stats.bytes_read)}  {packets}"
    part = min(stats.bytes_read / stats.bytes_total, 1.0)
    filled = "#" * round(part * WIDTH)
    return f"[{filled.ljust(WIDTH, '.')}] {part:4.0%} of {human_bytes(stats.bytes_total)}  {packets}"
