"""Feed: a running capture, whose other sinks run beside the screen on the same thread."""

import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tidegate.model.batch import Batch
from tidegate.model.stats import Stats
from tidegate.sinks import Sink
from tidegate.tui.feeds.feed import Feed, Glance, settle
from tidegate.tui.feeds.inbox import Inbox

_COUNT = re.compile(r"(?<![\w:])\d[\d,.]*(?![\w:])")
"""A number by itself: neither a time of day nor part of a name."""


class LiveFeed(Feed):
    """Runs a line from a capture to its sinks, the screen's among them."""

    endless = False

    def __init__(
        self,
        run: Callable[[Sink], object],
        stop: Callable[[], None],
        stats: Callable[[], Stats],
        title: str,
        filter: str = "",
        glance: Glance | None = None,
    ) -> None:
        """`run` feeds the given sink, and others, until the capture ends, which `stop` asks it to.

        `glance` tells of acknowledgements, mutes and silences, wherever they were made.
        """
        super().__init__("tidegate-line", title)
        self.filter = filter
        self._run = run
        self._stop = stop
        self._stats = stats
        self._glance = glance

    def run(self) -> None:
        """Runs the line."""
        self._run(BoardSink(self.inbox, lambda: self._stats().warnings, self._glance))

    def stop(self) -> None:
        """Ends the capture; what it still holds goes to the sinks."""
        super().stop()
        self._stop()


class BoardSink:
    """Hands batches to the screen, and warnings of the capture as they come."""

    def __init__(
        self, inbox: Inbox, warnings: Callable[[], Sequence[str]], glance: Glance | None = None
    ) -> None:
        self._inbox = inbox
        self._warnings = warnings
        self._glance = glance
        self._said: set[str] = set()

    def write(self, batch: Batch) -> None:
        """Takes the rows."""
        self._inbox.put(batch, time.time_ns())

    def flush(self) -> None:
        """Says new warnings (one that only goes on counting is said once), and looks at the desk."""
        if self._glance is not None:
            settle(self._inbox, self._glance)
        warnings = {_COUNT.sub("", warning): warning for warning in self._warnings()}
        for about, warning in warnings.items():
            if about not in self._said:
                self._inbox.say("warning", warning)
        self._said = set(warnings)  # the core keeps only the latest of what comes and goes, and so do we

    def close(self) -> None:
        """Nothing is left to do."""


def process_is_there() -> Callable[[int], bool] | None:
    """Whether a process runs, where the system shows those of others."""
    processes = Path("/proc")
    if not (processes / "1").exists() or not (processes / str(os.getppid())).exists():
        return None
    return lambda pid: (processes / str(pid)).exists()
