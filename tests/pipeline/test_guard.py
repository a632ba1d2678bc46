"""A stage that fails is left out and started again; the rows go on."""

import logging
from collections.abc import Iterable

import pytest

from tidegate.model.batch import Batch, make
from tidegate.pipeline.backoff import Backoff
from tidegate.pipeline.guard import Guarded


class Moody:
    """Fails when told to."""

    broken = False

    def __init__(self) -> None:
        self.fail()

    def fail(self) -> None:
        if Moody.broken:
            raise RuntimeError("bad\nmood \x1b[31m")

    def process(self, batch: Batch) -> Iterable[Batch]:
        yield batch
        self.fail()
        yield batch

    def tick(self, now: int) -> Iterable[Batch]:
        self.fail()
        return []

    def close(self) -> None:
        self.fail()


@pytest.fixture(autouse=True)
def well() -> None:
    Moody.broken = False


def test_rows_go_on_without_it_and_it_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    stage = Guarded("moods", Moody, lambda: now[0])
    batch = make("alert", {})
    assert list(stage.process(batch)) == [batch, batch]
    Moody.broken = True
    assert list(stage.process(batch)) == [batch]
    assert "RuntimeError: bad mood \\x1b[31m" in stage.error
    assert list(stage.tick(0)) == []
    assert stage.failures == 1
    now[0] = 1.0
    stage.tick(0)
    assert stage.failures == 2
    now[0] = 2.9
    stage.tick(0)
    assert stage.failures == 2
    Moody.broken = False
    now[0] = 3.0
    stage.tick(0)
    assert list(stage.process(batch)) == [batch, batch]
    assert stage.error == ""
    assert [record.message.split(":")[0] for record in caplog.records] == ["moods"] * 3


def test_one_that_cannot_even_start_and_one_that_cannot_end() -> None:
    Moody.broken = True
    stage = Guarded("moods", Moody, lambda: 0.0)
    assert stage.failures == 1
    stage.close()
    Moody.broken = False
    stage = Guarded("moods", Moody, lambda: 0.0)
    Moody.broken = True
    stage.close()
    assert stage.failures == 1


def test_waiting_doubles_up_to_a_minute_and_is_forgotten() -> None:
    backoff = Backoff()
    assert [backoff.fail(0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert not backoff.is_due(59.9)
    assert backoff.is_due(60)
    backoff.start(60)
    assert backoff.fail(120.0) == 1
