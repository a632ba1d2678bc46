"""Sink: before another one, lets through only the rows that a filter wants."""

from tidegate.model.batch import Batch
from tidegate.model.filter import Filter
from tidegate.sinks import Sink


class OnlySink:
    """What is shown can be less than what is kept."""

    def __init__(self, sink: Sink, wanted: Filter) -> None:
        self._sink = sink
        self._wanted = wanted

    def write(self, batch: Batch) -> None:
        """Hands the wanted rows on."""
        kept = self._wanted.keep(batch)
        if kept.num_rows:
            self._sink.write(kept)

    def flush(self) -> None:
        """Flushes the other."""
        self._sink.flush()

    def close(self) -> None:
        """Closes the other."""
        self._sink.close()
