"""Sink: TSV, CSV or JSON lines, written by the core; and JSON lines by a layout."""

from typing import BinaryIO

from tidegate import _core
from tidegate.model.batch import Arrow, Batch
from tidegate.model.errors import from_core
from tidegate.model.text import safe_text


class TextSink:
    """Rows of one table as lines; on a terminal, whatever it would act on is escaped."""

    def __init__(self, out: BinaryIO, format: str, table: str | None = None) -> None:
        """Takes rows of one table, or everything without one (an answer to SQL)."""
        self._out = out
        self._table = table
        self._terminal = out.isatty()
        with from_core():
            self._writer = _core.TextWriter(format)

    def write(self, batch: Batch) -> None:
        """Writes the rows if they are the table's."""
        if self._table is None or batch.table == self._table:
            self.write_rows(batch)

    def write_rows(self, rows: Arrow) -> None:
        """Writes the rows whatever table they are of."""
        with from_core():
            lines = self._writer.write(rows)
        self._out.write(_escaped(lines) if self._terminal else lines)

    def flush(self) -> None:
        """Hands the lines to whoever reads them."""
        self._out.flush()

    def close(self) -> None:
        """Hands over the rest; who opened the file closes it."""
        self._out.flush()


def text_of(format: str, rows: Arrow) -> bytes:
    """The rows as lines, without a header."""
    with from_core():
        return _core.TextWriter(format, header=False).write(rows)


class LaidOut:
    """Rows of one table as lines of JSON, by a layout (`layout.py`)."""

    def __init__(self, layout: object) -> None:
        """Raises UsageError for keys that cannot stand beside each other."""
        with from_core():
            self._writer = _core.LineWriter(layout)

    def lines(self, rows: Arrow) -> bytes:
        """A line for each row that the layout does not leave out; raises UsageError for a missing column."""
        with from_core():
            return self._writer.write(rows)


def _escaped(lines: bytes) -> bytes:
    text = lines.decode(errors="backslashreplace")
    return "\n".join(
        "\t".join(safe_text(cell) for cell in line.split("\t")) for line in text.split("\n")
    ).encode()
