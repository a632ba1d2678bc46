"""The tables and their columns, as the core documents them."""

from collections.abc import Iterable

from tidegate import _core
from tidegate._core import ColumnInfo, TableInfo
from tidegate.model.errors import UsageError
from tidegate.model.text import clip, meant

__all__ = [
    "ON_REQUEST",
    "ColumnInfo",
    "TableInfo",
    "all_tables",
    "check_tables",
    "default_tables",
    "find_table",
]

ON_REQUEST = frozenset({"packet"})
"""Tables that are filled only when asked for, because they hold a row per packet."""


def all_tables() -> list[TableInfo]:
    """Every table, in the order in which they are listed."""
    return _core.tables()


def default_tables() -> list[str]:
    """The names of the tables that are filled unless said otherwise."""
    return [table.name for table in all_tables() if table.name not in ON_REQUEST]


def find_table(name: str) -> TableInfo:
    """The table of that name; raises UsageError naming those there are."""
    for table in all_tables():
        if table.name == name:
            return table
    names = [table.name for table in all_tables()]
    raise UsageError(f'there is no table "{clip(name, 40)}"{meant(name, names)}')


def check_tables(names: Iterable[str]) -> list[str]:
    """The names as a list without repetitions, each known; raises UsageError."""
    return [find_table(name).name for name in dict.fromkeys(names)]
