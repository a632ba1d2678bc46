"""The line from one source through its stages to its sinks."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol, runtime_checkable

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


class Stage(Protocol):
    """Knows more of rows, or makes rows of rows: programs, places, alerts."""

    def process(self, batch: Batch) -> Iterable[Batch]:
        """What goes on in its place: the batch, another one with the same rows, and perhaps further ones."""

    def tick(self, now: int) -> Iterable[Batch]:
        """Called about once a second with the time (nanoseconds UTC): what is due without any rows."""

    def close(self) -> None:
        """Called once, at the end."""


@runtime_checkable
class Reopens(Protocol):
    """A sink that writes to files which others move away."""

    def reopen(self) -> None:
        """Opens its files anew."""


def through(stages: Sequence[Stage], batches: Iterable[Batch]) -> Iterable[Batch]:
    """What comes out of the stages, one after the other, for these batches."""
    for stage in stages:
        batches = [made for batch in batches for made in stage.process(batch)]
    return batches


class Line:
    """Gives each batch through the stages to each sink. A sink that fails is left out; the others go on."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        stages: Sequence[Stage] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._sinks = list(sinks)
        self._stages = list(stages)
        self._wall = wall
        self._clock = clock
        self._flushed = clock()
        self.error: OSError | TidegateError | None = None
        """The first failure of a sink."""
        self.missed = 0
        """Rows that a sink did not get: those it failed with, and all after them."""
        self._left_out = 0

    def process(self, batches: Sequence[Batch]) -> None:
        """Hands the batches on, and flushes when it is time."""
        self._through(batches, 0)
        if self._clock() - self._flushed >= FLUSH_INTERVAL:
            self._flushed = self._clock()
            self._tick()
            self._flush()

    def fail(self, error: OSError | TidegateError) -> None:
        """One sink is left out from here on."""
        self._left_out += 1
        self.error = self.error or error

    def reopen(self) -> None:
        """Opens files anew where sinks write to them: somebody has moved the old ones away."""
        for sink in list(self._sinks):
            if isinstance(sink, Reopens):
                self._guarded(sink, sink.reopen)

    def close(self) -> None:
        """Lets the stages say their last, then flushes and closes all sinks."""
        self._tick()
        for stage in self._stages:
            stage.close()
        self._flush()
        for sink in list(self._sinks):
            self._guarded(sink, sink.close)

    def _through(self, batches: Iterable[Batch], first: int) -> None:
        """Gives batches through the stages from the `first` on, then to the sinks."""
        for batch in through(self._stages[first:], batches):
            for sink in list(self._sinks):
                self._guarded(sink, lambda sink=sink, batch=batch: sink.write(batch))  # type: ignore[misc]
            self.missed += self._left_out * batch.num_rows

    def _tick(self) -> None:
        for number, stage in enumerate(self._stages):
            self._through(stage.tick(self._wall()), number + 1)

    def _flush(self) -> None:
        for sink in list(self._sinks):
            self._guarded(sink, sink.flush)

    def _guarded(self, sink: Sink, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, TidegateError) as error:
            self._sinks.remove(sink)
            self.fail(error)
            if action != sink.close:  # what it holds (files, a lock) is let go of, as far as that goes
                with suppress(OSError, TidegateError):
                    sink.close()
