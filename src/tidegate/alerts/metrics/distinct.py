"""How many different ports or hosts somebody calls: scans."""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.alerts.connections import COLUMNS, Connection
from tidegate.alerts.metrics.metric import Event, Metric
from tidegate.alerts.window import Distinct, Series
from tidegate.model.filter import Row

LEAST, MOST = 256, 65_536


class _Distinct(Metric):
    """Counts different values of a column, of connections when the rule first meets them."""

    table = "conn"
    key = "src_ip"
    column: ClassVar[str]

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One for each connection."""
        if row["proto"] not in ("tcp", "udp", "sctp"):
            return ()
        fresh = not connection.packets
        if not connection.first(self.number):
            return ()
        return (Event(row["ts" if fresh else "last_ts"], 1.0, row[self.column]),)

    def series(self) -> Series:
        """A set that need not hold much more than raises an alert."""
        wanted = int(2 * (self.settings.threshold or 0))
        return Distinct(self.window, min(max(wanted, LEAST), MOST))


class DistinctPorts(_Distinct):
    """Different ports that are called."""

    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "proto", "dst_port")
    column = "dst_port"


class DistinctHosts(_Distinct):
    """Different addresses that are called."""

    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "proto", "dst_ip")
    column = "dst_ip"
