"""A column of a table: how wide, what stands in it, by what it is sorted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tidegate.model.text import Side


class Sorted(Protocol):
    """A value that has an order."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True)
class Column:
    """One column. `cell` gives text and the name of its style ("" for none); text must be harmless."""

    title: str
    width: int
    cell: Callable[[Any], tuple[str, str]]
    key: Callable[[Any], Any] | None = None
    """What rows are sorted by; without it they are not sorted by this column."""
    side: Side = "left"
    grow: int = 0
    """Its share of the room that is left."""
    need: int = 0
    """Left out on terminals that have fewer columns."""
    descending: bool = True
    """Which way it is sorted at first."""


def in_room(columns: Sequence[Column], width: int) -> list[Column]:
    """Those that stand beside each other in so many cells; what needs most goes first, then the last ones."""
    shown = [column for column in columns if column.need <= width]
    while len(shown) > 1 and sum(column.width + 1 for column in shown) - 1 > width - 2:
        shown.remove(max(reversed(shown[1:]), key=lambda column: column.need))
    return shown


def widths(columns: Sequence[Column], room: int) -> list[int]:
    """How wide each is in this room, a space between them."""
    spare = room - sum(column.width for column in columns) - len(columns) + 1
    shares = sum(column.grow for column in columns)
    result = []
    for column in columns:
        more = spare * column.grow // shares if shares and spare > 0 else 0
        result.append(column.width + more)
    return result
