"""Sink: rows in aligned columns for a person to read."""

import re
from typing import TextIO

from tidegate.model.batch import Arrow, Batch
from tidegate.model.text import columns_of, fit, safe_text
from tidegate.sinks.rows import as_cells

WIDEST = 40
"""Columns of a terminal that a cell takes at most."""

_NUMBER = re.compile(r"-|[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class TableSink:
    """Rows of one table, aligned; the first rows decide how wide the columns are."""

    def __init__(self, out: TextIO, table: str | None = None) -> None:
        """Takes rows of one table, or everything without one (an answer to SQL)."""
        self._out = out
        self._table = table
        self._widths: list[int] = []
        self._right: list[bool] = []

    def write(self, batch: Batch) -> None:
        """Writes the rows if they are the table's."""
        if self._table is None or batch.table == self._table:
            self.write_rows(batch)

    def write_rows(self, rows: Arrow) -> None:
        """Writes the rows whatever table they are of."""
        names, cells = as_cells(rows)
        if not self._widths:
            self._measure(names, cells)
            self._line(names)
        for row in cells:
            self._line(row)

    def flush(self) -> None:
        """Hands the lines to whoever reads them."""
        self._out.flush()

    def close(self) -> None:
        """Hands over the rest; who opened the file closes it."""
        self._out.flush()

    def _measure(self, names: list[str], cells: list[list[str]]) -> None:
        columns = list(zip(*cells, strict=True)) if cells else [() for _ in names]
        for name, column in zip(names, columns, strict=True):
            self._widths.append(min(max(columns_of(safe_text(cell)) for cell in (name, *column)), WIDEST))
            self._right.append(bool(column) and all(_NUMBER.fullmatch(cell) for cell in column))

    def _line(self, cells: list[str]) -> None:
        shown = (
            fit(safe_text(cell), width, "right" if right else "left")
            for cell, width, right in zip(cells, self._widths, self._right, strict=True)
        )
        self._out.write("  ".join(shown).rstrip() + "\n")
