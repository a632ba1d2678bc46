"""A run ends on its time, a signal or a failed sink, and always with everything written."""

import os
import signal

import pytest

from tidegate.model.batch import Batch
from tidegate.pipeline import supervisor


class Named:
    """A batch of which only the name matters here."""

    num_rows = 0

    def __init__(self, table: str) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise NotImplementedError


class Endless:
    """A source that gives a batch per poll until it is stopped, and then one more."""

    def __init__(self, signal_at: int = 0) -> None:
        self.polls = 0
        self.stopped_at: int | None = None
        self._signal_at = signal_at

    def poll(self, timeout: float) -> list[Batch] | None:
        self.polls += 1
        if self.polls == self._signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        if self.stopped_at is not None and self.polls > self.stopped_at + 1:
            return None
        return [Named(f"batch {self.polls}")]

    def stop(self) -> None:
        self.stopped_at = self.polls if self.stopped_at is None else self.stopped_at


class Kept:
    """A sink that keeps what it is given; it can break at the n-th batch."""

    def __init__(self, breaks_at: int = 0) -> None:
        self.batches: list[str] = []
        self.closed = 0
        self._breaks_at = breaks_at

    def write(self, batch: Batch) -> None:
        if len(self.batches) + 1 == self._breaks_at:
            raise BrokenPipeError
        self.batches.append(batch.table)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed += 1


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_the_time_is_over() -> None:
    source, sink = Endless(), Kept()
    supervisor.run(source, [sink], seconds=20, clock=Clock())
    assert source.stopped_at is not None
    assert len(sink.batches) == source.stopped_at + 1, "what the source still held is written"
    assert sink.closed == 1


def test_a_signal_stops_it_and_the_old_handler_is_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    source, sink = Endless(signal_at=3), Kept()
    supervisor.run(source, [sink])
    assert source.stopped_at == 3
    assert len(sink.batches) == 4
    assert sink.closed == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_broken_sink_ends_the_run_and_costs_the_others_nothing() -> None:
    source, broken, whole = Endless(), Kept(breaks_at=3), Kept()
    with pytest.raises(BrokenPipeError):
        supervisor.run(source, [broken, whole])
    assert broken.batches == ["batch 1", "batch 2"]
    assert whole.batches == [f"batch {number}" for number in range(1, 5)]
    assert whole.closed == 1
