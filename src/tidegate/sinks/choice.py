"""Which rows go into a log: those the filter wants; of connections only the last, unless asked for all."""

from collections.abc import Iterable

from tidegate.model.batch import Batch
from tidegate.model.errors import UsageError
from tidegate.model.filter import Filter
from tidegate.sinks.format import check_columns


def chosen(batch: Batch, wanted: Filter, interim: bool) -> Batch:
    """The rows that go in."""
    final = batch.table == "conn" and not interim
    if not final and not wanted.words:
        return batch
    mask = _mask(batch, wanted)
    if final:
        states = batch.columns(("state",))[0]
        mask = [here and state == "closed" for here, state in zip(mask, states, strict=True)]
    return batch if all(mask) else batch.keep(mask)


def check_filter(wanted: Filter, there: Iterable[str]) -> None:
    """Raises UsageError for a condition that no row could meet, since its columns are not there."""
    columns = set(there)
    for word in wanted.words:
        if columns.isdisjoint(word.columns):
            looked = " and ".join(word.columns)
            raise UsageError(f'"{word.text}" looks at {looked}, which its rows do not have')


def _mask(batch: Batch, wanted: Filter) -> list[bool]:
    names = [name for name in check_columns(batch.table, ()) if name in wanted.columns]
    if not names:
        return [wanted.holds({})] * batch.num_rows
    return wanted.mask(names, batch.columns(names))
