"""Stage: only the rows that a filter wants go on."""

from collections.abc import Iterable

from tidegate.model.batch import Batch
from tidegate.model.filter import Filter


class Only:
    """Rows of every table are held against the filter; one that lacks a column meets no condition on it."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted

    def process(self, batch: Batch) -> Iterable[Batch]:
        """The batch with the wanted rows; nothing if there are none."""
        kept = self._wanted.keep(batch)
        return (kept,) if kept.num_rows else ()

    def tick(self, now: int) -> Iterable[Batch]:
        """Nothing: only rows have something to say."""
        return ()

    def close(self) -> None:
        """Nothing is held."""
