"""Sink: the store, for `tidegate query`."""

from collections.abc import Collection

from tidegate.model.batch import Batch
from tidegate.store.writer import StoreWriter


class StoreSink:
    """Every table's rows into the store, but those of the tables that are left out."""

    def __init__(self, writer: StoreWriter, left_out: Collection[str] = ()) -> None:
        self.writer = writer
        self._left_out = left_out

    def write(self, batch: Batch) -> None:
        """Appends the rows; readers of the store see them at once."""
        if batch.table not in self._left_out:
            self.writer.write(batch)

    def flush(self) -> None:
        """Syncs, rotates and tidies up, as far as each is due."""
        self.writer.tick()

    def close(self) -> None:
        """Closes the segments into Parquet."""
        self.writer.close()
