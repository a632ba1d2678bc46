"""What travels: rows of one table, as Arrow."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from tidegate import _core


@runtime_checkable
class Arrow(Protocol):
    """Anything that gives rows by the Arrow PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A fresh Arrow C stream of the rows."""


class Batch(Arrow, Protocol):
    """Rows of one table. Never changed: who wants other rows makes a new one."""

    @property
    def table(self) -> str:
        """The table's name."""

    @property
    def num_rows(self) -> int:
        """How many rows."""

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The values of each named column; times are nanoseconds in UTC, None is a missing value."""

    def with_columns(self, changed: Mapping[str, Sequence[Any]]) -> Self:
        """The same rows with other values in these columns.

        Text may be given as bytes, as a stranger sent them: it is escaped as the core's own columns are.
        """

    def select(self, names: Sequence[str]) -> Self:
        """The same rows, these columns only, in this order."""

    def keep(self, mask: Sequence[bool]) -> Self:
        """The rows for which the mask is true."""


def make(table: str, columns: Mapping[str, Sequence[Any]]) -> Batch:
    """Rows of a table, made here: a list of values for each column, missing where none is given."""
    return _core.make(table, columns)


_COUNTERS = ("packets", "bytes", "dropped_kernel", "dropped_queue", "dropped_table", "duplicates")


def health(ts: int, sensor: str, source: str = "", **counted: int) -> Batch:
    """A row of table health in which nothing was counted but what is given; `ts` in nanoseconds."""
    row: dict[str, Any] = {"ts": ts, "sensor": sensor, "source": source, "malformed": {}, "not_ip": {}}
    row |= dict.fromkeys(_COUNTERS, 0) | counted
    return make("health", {name: [value] for name, value in row.items()})
