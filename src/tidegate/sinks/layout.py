"""Which keys a line of JSON has, nested or plain, and what stands there: the core writes the lines in bulk.

A layout has a list of keys for each kind of row. A key without a value is left out, and so is an object with
nothing in it. All text is ASCII: whatever a stranger sent, no control or direction mark is left in it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from tidegate.model.batch import Batch
from tidegate.sinks.format import Headless, check_columns
from tidegate.sinks.text import LaidOut

_encode = json.JSONEncoder(separators=(",", ":")).encode

Style = Literal["plain", "known", "micros", "spaced micros", "characters", "nanoseconds", "ip", "ip version"]
"""How a column's value is written.

As it is (times as `2026-11-20T10:20:54.176026123Z`); the same, left out where it is empty or 0; times as
`2026-11-20T10:20:54.176026Z` and `2026-11-20 10:20:54.176026`; base 64 as a character for each byte; seconds
as whole nanoseconds; text if it is an IP address; of an IP address `ipv4` or `ipv6`.
"""

Piece = tuple[str, str, str | None]
"""Of a text that is put together: what comes before, the column, and what stands for a value that is missing
or empty; with None the whole piece is left out then."""


@dataclass(frozen=True)
class Key:
    """A key: its path with dots between objects, and what stands there. Made by the functions below."""

    path: str
    style: Style | Literal["constant", "either", "joined"]
    column: str = ""
    texts: tuple[str, ...] = ()
    """JSON, where that is the same in all lines or one of two."""
    pieces: tuple[Piece, ...] = ()
    made_of: tuple[str, ...] = ()
    """The columns it goes with where only some are written."""


def column(path: str, name: str, style: Style = "plain") -> Key:
    """A column's value."""
    return Key(path, style, column=name, made_of=(name,))


def constant(path: str, value: Any, *made_of: str) -> Key:
    """The same in every line of a list; `made_of` the columns that say which list it is."""
    return Key(path, "constant", texts=(_encode(value),), made_of=made_of)


def either(path: str, name: str, there: Any, missing: Any, *made_of: str) -> Key:
    """One of two values: whether the column has one (that is not empty) or not."""
    return Key(
        path, "either", column=name, texts=(_encode(there), _encode(missing)), made_of=(name, *made_of)
    )


def joined(path: str, *pieces: Piece) -> Key:
    """A text put together of columns."""
    return Key(path, "joined", pieces=pieces, made_of=tuple(name for _, name, _ in pieces))


Keys = Sequence[Key]


@dataclass(frozen=True)
class Layout:
    """What lines look like."""

    kinds: Sequence[tuple[str, Keys | None]]
    """The keys of rows of each kind; with None they are left out."""
    others: Keys
    """The keys of rows of any other kind."""
    by: str = "type"
    """The column that says of which kind a row is."""

    def of(self, names: Iterable[str]) -> "Layout":
        """The same with only those keys that are made of these columns, or of the time, or of none."""
        wanted = {*names, "ts"}

        def kept(keys: Keys) -> Keys:
            return [key for key in keys if wanted.issuperset(key.made_of)]

        kinds = [(kind, None if keys is None else kept(keys)) for kind, keys in self.kinds]
        return replace(self, kinds=kinds, others=kept(self.others))


def layout(keys_of: Callable[[str], Keys], kinds: Iterable[str], without: Iterable[str] = ()) -> Layout:
    """The layout whose lists `keys_of` gives by kind, "" for kinds that are not named; some left out."""
    listed: Mapping[str, Keys | None] = {kind: keys_of(kind) for kind in kinds}
    return Layout([*listed.items(), *((kind, None) for kind in without)], keys_of(""))


class Laid(Headless):
    """A format of the lines of one layout."""

    LAYOUT: ClassVar[Callable[[], Layout]]

    def __init__(self, columns: Sequence[str] = (), tables: Iterable[str] = ()) -> None:
        """Writes all keys, or those made of these columns; of `tables` each has to have them."""
        for table in tables:
            check_columns(table, columns)
        layout = type(self).LAYOUT()
        self._laid_out = LaidOut(layout.of(columns) if columns else layout)

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return self._laid_out.lines(batch)
