"""Rows as lines of JSON with nested objects: which field holds which columns, and how.

A batch is written column by column: what is the same in all rows, and what is missing in none, goes into one
template for the batch, so that a row costs little more than filling it in. A field that is missing in some
rows is written as a fragment with its key. All text is ASCII: whatever a stranger sent, no control or
direction mark is left in it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from typing import Any, ClassVar

from tidegate.model.batch import Batch
from tidegate.model.tables import find_table
from tidegate.sinks.format import Headless, check_columns
from tidegate.sinks.moments import iso

_encode = json.JSONEncoder(separators=(",", ":")).encode

Object = dict[str, Any]
Make = Callable[..., Any]


@dataclass(frozen=True)
class Field:
    """One field: its path of keys with dots between them, and the columns it is made of."""

    path: str
    columns: tuple[str, ...]
    make: Make | None = None
    """From the columns' values to the field's, None where it is missing; without it the value as it is."""


def field(path: str, *columns: str, make: Make | None = None) -> Field:
    """A field made of columns. A `make` of one column is called only where that is not missing."""
    if make is not None and len(columns) == 1:
        one = make
        return Field(path, columns, lambda value: None if value is None else one(value))
    return Field(path, columns, make)


def fixed(path: str, value: Any) -> Field:
    """A field that is the same in every row."""
    return Field(path, (), lambda: value)


class Shape:
    """How rows of one table become objects."""

    def __init__(
        self, table: str, fields: Sequence[Field], others: str = "", twice: Iterable[str] = ()
    ) -> None:
        """`others` is the object for the columns that no field takes, and for those of `twice` as well."""
        self.table = table
        taken = {name for each in fields for name in each.columns} - set(twice)
        kinds = {column.name: column.type for column in find_table(table).columns}
        added = [
            field(f"{others}.{name}", name, make=iso if kind == "TIMESTAMP_NS" else None)
            for name, kind in kinds.items()
            if others and name not in taken
        ]
        self.fields = (*fields, *added)

    def of(self, columns: Iterable[str]) -> "Shape":
        """The same with only those fields that are made of these columns, or of the time, or of none."""
        wanted = {*columns, "ts"}
        return Shape(self.table, [each for each in self.fields if wanted.issuperset(each.columns)])

    def lines(self, batch: Batch) -> list[str]:
        """A line for each row, without its end."""
        rows = batch.num_rows
        if not rows:
            return []
        names = list(dict.fromkeys(name for each in self.fields for name in each.columns))
        values = dict(zip(names, batch.columns(names), strict=True)) if names else {}
        tree: Object = {}
        for each in self.fields:
            made = _made(each, [values[name] for name in each.columns], rows)
            if made.count(None) < rows:
                _plant(tree, each.path.split("."), made)
        whole = _object(tree)
        return whole.filled(rows) if isinstance(whole, _Template) else [text or "{}" for text in whole]


def _made(each: Field, columns: list[list[Any]], rows: int) -> list[Any]:
    if not columns:
        return [each.make() if each.make else None] * rows
    if each.make is None:
        return columns[0]
    return list(map(each.make, *columns))


def _plant(tree: Object, path: list[str], values: list[Any]) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = values


@dataclass(frozen=True)
class _Template:
    """JSON that all rows have, with a place for each of the columns (printf style)."""

    text: str
    columns: list[Iterable[Any]]

    def filled(self, rows: int) -> list[str]:
        if not self.columns:
            return [self.text % ()] * rows
        return list(map(self.text.__mod__, zip(*self.columns, strict=True)))


_Some = list[str | None]
"""JSON for each row that has it."""


def _object(tree: Object) -> _Template | _Some:
    """The object of each row, None where nothing is in it."""
    text: list[str] = []
    columns: list[Iterable[Any]] = []
    some: list[list[str]] = []
    for key, part in tree.items():
        made = _value(part) if isinstance(part, list) else _object(part)
        name = quoted(key)
        if isinstance(made, _Template):
            text.append(f"{name.replace('%', '%%')}:{made.text}")
            columns += made.columns
        else:
            some.append(["" if value is None else f",{name}:{value}" for value in made])
    template = _Template(",".join(text), columns)
    if not some:
        return _Template("{" + template.text + "}", columns)
    rows = len(some[0])
    if text:
        return ["{" + "".join(parts) + "}" for parts in zip(template.filled(rows), *some, strict=True)]
    return ["{" + inner[1:] + "}" if inner else None for inner in map("".join, zip(*some, strict=True))]


def _value(values: list[Any]) -> _Template | _Some:
    first = values[0]
    if None in values:
        known = next(value for value in values if value is not None)
        text = _WRITE.get(type(known), _encode)
        return [None if value is None else text(value) for value in values]
    if values.count(first) == len(values):
        return _Template(_WRITE.get(type(first), _encode)(first).replace("%", "%%"), [])
    if type(first) is int:
        return _Template("%d", [values])
    if type(first) is not str:
        return _Template("%s", [map(_WRITE.get(type(first), _encode), values)])
    joined = "".join(values)
    if joined.isascii() and joined.isprintable() and '"' not in joined and "\\" not in joined:
        return _Template('"%s"', [values])
    return _Template("%s", [map(quoted, values)])


def _number(value: float) -> str:
    """JSON has no word for infinity."""
    return repr(value) if isfinite(value) else "null"


_WRITE: dict[type, Callable[[Any], str]] = {int: str, float: _number, str: quoted}


class Nested(Headless):
    """A format of nested objects: `SHAPES` says how each table's rows become them."""

    SHAPES: ClassVar[Mapping[str, Callable[[], Shape]]] = {}

    def __init__(self, columns: Sequence[str] = (), tables: Iterable[str] = ()) -> None:
        """Writes all fields, or those made of these columns; of `tables` each has to have them."""
        for table in tables:
            check_columns(table, columns)
        self._columns = columns
        self._shapes: dict[str, Shape] = {}

    def of(self, name: str, batch: Batch) -> list[str]:
        """The batch's rows in the shape of that name."""
        shape = self._shapes.get(name)
        if shape is None:
            shape = self.SHAPES[name]()
            shape = self._shapes[name] = shape.of(self._columns) if self._columns else shape
        return shape.lines(batch)
