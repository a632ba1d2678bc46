"""Feed: a store, whether somebody writes to it or not, by what is new in it."""

import time
from pathlib import Path

from tidegate.alerts.remembered import remembered
from tidegate.model.errors import StoreError, TidegateError
from tidegate.queries.recent import Recent
from tidegate.store.layout import Layout
from tidegate.store.lock import is_written
from tidegate.tui.board.rows import WANTED, Lists
from tidegate.tui.feeds.feed import Feed, Glance, settle

INTERVAL = 1.0
"""Seconds between two looks."""

SILENT = 15_000_000_000
"""A store without news for so long (nanoseconds), to which nobody writes, shows its own time, not ours."""


class StoreFeed(Feed):
    """Looks at a store again and again."""

    kind = "store"

    def __init__(self, root: Path, glance: Glance | None = None, writer: str = Feed.writer) -> None:
        """Raises StoreError if there is no store.

        `glance` tells what people did about its alerts, `writer` is the command that would write to it.
        """
        super().__init__("tidegate-store-feed", str(root))
        self._root = root
        self._glance = glance
        self._recent = Recent(root, WANTED)
        self.writer = writer
        self._written = is_written(Layout(root))

    @property
    def newest(self) -> int:
        """Time of the newest row, nanoseconds; 0 while there is none."""
        return self._recent.newest

    @property
    def silent(self) -> bool:  # type: ignore[override]
        """Whether nobody writes to it: a network without traffic gives no rows either."""
        return not self._written and time.time_ns() - self.newest > SILENT

    def clock(self) -> int:
        """Now; or the time of the newest row, if it is long ago and nobody writes."""
        return self.newest if self.silent else time.time_ns()

    def stop(self) -> None:
        """Ends it, also in the middle of a look."""
        super().stop()
        self._recent.interrupt()

    def _remember(self) -> None:
        """Begins with the alerts that are open, however long ago they were raised."""
        try:
            told = remembered(self._root)
        except TidegateError as error:
            self.inbox.say("warning", str(error))
            return
        if told:
            self.inbox.put(Lists("alert", tuple(told), list(told.values())), self.clock(), wait=True)

    def run(self) -> None:
        """Looks, hands over, waits."""
        try:
            self._remember()
            while not self._over.is_set():
                self._written = is_written(Layout(self._root))
                for found in self._recent.look():
                    self.inbox.put(Lists(found.table, found.names, found.values), self.clock(), wait=True)
                if self._glance is not None:
                    settle(self.inbox, self._glance)
                self._over.wait(INTERVAL)
        except StoreError:
            if not self._over.is_set():  # else it is only the look that stop() broke off
                raise
        finally:
            self._recent.close()
