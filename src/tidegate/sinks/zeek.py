"""Format zeek: Zeek's tab-separated logs, a file for each table.

A header of `#` lines names columns and types. `-` is an unset value and `(empty)` an empty text or list;
elements of lists are separated by commas. Within a value tabs, commas of lists, backslashes, control and
direction marks are written as the bytes they are in UTF-8, `\\xNN`, and so is the first byte of a text that
is exactly `-` or `(empty)`. After Zeek's documentation ("Log Formats and Inspection") and its ASCII writer.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from tidegate.model.batch import Batch
from tidegate.sinks.format import check_columns, row_lines
from tidegate.sinks.moments import epoch
from tidegate.sinks.zeek_fields import PATHS, Column, zeek_columns

_SPECIAL = re.compile(
    "[\x00-\x1f\x7f-\x9f\\\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff]"
)
_RESERVED = {"": "(empty)", "-": r"\x2d", "(empty)": r"\x28empty)"}


class Zeek:
    """Lines of one table."""

    repeats = True

    def __init__(
        self, table: str, columns: Iterable[str] = (), clock: Callable[[], float] = time.time
    ) -> None:
        """Writes all columns, or those that are made of these columns of ours, in their order."""
        self.path = PATHS.get(table, table)
        self._clock = clock
        self._columns = _chosen(table, tuple(columns))
        self._names = list(dict.fromkeys(name for column in self._columns for name in column.columns))

    def head(self) -> bytes:
        """The lines that name separators, columns and types."""
        lines = (
            r"#separator \x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            f"#path\t{self.path}",
            f"#open\t{self._now()}",
            "\t".join(("#fields", *(column.name for column in self._columns))),
            "\t".join(("#types", *(column.type for column in self._columns))),
        )
        return ("\n".join(lines) + "\n").encode()

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        if not batch.num_rows:
            return b""
        values = dict(zip(self._names, batch.columns(self._names), strict=True))
        cells = [
            _cells(column, [values[name] for name in column.columns], batch.num_rows)
            for column in self._columns
        ]
        return row_lines(list(map("\t".join, zip(*cells, strict=True))))

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def tail(self) -> bytes:
        """The line that says when the file was closed."""
        return f"#close\t{self._now()}\n".encode()

    def _now(self) -> str:
        return time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime(self._clock()))


def _chosen(table: str, names: tuple[str, ...]) -> tuple[Column, ...]:
    every = zeek_columns(table)
    if not names:
        return every
    wanted = check_columns(table, names)
    return tuple(column for name in wanted for column in every if name in column.columns)


def _cells(column: Column, values: list[list[Any]], rows: int) -> list[str]:
    if not values:
        return ["-"] * rows
    made = values[0]
    if column.make is not None and len(values) > 1:
        made = list(map(column.make, *values))
    elif column.make is not None:
        made = [None if value is None else column.make(value) for value in made]
    if made.count(None) == rows:
        return ["-"] * rows
    kind, _, element = column.type.partition("[")
    if element:
        return ["-" if value is None else _list(value, _WRITE[element.rstrip("]")]) for value in made]
    if kind in ("string", "enum"):
        return _texts(made)
    write = _WRITE[kind]
    return ["-" if value is None else write(value) for value in made]


def _texts(values: list[str | None]) -> list[str]:
    """Cells of texts; looked at one by one only where one of them needs it."""
    found = ["-" if value is None else _RESERVED.get(value, value) for value in values]
    joined = "".join(value for value in values if value)
    if joined.isascii() and joined.isprintable() and "\\" not in joined:
        return found
    return ["-" if value is None else _text(value) for value in values]


def _text(value: str) -> str:
    return _RESERVED.get(value) or _SPECIAL.sub(_bytes, value)


def _bytes(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in match.group().encode(errors="backslashreplace"))


def _list(values: list[Any], write: Callable[[Any], str]) -> str:
    return ",".join(write(value).replace(",", r"\x2c") for value in values) if values else "(empty)"


def _truth(value: bool) -> str:
    return "T" if value else "F"


def _seconds(value: float) -> str:
    return f"{value:.6f}"


_WRITE: dict[str, Callable[[Any], str]] = {
    "time": epoch,
    "interval": _seconds,
    "count": str,
    "int": str,
    "port": str,
    "addr": str,
    "double": repr,
    "bool": _truth,
    "string": _text,
    "enum": _text,
}
