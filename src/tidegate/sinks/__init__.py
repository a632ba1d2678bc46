"""Where batches go: one file, one format."""

from typing import Protocol

from tidegate.model.batch import Batch


class Sink(Protocol):
    """Takes batches of some tables."""

    def write(self, batch: Batch) -> None:
        """Takes the rows; those of tables it is not meant for are let pass by the sink itself."""

    def flush(self) -> None:
        """Called about once a second, and before close: everything taken so far goes out."""

    def close(self) -> None:
        """Called once, at the end."""
