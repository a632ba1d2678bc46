"""A sink behind a queue: order, a reader that takes nothing, what it raises, the end."""

import threading

import pytest

from helpers import wait_for
from rows import Conns
from tidegate.model.batch import Batch
from tidegate.sinks.aside import Aside


class Slow:
    """Takes rows only while it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.told: list[object] = []
        self.error: Exception | None = None

    def write(self, batch: Batch) -> None:
        self.may.wait(30)
        if self.error:
            raise self.error
        self.told.append(batch)

    def flush(self) -> None:
        self.told.append("flush")

    def close(self) -> None:
        self.told.append("close")


def test_a_slow_sink_keeps_nobody_waiting_and_gets_everything_in_order() -> None:
    slow, batches = Slow(), [Conns().add(), Conns().add()]
    aside = Aside(slow, "stdout")
    for batch in batches:
        aside.write(batch)
    aside.flush()
    assert slow.told == []
    slow.may.set()
    aside.close()
    assert slow.told == [*batches, "flush", "close"]
    assert aside.lost == 0


def test_what_finds_no_room_is_lost_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    slow, batch = Slow(), Conns().add().add()
    aside = Aside(slow, "stdout", held=5)
    for _ in range(6):
        aside.write(batch)
    assert aside.lost == 8
    slow.may.set()
    wait_for(lambda: len(slow.told) == 2)
    aside.write(batch)
    aside.close()
    assert slow.told == [batch, batch, batch, "close"]
    assert [record.getMessage() for record in caplog.records] == [
        "stdout takes nothing, and 4 rows wait: others are lost",
        "stdout: 8 rows were lost, it was too slow",
    ]


def test_one_batch_is_taken_however_long_it_is() -> None:
    slow, batch = Slow(), Conns().add().add()
    slow.may.set()
    aside = Aside(slow, "stdout", held=1)
    aside.write(batch)
    aside.close()
    assert slow.told == [batch, "close"]


def test_what_the_sink_raises_comes_out_at_the_next_call_and_work_goes_on() -> None:
    slow, batch = Slow(), Conns().add()
    slow.error = BrokenPipeError("gone")
    slow.may.set()
    aside = Aside(slow, "stdout")
    aside.write(batch)
    wait_for(lambda: aside._error is not None)
    with pytest.raises(BrokenPipeError, match="gone"):
        aside.flush()
    slow.error = None
    aside.write(batch)
    aside.close()
    assert slow.told[-1] == "close"
    assert batch in slow.told
