"""What a format of a log is: rows in, lines out."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Protocol

from tidegate.model.batch import Batch
from tidegate.model.errors import UsageError
from tidegate.model.tables import find_table
from tidegate.model.text import clip


class Format(Protocol):
    """Lines of one file. A line ends in a newline and holds no other."""

    repeats: bool
    """Whether the header may come again in the middle of a file."""

    def head(self) -> bytes:
        """What each file begins with; nothing where a format has no header."""

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""

    def rest(self) -> bytes:
        """Lines that were held back until now; called about once a second, and at the end."""

    def tail(self) -> bytes:
        """What a file that is full ends with."""


class Headless:
    """A format that writes its rows at once and nothing else."""

    repeats = False

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def rest(self) -> bytes:
        """Nothing."""
        return b""

    def tail(self) -> bytes:
        """Nothing."""
        return b""


def check_columns(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """The names as they are, all of them unless some are given; raises UsageError for one the table lacks."""
    there = [column.name for column in find_table(table).columns]
    chosen = tuple(columns) or tuple(there)
    for name in chosen:
        if name not in there:
            raise UsageError(f'table {table} has no column "{clip(name, 40)}"{_hint(name, there, table)}')
    return chosen


def _hint(name: str, there: Iterable[str], table: str) -> str:
    near = difflib.get_close_matches(name, list(there), 1)
    return f'; did you mean "{near[0]}"?' if near else f"; see: tidegate tables {table}"


def row_lines(rows: Sequence[str]) -> bytes:
    """Lines as they are written to a file."""
    return ("\n".join(rows) + "\n").encode() if rows else b""
