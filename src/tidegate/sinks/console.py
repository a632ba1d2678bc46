"""Sink: connections opened and closed, one line each, for a person who watches."""

from collections import OrderedDict
from typing import Any, TextIO

from tidegate.model.batch import Batch
from tidegate.model.text import safe_text
from tidegate.model.units import human_bytes, human_duration
from tidegate.sinks.rows import as_dicts

REMEMBERED = 65_536
"""Open connections whose opening line is remembered; beyond, one may be told twice."""


class ConsoleSink:
    """Lines such as `14:02:11 + tcp 10.0.0.5:41234 > 10.0.0.9:443 eth0`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told: OrderedDict[str, None] = OrderedDict()

    def write(self, batch: Batch) -> None:
        """Writes a line for each connection that is new or over."""
        if batch.table == "conn":
            for row in as_dicts(batch):
                if line := self._line(row):
                    self._out.write(line + "\n")

    def flush(self) -> None:
        """Hands the lines to whoever reads them."""
        self._out.flush()

    def close(self) -> None:
        """Hands over the rest; who opened the file closes it."""
        self._out.flush()

    def _line(self, row: dict[str, Any]) -> str | None:
        uid = row["uid"]
        if row["state"] == "closed":
            self._told.pop(uid, None)
            return closed_line(row)
        if uid in self._told:
            return None
        self._told[uid] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return opened_line(row)


def opened_line(row: dict[str, Any]) -> str:
    """When, who with whom, and where it was seen."""
    return safe_text(f"{_clock(row['ts'])} + {_ends(row)}  {row['iface']}")


def closed_line(row: dict[str, Any]) -> str:
    """The same, and how it went, how long and how much."""
    service = f"  {row['service']}" if row["service"] else ""
    return safe_text(
        f"{_clock(row['last_ts'])} - {_ends(row)}  {row['conn_state']}  {human_duration(row['duration'])}"
        f"  up {human_bytes(row['up_bytes'])}  down {human_bytes(row['down_bytes'])}{service}"
    )


def _ends(row: dict[str, Any]) -> str:
    if row["proto"] not in ("tcp", "udp", "sctp"):
        return f"{row['proto']} {row['src_ip']} > {row['dst_ip']}"
    src, dst = (_endpoint(row[f"{end}_ip"], row[f"{end}_port"]) for end in ("src", "dst"))
    return f"{row['proto']} {src} > {dst}"


def _endpoint(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _clock(moment: str) -> str:
    """The time of day of an ISO 8601 moment, UTC."""
    return moment[11:19]
