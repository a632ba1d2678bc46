"""Rows as columns of plain values: what a board takes, whoever made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tidegate.tui.board.conn import HOT, REST

WANTED: Mapping[str, tuple[str, ...]] = {
    "conn": (*HOT, *REST),
    "http": (
        "ts", "uid", "src_ip", "dst_ip", "method", "host", "uri", "section", "status", "request_body",
        "response_body", "user_agent", "latency",
    ),
    "tls": ("ts", "uid", "sni", "version", "alpn", "ja4", "issuer"),
    "dns": ("ts", "uid", "query", "qtype", "rcode", "answers", "rtt"),
    "alert": (
        "ts", "alert_id", "rule", "key", "state", "severity", "metric", "value", "threshold", "clear",
        "peak", "since", "duration", "message",
    ),
    "health": (
        "ts", "source", "packets", "bytes", "dropped_kernel", "dropped_queue", "dropped_table", "malformed",
    ),
    "host": ("ts", "iface", "ip", "mac", "name", "source"),
    "relay": (
        "ts", "uid", "connection_id", "service", "type", "client_ip", "client_port", "server_ip",
        "server_port", "remote_ip", "remote_port", "backend", "rule", "protocol", "cause", "payload_base64",
        "up_bytes", "down_bytes", "client_country", "client_city", "client_asn", "client_as_org", "text",
    ),
}  # fmt: skip
"""The columns a board looks at, by table."""


class Rows(Protocol):
    """Rows of one table; every batch is one."""

    @property
    def table(self) -> str:
        """The table's name."""

    @property
    def num_rows(self) -> int:
        """How many rows."""

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The values of each named column; times are nanoseconds in UTC."""


@dataclass(frozen=True)
class Lists:
    """Rows that are lists already: from a store, or a piece of a batch."""

    table: str
    names: tuple[str, ...]
    values: Sequence[Sequence[Any]]

    @property
    def num_rows(self) -> int:
        """How many rows."""
        return len(self.values[0]) if self.values else 0

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The values of each named column."""
        return [list(self.values[self.names.index(name)]) for name in names]

    def piece(self, start: int, end: int) -> "Lists":
        """The rows from `start` up to `end`."""
        return Lists(self.table, self.names, [values[start:end] for values in self.values])


def byte_counts(rows: Rows) -> list[list[int]]:
    """Bytes up and down of connections: of IP, or of payload where no packets were seen (relay)."""
    found = []
    for side in ("up", "down"):
        (counts,) = rows.columns((f"{side}_bytes",))
        if None in counts:
            (payload,) = rows.columns((f"{side}_payload",))
            counts = [other if count is None else count for count, other in zip(counts, payload, strict=True)]
        found.append(counts)
    return found
