"""What travels: rows of one table, as Arrow."""

from typing import Protocol, runtime_checkable


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
