"""Sink: one Parquet file, there whole or not at all."""

from pathlib import Path

from tidegate import _core
from tidegate.model.batch import Arrow, Batch
from tidegate.model.errors import from_core


class ParquetSink:
    """Rows of one table to a file that appears at close()."""

    def __init__(self, path: Path, table: str | None = None) -> None:
        """Takes rows of one table, or everything without one (an answer to SQL)."""
        self._table = table
        with from_core():
            self._writer = _core.ParquetWriter(str(path))

    def write(self, batch: Batch) -> None:
        """Writes the rows if they are the table's."""
        if self._table is None or batch.table == self._table:
            self.write_rows(batch)

    def write_rows(self, rows: Arrow) -> None:
        """Writes the rows whatever table they are of."""
        with from_core():
            self._writer.write(rows)

    def flush(self) -> None:
        """Nothing: an unfinished Parquet file is of no use to anyone."""

    def close(self) -> None:
        """Finishes the file and gives it its name."""
        with from_core():
            self._writer.close()
