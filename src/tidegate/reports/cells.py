"""Values of answers as people read them, by what their column is."""

import math
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes, human_count, human_duration
from tidegate.reports.asking import Column

LONGEST = 200
"""Characters of a cell at most; the sheet has them all."""
SHORT = {"payload": 80}
"""Of columns of which the beginning says what it is, so that a phone shows several."""

_BYTES = frozenset(
    {"bytes", "sent", "received", "size", "missed_bytes", "from_clients", "to_clients", "request_body",
     "response_body", "up_bytes", "down_bytes", "up_payload", "down_payload"}
)  # fmt: skip
_SECONDS = frozenset({"rtt", "latency", "duration", "seconds"})
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_PLAIN = frozenset({"asn", "status", "port", "dst_port", "src_port", "server_port", "client_port", "vlan"})
"""Numbers that name something: nobody counts them."""

_HEADINGS = {
    "ts": "time", "src_ip": "source", "dst_ip": "destination", "src_port": "source port", "dst_port": "port",
    "proto": "protocol", "asn": "AS", "as_org": "network", "uri": "URI", "median_rtt": "median RTT",
    "max_rtt": "max RTT", "dropped_kernel": "dropped by kernel", "dropped_queue": "by queue",
    "dropped_table": "by table", "most_of": "most from", "seconds": "duration",
}  # fmt: skip
"""What people call columns whose names are the tables'."""

MISSING = "\N{EN DASH}"
UNKNOWN = "unknown"
"""What a row is about, where nobody knows."""
_MINUS = "\N{MINUS SIGN}"


def is_bytes(column: str) -> bool:
    """Whether its values are bytes."""
    return column in _BYTES or column.endswith("_bytes")


def is_seconds(column: str) -> bool:
    """Whether its values are durations in seconds."""
    return column in _SECONDS or column.rpartition("_")[2] in _SECONDS


def is_number(column: Column) -> bool:
    """Whether it is set to the right."""
    kind = column.type.partition("(")[0]
    return kind in ("DOUBLE", "FLOAT", "DECIMAL") or kind.endswith(_WHOLE)


def is_amount(column: Column) -> bool:
    """Whether its values can be added up and compared."""
    return is_number(column) and column.name not in _PLAIN


def heading(column: Column) -> str:
    """What stands above it."""
    return _HEADINGS.get(column.name) or safe_text(column.name.replace("_", " "))


def shown(value: Any, column: str, zone: ZoneInfo) -> str:
    """The value in words: sizes, durations, local times; one safe line of bounded length."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{local(value, zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | tuple):
        return clip(safe_text(", ".join(map(str, value))), LONGEST)
    if isinstance(value, int | float) or _is_decimal(value):
        return amount(float(value) if not isinstance(value, int) else value, column)
    return clip(safe_text(str(value)), SHORT.get(column, LONGEST))


def amount(value: float, column: str) -> str:
    """A number with the unit of its column."""
    if not math.isfinite(value):
        return MISSING
    if is_bytes(column):
        return human_bytes(value)
    if is_seconds(column):
        return human_duration(value)
    if column in _PLAIN:
        return str(int(value))
    return human_count(value) if float(value).is_integer() else f"{value:,.4g}"


def change(now: float, before: float) -> str:
    """ "+12%", "as before", "3.4 times before": how a figure stands to the period before."""
    if now == before:
        return "as before"
    if not before:
        return "none before"
    share = (now - before) / abs(before)
    if share >= 2:
        return f"{now / before:,.1f} times before"
    return f"{'+' if share > 0 else _MINUS}{abs(share) * 100:.0f}%" if abs(share) >= 0.005 else "as before"


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment of a table, which is UTC without saying so, by the clock of the zone."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return known.astimezone(zone)
    except OverflowError:  # "infinity"
        return known


def exact(value: Any, zone: ZoneInfo) -> str:
    """The value for a program that reads the sheet: nothing rounded, times with their offset."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value, zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _is_decimal(value: Any) -> bool:
    return type(value).__name__ == "Decimal"
