"""What the user asked to see: filter, order, and what is left out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tidegate.model.filter import EVERYTHING, Filter
from tidegate.tui.board.board import Board
from tidegate.tui.look import Look
from tidegate.tui.widgets.column import Column

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """The state of one tab."""

    filter: Filter = EVERYTHING
    sort: str = ""
    """Title of the column that rows are sorted by."""
    descending: bool = True
    closed: bool = False
    grouped: bool = False
    interface: str | None = None
    service: str | None = None
    """The service of the relay whose connections are shown."""

    def next_sort(self, columns: Sequence[Column]) -> "View":
        """Sorted by the next column that can be sorted by."""
        usable = [column for column in columns if column.key]
        titles = [column.title for column in usable]
        place = (titles.index(self.sort) + 1) % len(titles) if self.sort in titles else 0
        return replace(self, sort=titles[place], descending=usable[place].descending)

    def in_order(self, rows: Iterable[T], columns: Sequence[Column]) -> list[T]:
        """The rows sorted as asked for."""
        key = next((column.key for column in columns if column.title == self.sort), None)
        return sorted(rows, key=key, reverse=self.descending) if key else list(rows)


@dataclass(frozen=True)
class Scene:
    """What columns need to know beside the row."""

    board: Board
    look: Look = field(default_factory=Look)
    alive: Callable[[int], bool] | None = None
    """Whether a process of this machine still runs, where that can be known."""

    def gone(self, pid: int | None) -> bool:
        """Whether the program has exited, as far as that can be known."""
        return pid is not None and self.alive is not None and not self.alive(pid)


def matching(rows: Iterable[T], filter: Filter, facts: Callable[[T], Mapping[str, Any]]) -> Iterable[T]:
    """The rows that the filter wants."""
    if not filter.words:
        return rows
    return (row for row in rows if filter.holds(facts(row)))


def known_by(filter: Filter, names: frozenset[str]) -> str | None:
    """The first word of the filter that no row with these columns can meet, for a hint."""
    return next((word.text for word in filter.words if not names.intersection(word.columns)), None)
