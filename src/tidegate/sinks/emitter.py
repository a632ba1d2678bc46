"""Gives records to handlers in a thread of its own, so that a slow one keeps nobody waiting."""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from tidegate.model.locks import lock_and_condition
from tidegate.model.text import one_line, safe_text
from tidegate.model.units import counted

log = logging.getLogger(__name__)

HELD = 10_000
"""Records that wait for the handlers, at most; what is more is lost, and counted."""

LAST = 10.0
"""Seconds that the handlers have for what still waits at the end."""


class Emitter:
    """A bounded queue before a logger."""

    def __init__(self, logger: logging.Logger) -> None:
        """Starts the thread, and takes over what the logger's handlers do with their failures."""
        self._logger = logger
        self._waiting: deque[logging.LogRecord] = deque()
        self._lock, self._changed = lock_and_condition()
        self._closing = self._reopen = self._full = False
        self._refused = self._dropped = 0
        self._busy_since: float | None = None
        self._told: set[logging.Handler] = set()
        self._failing: dict[logging.Handler, str] = {}
        self._emits = {handler: handler.emit for handler in logger.handlers}
        for handler in logger.handlers:
            handler.handleError = partial(self._failed, handler)  # type: ignore[method-assign]
            handler.emit = partial(self._emit, handler, self._emits[handler])  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._run, name="tidegate-logger")
        self._thread.start()

    @property
    def lost(self) -> int:
        """Records that found no room, and those that a handler refused."""
        return self._dropped + self._refused

    @property
    def waiting(self) -> int:
        """Records that the handlers did not take yet."""
        return len(self._waiting)

    @property
    def lag(self) -> float:
        """Seconds for which the handlers have not been through with all that there was."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def trouble(self) -> str:
        """What is wrong now; empty again as soon as rows are taken."""
        reasons = list(self._failing.values())
        if self._full:
            reasons.append(f"its handlers are too slow, {counted(self.waiting, 'row')} waiting")
        return f"{'; '.join(reasons)}; {counted(self.lost, 'row')} lost" if reasons else ""

    def put(self, records: Sequence[logging.LogRecord]) -> None:
        """Lets the records wait for the handlers."""
        with self._lock:
            room = max(HELD - len(self._waiting), 0)
            self._waiting.extend(records[:room])
            self._dropped += len(records[room:])
            self._full = bool(records[room:])
            if self._waiting and self._busy_since is None:
                self._busy_since = time.monotonic()
            self._changed.notify()

    def reopen(self) -> None:
        """Lets handlers open their files anew before the next record. Safe from a signal handler."""
        self._reopen = True

    def close(self) -> None:
        """Gives the handlers what waits, for a bounded time, and closes them. A second call does nothing."""
        if self._closing:
            return
        with self._lock:
            self._closing = True
            self._changed.notify()
        self._thread.join(LAST)
        with self._lock:
            self._dropped += len(self._waiting)
            self._waiting.clear()
        self._thread.join()
        for handler in self._logger.handlers:
            self._guarded(handler, handler.close)
        for handler, emit in self._emits.items():  # a factory may give the same one again
            handler.emit = emit  # type: ignore[method-assign]
        if self.lost:
            log.warning("logger: %d rows were lost", self.lost)

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closing:
                    self._busy_since, self._full = None, False
                    self._changed.wait()
                if not self._waiting:
                    return
                record = self._waiting.popleft()
            if self._reopen:
                self._reopen = False
                self._close_files()
            if self._logger.isEnabledFor(record.levelno):
                self._logger.handle(record)

    def _close_files(self) -> None:
        """A file handler opens its file anew when it is closed; one that would empty it is left alone."""
        for handler in self._logger.handlers:
            if isinstance(handler, logging.FileHandler) and handler.mode != "w":
                self._guarded(handler, handler.close)

    def _emit(
        self, handler: logging.Handler, emit: Callable[[logging.LogRecord], None], record: logging.LogRecord
    ) -> None:
        """Gives one handler a record. It works again once it took one."""
        refused = self._refused
        if self._guarded(handler, partial(emit, record)):
            if self._refused == refused:
                self._failing.pop(handler, None)
        else:
            self._refused += 1

    def _guarded(self, handler: logging.Handler, work: Callable[[], None]) -> bool:
        """Lets a handler do something; whether it raised nothing."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handlers are anybody's; none may take the others with it
            self._say(handler, error)
            return False
        return True

    def _failed(self, handler: logging.Handler, _record: logging.LogRecord) -> None:
        """What a handler does with its failure, instead of a traceback on stderr."""
        self._refused += 1
        self._say(handler, sys.exc_info()[1])

    def _say(self, handler: logging.Handler, error: BaseException | None) -> None:
        """Remembers why a handler fails, and says it the first time."""
        self._failing[handler] = words = f"{_name(handler)}: {_reason(error)}"
        if handler not in self._told:
            self._told.add(handler)
            log.warning("logger: %s; rows it does not take are lost, and counted", words)


def _name(handler: logging.Handler) -> str:
    """The handler by the name that the configuration gives it, and its file."""
    path = getattr(handler, "baseFilename", "")
    return safe_text(f"handler {handler.name or type(handler).__name__}{f' ({path})' if path else ''}")


def _reason(error: BaseException | None) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return one_line(words or str(error or "") or type(error).__name__, 300)
