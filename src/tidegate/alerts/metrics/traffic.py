"""Traffic of connections: packets, bytes, beginnings, failures, and bytes a month."""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.alerts.connections import COLUMNS, Connection
from tidegate.alerts.metrics.metric import Event, Metric
from tidegate.alerts.window import Month, Series
from tidegate.model.filter import Row

FAILED = ("S0", "REJ")
"""Nobody answered, or somebody refused."""


class _Traffic(Metric):
    """What counts packets and bytes. Without a filter, what a tunnel carries counts once, as the tunnel's."""

    table = "conn"
    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "tunnel")

    def counts(self, row: Row) -> bool:
        """Whether the row's counters count."""
        return row["tunnel"] is None or bool(self.settings.filter)


class Packets(_Traffic):
    """Packets in both directions."""

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """What came since the last row."""
        new = connection.new_packets(self.number, row) if self.counts(row) else 0
        return (Event(row["last_ts"], new),) if new else ()


class Bytes(_Traffic):
    """IP bytes in both directions."""

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """What came since the last row."""
        new = connection.new_bytes(self.number, row) if self.counts(row) else 0
        return (Event(row["last_ts"], new),) if new else ()


class Quota(Bytes):
    """IP bytes of a month."""

    def series(self) -> Series:
        """A month's total."""
        return Month(self.settings.reset_day)


class Connections(Metric):
    """New connections, each once."""

    table = "conn"
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One when the rule meets it for the first time."""
        fresh = not connection.packets
        return (Event(row["ts" if fresh else "last_ts"]),) if connection.first(self.number) else ()


class FailedConnections(Metric):
    """Connections that nobody answered (S0) or somebody refused (REJ), each once, when it is over."""

    table = "conn"
    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "conn_state", "proto", "dst_ip")

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One at the end of it. Nobody has to answer what is sent to many."""
        failed = row["state"] == "closed" and row["conn_state"] in FAILED
        if not failed or (row["proto"] == "udp" and _to_many(row["dst_ip"])):
            return ()
        if row["proto"] not in ("tcp", "udp", "sctp") or not connection.first(self.number):
            return ()
        return (Event(row["last_ts"]),)


def _to_many(address: str) -> bool:
    """Multicast or broadcast, as far as an address tells."""
    first = address.partition(".")[0]
    return address.startswith("ff") or address.endswith(".255") or first in _MULTICAST


_MULTICAST = frozenset(map(str, range(224, 240)))
