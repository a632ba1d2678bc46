"""A stage that outlives its line."""

import pytest

from enrich.told import NOW, Told, conn, stage
from tidegate.model.errors import UsageError
from tidegate.pipeline.kept import Once
from tidegate.pipeline.pipeline import Stage


def test_what_was_learned_serves_the_next_line() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    once = Once(lambda: stage(source))
    first = once()
    first.tick(NOW)
    first.close()
    assert not source.stopped
    (made,) = once().process(conn())
    assert made.columns(["process_name"]) == [["curl"]]
    once.close()
    assert source.stopped


def test_one_that_cannot_be_made_is_tried_again() -> None:
    left = [UsageError("not yet")]

    def make() -> Stage:
        if left:
            raise left.pop()
        return stage(Told())

    once = Once(make)
    with pytest.raises(UsageError):
        once()
    assert once()
    once.close()
