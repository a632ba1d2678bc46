"""Sink: connections opened and closed, one line each, for a person who watches."""

from collections import OrderedDict
from typing import Any, TextIO

from tidegate.model.batch import Batch
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes, human_duration
from tidegate.sinks.rows import as_dicts

REMEMBERED = 65_536
"""Open connections whose opening line is remembered; beyond, one may be told twice."""


ENDS = 43
"""Characters of both ends, in columns; IPv6 may take more."""

PROGRAM = 24
"""Characters of a program's name at most."""

NAME = 60
"""Characters of a name at most; strangers choose it."""


class ConsoleSink:
    """Lines such as `14:02:11 + tcp   10.0.0.5:41234 > 10.0.0.9:443    eth0  tls    www.example.org`."""

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
    """When, who with whom, where it was seen, and what is known of it by then."""
    return safe_text(f"{_clock(row['ts'])} + {_ends(row)}  {row['iface']}{_said(row)}")


def closed_line(row: dict[str, Any]) -> str:
    """The same, and how it went, how long and how much."""
    took, up, down = (
        human_duration(row["duration"]),
        human_bytes(row["up_bytes"] or 0),
        human_bytes(row["down_bytes"] or 0),
    )
    return safe_text(
        f"{_clock(row['last_ts'])} - {_ends(row)}  {row['conn_state']:<6} {took:>8}"
        f"  up {up:>8}  down {down:>8}{_said(row)}"
    )


def _said(row: dict[str, Any]) -> str:
    """The program, the service and the called end's name, as far as they are known."""
    program, service, name = row["process_name"] or "", row["service"] or "", row["name"] or ""
    words = [
        clip(safe_text(program), PROGRAM),
        f"{service:<5}" if service or name else "",
        clip(safe_text(name), NAME),
    ]
    return "".join(f"  {word}" for word in words if word).rstrip()


def _ends(row: dict[str, Any]) -> str:
    src, dst = (_endpoint(row, end) for end in ("src", "dst"))
    return f"{row['proto']:<5} {f'{src} > {dst}':<{ENDS}}"


def _endpoint(row: dict[str, Any], end: str) -> str:
    ip: str = row[f"{end}_ip"]
    if row["proto"] not in ("tcp", "udp", "sctp"):
        return ip
    return f"[{ip}]:{row[f'{end}_port']}" if ":" in ip else f"{ip}:{row[f'{end}_port']}"


def _clock(moment: str) -> str:
    """The time of day of an ISO 8601 moment, UTC."""
    return moment[11:19]
