"""The line from one source to its sinks."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tidegate.model.batch import Batch
from tidegate.model.errors import TidegateError
from tidegate.sinks import Sink

FLUSH_INTERVAL = 1.0
"""Seconds that rows may wait in a sink."""


class Source(Protocol):
    """Gives batches until it ends."""

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches after at most `timeout` seconds; None once, when there will be no more."""

    def stop(self) -> None:
        """Asks the source to end; what it still holds comes from poll."""


class Line:
    """Gives each batch to each sink. A sink that fails is left out; the others go on."""

    def __init__(self, sinks: Sequence[Sink], clock: Callable[[], float] = time.monotonic) -> None:
        self._sinks = list(sinks)
        self._clock = clock
        self._flushed = clock()
        self.error: OSError | TidegateError | None = None
        """The first failure of a sink."""

    def process(self, batches: Sequence[Batch]) -> None:
        """Hands the batches on, and flushes when it is time."""
        for batch in batches:
            for sink in list(self._sinks):
                self._guarded(sink, lambda sink=sink, batch=batch: sink.write(batch))  # type: ignore[misc]
        if self._clock() - self._flushed >= FLUSH_INTERVAL:
            self._flushed = self._clock()
            for sink in list(self._sinks):
                self._guarded(sink, sink.flush)

    def close(self) -> None:
        """Flushes and closes all sinks."""
        for sink in list(self._sinks):
            self._guarded(sink, sink.flush)
        for sink in list(self._sinks):
            self._guarded(sink, sink.close)

    def _guarded(self, sink: Sink, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, TidegateError) as error:
            self._sinks.remove(sink)
            self.error = self.error or error
