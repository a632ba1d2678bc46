"""Sink: the store, for `tidegate query`."""

from tidegate.model.batch import Batch
from tidegate.store.writer import StoreWriter


class StoreSink:
    """Every table's rows into the store."""

    def __init__(self, writer: StoreWriter) -> None:
        self.writer = writer

    def write(self, batch: Batch) -> None:
        """Appends the rows; readers of the store see them at once."""
        self.writer.write(batch)

    def flush(self) -> None:
        """Syncs, rotates and tidies up, as far as each is due."""
        self.writer.tick()

    def close(self) -> None:
        """Closes the segments into Parquet."""
        self.writer.close()
