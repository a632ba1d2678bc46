"""Formats tsv, csv and jsonl: the columns as they are, written by the core, a file for each table."""

import re
from collections.abc import Iterable

from tidegate.model.batch import Batch
from tidegate.model.tables import find_table
from tidegate.model.text import safe_text
from tidegate.sinks.format import check_columns
from tidegate.sinks.text import text_of

_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")
_FIRST = ("\u061c".encode(), "\ufeff".encode(), b"\xe2\x80", b"\xe2\x81")
"""How such marks begin in UTF-8: looked for before the text is taken apart."""


class Plain:
    """Lines of one table."""

    repeats = False

    def __init__(self, format: str, table: str, columns: Iterable[str] = ()) -> None:
        """Writes all columns, or these, in their order."""
        self._format = format
        self._table = table
        self._columns = check_columns(table, columns)

    def head(self) -> bytes:
        """The names of the columns; nothing in JSON."""
        if self._format == "jsonl":
            return b""
        separator = "\t" if self._format == "tsv" else ","
        return (separator.join(self._columns) + "\n").encode()

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        chosen = batch.select(self._columns)
        text = text_of(self._format, chosen)
        if text.count(b"\n") != batch.num_rows:
            text = text_of(self._format, _unbroken(chosen, self._table, self._columns))
        # Looking for each takes longer than writing the lines; most are ASCII, which is seen at once.
        marked = not text.isascii() and any(first in text for first in _FIRST)
        return _unmarked(text) if marked else text

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def tail(self) -> bytes:
        """Nothing."""
        return b""


def _unbroken(batch: Batch, table: str, columns: Iterable[str]) -> Batch:
    """The rows with controls in texts as escapes: CSV allows line breaks within quotes, logs do not."""
    kinds = {column.name: column.type for column in find_table(table).columns}
    texts = [name for name in columns if kinds[name] == "VARCHAR"]
    values = zip(texts, batch.columns(texts), strict=True)
    return batch.with_columns(
        {name: [text if text is None else safe_text(text) for text in column] for name, column in values}
    )


def _unmarked(text: bytes) -> bytes:
    """Marks that turn the direction of text, as escapes."""
    return _MARKS.sub(lambda match: f"\\u{ord(match.group()):04x}", text.decode()).encode()
