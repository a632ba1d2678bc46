"""Sink: connections of the relay, a line when one is made and when it ends, for a person who watches."""

import time
from collections.abc import Callable
from typing import Any, TextIO

from tidegate.model.batch import Batch
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes, human_duration
from tidegate.sinks.moments import second

REFUSED = 10
"""Lines a second for those that are refused; the others are counted."""

NAME = 40
"""Characters of a name at most."""

_COLUMNS = (
    *("ts", "type", "connection_id", "service", "client_ip", "client_port", "server_ip", "server_port"),
    *("remote_ip", "remote_port", "rule", "protocol", "cause", "size", "up_bytes", "down_bytes", "duration"),
)

Row = dict[str, Any]


class RelayConsole:
    """Lines such as `14:02:11 + #7 :22  192.0.2.7:41234 > 127.0.0.1:2222`; `every` has one for each event."""

    def __init__(self, out: TextIO, every: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._every = every
        self._clock = clock
        self._second = 0
        self._refused = 0
        self._untold = 0

    def write(self, batch: Batch) -> None:
        """Writes what is to be told of these events."""
        if batch.table != "relay":
            return
        for values in zip(*batch.columns(_COLUMNS), strict=True):
            row: Row = dict(zip(_COLUMNS, values, strict=True))
            if self._is_told(row["type"]):
                self._out.write(line_of(row) + "\n")

    def flush(self) -> None:
        """Says how many refused ones were not told of, and hands the lines to whoever reads them."""
        if self._untold:
            self._out.write(f"         ! {self._untold:,} more were refused\n")
            self._untold = 0
        self._out.flush()

    def close(self) -> None:
        """Hands over the rest; who opened the stream closes it."""
        self.flush()

    def _is_told(self, kind: str) -> bool:
        if kind == "refused":
            return self._has_room()
        return kind not in ("notice", "accept", "detect", "recv", "send") or (
            self._every and kind != "notice"
        )

    def _has_room(self) -> bool:
        now = int(self._clock())
        if now != self._second:
            self._second, self._refused = now, 0
        self._refused += 1
        self._untold += self._refused > REFUSED
        return self._refused <= REFUSED


_SIGNS = {
    "connect": "+",
    "close": "-",
    "refused": "!",
    "accept": "a",
    "detect": "d",
    "recv": ">",
    "send": "<",
}


def line_of(row: Row) -> str:
    """One event in one line."""
    number = f"#{row['connection_id']}" if row["connection_id"] is not None else ""
    parts = [
        second(row["ts"])[11:],
        "x" if row["type"] == "connect" and row["cause"] else _SIGNS.get(row["type"], "?"),
        number,
        clip(row["service"] or "", NAME),
        _ends(row),
        *_told(row),
    ]
    return safe_text(" ".join(part for part in parts if part))


def _ends(row: Row) -> str:
    client = _end(row["client_ip"], row["client_port"])
    called = _end(row["server_ip"], row["server_port"])
    if row["type"] in ("connect", "close") and row["remote_ip"] is not None:
        return f" {client} > {_end(row['remote_ip'], row['remote_port'])}"
    return f" {client} > {called}"


def _told(row: Row) -> list[str]:
    words = [
        f"rule {clip(row['rule'], NAME)}" if row["rule"] and row["type"] != "recv" else "",
        row["protocol"] or "",
    ]
    if row["type"] in ("recv", "send"):
        return [human_bytes(row["size"] or 0)]
    if row["type"] == "close":
        up, down = human_bytes(row["up_bytes"] or 0), human_bytes(row["down_bytes"] or 0)
        words += [human_duration(row["duration"] or 0.0), f"up {up} down {down}"]
    if row["cause"]:
        words.append(f"({row['cause']})")
    return [f" {word}" for word in words if word]


def _end(ip: str | None, port: int | None) -> str:
    if ip is None:
        return "-"
    if port is None:
        return clip(ip, 110)
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


class Notices:
    """Says what the relay has to say of itself, each once in a row. It is fed as a sink is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = ""

    def write(self, batch: Batch) -> None:
        """Says the notices among these events."""
        if batch.table != "relay":
            return
        for kind, service, text in zip(*batch.columns(("type", "service", "text")), strict=True):
            if kind != "notice":
                continue
            # A service of the command line is called as its door, with which most of its notices begin.
            named = not service or text.startswith(f"{service}: ")
            said = text if named else f"{service}: {text}"
            if said != self._last:
                self._last = said
                self._say(f"tidegate: {clip(said, 500)}")

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""
