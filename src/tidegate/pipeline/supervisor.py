"""Starts, stops and ends a line: on its time, a signal, or a failed sink; with everything written."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from tidegate.pipeline.pipeline import Line, Source, Stage
from tidegate.sinks import Sink

POLL = 0.25
"""Seconds between looks at the clock and at signals."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(
    source: Source,
    sinks: Sequence[Sink],
    seconds: float | None = None,
    stages: Sequence[Stage] = (),
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Runs until the source ends, the time is over, a signal comes or a sink fails.

    Then the source is stopped, what it still holds is written, and all sinks are closed.
    Raises what a sink failed with, after all that.
    """
    line = Line(sinks, stages, clock)
    ends = clock() + seconds if seconds is not None else float("inf")
    try:
        with _stopped_by_signals(source):
            while (batches := source.poll(POLL)) is not None:
                line.process(batches)
                if clock() >= ends or line.error:
                    source.stop()
    finally:
        line.close()
    if line.error:
        raise line.error


@contextmanager
def _stopped_by_signals(source: Source) -> Iterator[None]:
    """The first signal stops the source; a second one of the same kind does what it always did.

    Signals belong to the main thread: on another one whoever started it looks after them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        source.stop()

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
