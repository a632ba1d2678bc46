"""One connection of the picture: its row, its rates, and which end of it is ours."""

from array import array
from typing import Any

HOT = ("uid", "ts", "last_ts", "state", "conn_state", "up_bytes", "down_bytes")
"""Columns that are read of every row."""

REST = (
    "iface", "proto", "src_ip", "src_port", "dst_ip", "dst_port", "vlan", "tunnel", "service",
    "name", "name_source", "name_age", "history", "end_reason", "duration", "community_id",
    "relay_service", "relay_rule", "relay_cause",
    "up_packets", "up_payload", "up_retransmits", "up_out_of_order", "up_zero_windows", "up_missed", "up_ttl",
    "down_packets", "down_payload", "down_retransmits", "down_out_of_order", "down_zero_windows",
    "down_missed", "down_ttl", "rtt_client", "rtt_server",
    "process_pid", "process_name", "process_path", "process_cmdline", "process_parent", "process_user",
    "process_started", "process_container", "process_method", "process_confidence",
    "peer_process_pid", "peer_process_name", "peer_process_path", "peer_process_cmdline",
    "peer_process_parent", "peer_process_user", "peer_process_started", "peer_process_container",
    "peer_process_method", "peer_process_confidence",
    "src_country", "src_city", "src_asn", "src_as_org", "dst_country", "dst_city", "dst_asn", "dst_as_org",
)  # fmt: skip
"""Columns that are read of a connection that is new, young or over, and now and then in between."""

PLACE = {name: place for place, name in enumerate(REST)}
LONGEST = 512
"""Characters that are kept of any text; strangers choose it."""

TRACE = 32
"""Rates that are remembered of a connection."""

_SLOTS = frozenset(HOT)


class Conn:
    """A connection; also a mapping from column to value, as filters want it."""

    __slots__ = (
        "cells", "closed_at", "conn_state", "down_bytes", "host", "inbound", "last_ts", "peer", "program",
        "rate_down", "rate_up", "rows", "state", "trace", "ts", "uid", "up_bytes", "updated",
    )  # fmt: skip

    def __init__(self, uid: str, ts: int) -> None:
        self.uid = uid
        self.ts = self.last_ts = ts
        self.state = "active"
        self.conn_state = ""
        self.up_bytes = self.down_bytes = 0
        self.cells: tuple[Any, ...] = ()
        """Values of `REST`."""
        self.inbound = False
        """Whether the end that was called is ours."""
        self.rate_up = self.rate_down = 0.0
        """Bytes a second between its last two rows."""
        self.rows = 0
        self.updated = ts
        """When its last row came."""
        self.closed_at: int | None = None
        """When it ended; its last row may come later."""
        self.program: tuple[int | None, str | None] = (None, None)
        self.peer: tuple[int | None, str | None] | None = None
        self.host = ""
        """Address of the end that is not ours."""
        self.trace: tuple[array[float], array[float]] | None = None

    def __contains__(self, name: str) -> bool:
        return name in PLACE or name in _SLOTS

    def __getitem__(self, name: str) -> Any:
        place = PLACE.get(name)
        return self.cells[place] if place is not None else getattr(self, name)

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.closed_at is not None

    @property
    def received(self) -> int:
        """Bytes that came to our end."""
        return self.up_bytes if self.inbound else self.down_bytes

    @property
    def sent(self) -> int:
        """Bytes that our end sent."""
        return self.down_bytes if self.inbound else self.up_bytes

    def rates(self, now: int, stale: int) -> tuple[float, float]:
        """Bytes a second received and sent; nothing if it is over or has been silent for `stale` ns."""
        if self.closed_at is not None or now - self.last_ts > stale:
            return 0.0, 0.0
        return (self.rate_up, self.rate_down) if self.inbound else (self.rate_down, self.rate_up)

    def age(self, now: int) -> float:
        """Seconds since it began, until it ended."""
        end = self.last_ts if self.closed_at is not None else max(now, self.last_ts)
        return (end - self.ts) / 1e9

    def remember(self) -> None:
        """Puts its rates into its trace."""
        if self.trace is None:
            self.trace = (array("f"), array("f"))
        for trace, rate in zip(self.trace, (self.rate_down, self.rate_up), strict=True):
            if len(trace) >= TRACE:
                del trace[0]
            trace.append(rate)
