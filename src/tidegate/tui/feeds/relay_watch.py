"""Asks a relay every second how it goes, on a thread of its own: it may be another process, and slow."""

import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

from tidegate.model.errors import TidegateError
from tidegate.tui.feeds.inbox import Inbox

INTERVAL = 1.0
"""Seconds between two questions."""

PATIENCE = 3
"""Questions in a row without an answer after which none runs: a busy machine answers late."""

Look = Callable[[bool], Mapping[str, Any]]
"""Tells how the relay stands, with its connections if asked for them; raises TidegateError if none runs."""


class RelayWatch:
    """Puts what the relay says into an inbox, from start() until stop() and join()."""

    def __init__(self, inbox: Inbox, look: Look) -> None:
        self._inbox = inbox
        self._look = look
        self._over = Event()
        self._thread = Thread(target=self._run, name="tidegate-relay-watch")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end; safe from any thread."""
        self._over.set()

    def join(self) -> None:
        """Waits until it has ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        silent = 0
        while not self._over.is_set():
            try:
                self._inbox.carry(self._look(self._inbox.wants_sessions), time.time_ns())
                silent = 0
            except (OSError, TidegateError):
                silent += 1
            if silent >= PATIENCE:
                self._inbox.carry(None, time.time_ns())
            self._over.wait(INTERVAL)
