"""What the kernel dropped because we were late."""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.alerts.connections import Connection
from tidegate.alerts.metrics.metric import Event, Metric
from tidegate.model.filter import Row


class KernelDrops(Metric):
    """Packets that the kernel dropped, by source."""

    table = "health"
    columns: ClassVar[tuple[str, ...]] = ("ts", "source", "dropped_kernel")
    key = "source"
    threshold = 0.0

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """As many as the interval says."""
        return (Event(row["ts"], row["dropped_kernel"]),) if row["dropped_kernel"] else ()
