"""Segments as files: the only place of the store that speaks to the core."""

from pathlib import Path
from typing import cast

from tidegate import _core
from tidegate.model.batch import Arrow, Batch
from tidegate.model.errors import from_core


class OpenSegment:
    """A segment that grows; what is written is on its way to disk, what is synced is there."""

    def __init__(self, path: Path, first: Batch) -> None:
        """Creates the file with the batch's columns; does not write its rows."""
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.path = path
        with from_core():
            self._writer = _core.SegmentWriter(str(path), cast(_core.Batch, first))

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._writer.bytes_written

    def write(self, batch: Batch) -> None:
        """Appends the rows; readers see them at once."""
        with from_core():
            self._writer.write(cast(_core.Batch, batch))

    def sync(self) -> None:
        """Waits until all rows written so far would outlive a power cut."""
        with from_core():
            self._writer.sync()

    def close(self) -> None:
        """Ends the file; it stays an open segment until it is rewritten as Parquet."""
        with from_core():
            self._writer.close()


def read_segment(path: Path) -> Arrow | None:
    """The rows of an open segment up to its last whole batch; each stream reads the file anew.

    None if it is damaged from its start: then there is nothing to be had of it.
    """
    with from_core():
        reader = _core.SegmentReader(str(path))
        return reader if reader.readable else None


def no_rows(table: str) -> Arrow:
    """The table's columns without a row."""
    with from_core():
        return _core.empty(table)


def write_parquet(path: Path, rows: Arrow) -> None:
    """Writes the rows as one Parquet file: whole or not at all."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with from_core():
        writer = _core.ParquetWriter(str(path))
        writer.write(rows)
        writer.close()
