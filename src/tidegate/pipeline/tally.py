"""Counts what rows say: connections by how they went, alerts by what became of them, what the relay lost."""

from collections import Counter

from tidegate.model.batch import Batch
from tidegate.model.stats import RELAY


class Tally:
    """A sink that keeps numbers only. They go on over reloads."""

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter()
        """Connections that are over, by Zeek's conn_state."""
        self.alerts: Counter[tuple[str, str]] = Counter()
        """Alerts raised and recovered, by state and severity."""
        self.relay_dropped = 0
        """Rows that a relay could not hand over because we were late."""

    def write(self, batch: Batch) -> None:
        """Counts the rows; a connection only once, by its last one."""
        if batch.table == "conn":
            states = zip(*batch.columns(["state", "conn_state"]), strict=True)
            self.connections.update(conn_state for state, conn_state in states if state == "closed")
        elif batch.table == "alert":
            self.alerts.update(zip(*batch.columns(["state", "severity"]), strict=True))
        elif batch.table == "health":
            lost = zip(*batch.columns(["source", "dropped_queue"]), strict=True)
            self.relay_dropped += sum(count for source, count in lost if source == RELAY)

    def flush(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing: the next line goes on counting."""
