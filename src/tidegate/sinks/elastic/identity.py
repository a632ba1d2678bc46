"""What makes a row that one and no other, beside its time: some of its columns, however it is written down.

The same text comes of a row as it is made, of its line of JSON in a log, and of its ECS document. Of a table
that is not listed here all columns count that ECS keeps as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.tables import find_table
from tidegate.sinks.ecs import fields_of
from tidegate.sinks.elastic.moment import nanoseconds
from tidegate.sinks.moments import iso

_COLUMNS: dict[str, tuple[str, ...]] = {
    # An interim row differs from the next one in what it counts, or in what was found out since.
    "conn": ("uid", "sensor", "state", "last_ts", "up_packets", "down_packets", "process_pid", "name"),
    "http": ("uid", "sensor", "trans_depth", "status"),
    "tls": ("uid", "sensor", "sni"),
    "dns": ("uid", "sensor", "trans_id", "opcode", "query", "qtype", "rcode"),
    "icmp": (
        *("uid", "sensor", "kind", "icmp_type", "icmp_code", "echo_id", "echo_seq", "payload", "ttl"),
        "about_uid",
    ),
    "ssh": ("uid", "sensor"),
    "packet": (
        *("uid", "src_ip", "src_port", "dst_ip", "dst_port", "length", "tcp_seq", "ttl", "payload_size"),
        "info",
    ),
    "host": ("sensor", "ip", "name", "source"),
    "alert": ("alert_id", "sensor", "state"),
    "relay": (
        *("uid", "sensor", "connection_id", "service", "type", "size", "up_bytes", "down_bytes"),
        *("cause", "text"),
    ),
    "health": ("sensor", "source", "packets", "bytes"),
}

_EMPTY_IS_MISSING = frozenset({"sensor", "source"})
"""Columns that an ECS document leaves out where they are empty."""

_FIRST = {"ip": "host.ip"}
"""Columns that an ECS document has as a list of one."""


@lru_cache(64)
def columns(table: str) -> tuple[str, ...]:
    """The columns of a table that count."""
    if table in _COLUMNS:
        return _COLUMNS[table]
    kinds = {column.name: column.type for column in find_table(table).columns}
    plain = [
        name for name, kind in kinds.items() if not kind.endswith("]") and kind not in ("DOUBLE", "FLOAT")
    ]
    return tuple(name for name in plain if name != "ts" and name in _paths(table))


def of_batch(batch: Batch, names: Sequence[str]) -> list[bytes]:
    """A text for each row, of these columns."""
    return [_text(row) for row in zip(*batch.columns(names), strict=True)]


def of_ecs(table: str, parsed: Mapping[str, Any]) -> bytes | None:
    """The text of an ECS document; None where it has not all of it, since its log left columns out."""
    values = []
    for keys, back, needed in _ways(table):
        value: Any = parsed
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None and needed:
            return None
        values.append(None if value is None else back(value))
    return _text(values)


@lru_cache(64)
def _ways(table: str) -> list[tuple[list[str], Callable[[Any], Any], bool]]:
    """For each column that counts: its path, how its value comes back, and whether every whole row has it."""
    needed = {each.name for each in find_table(table).columns if not each.nullable} - _EMPTY_IS_MISSING
    found = [(name, *_paths(table)[name]) for name in columns(table)]
    return [(path.split("."), back, name in needed) for name, path, back in found]


@lru_cache(64)
def _paths(table: str) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Where an ECS document has a column, and how its value becomes the column's again."""
    found: dict[str, tuple[str, Callable[[Any], Any]]] = {}
    for each in fields_of(table):
        if len(each.columns) != 1 or each.columns[0] in found:
            continue
        name = each.columns[0]
        if each.path == _FIRST.get(name):
            found[name] = (each.path, lambda value: value[0])
        elif each.make is None or name in _EMPTY_IS_MISSING or _is_made_by(each.make, str):
            found[name] = (each.path, lambda value: value)
        elif _is_made_by(each.make, iso):
            found[name] = (each.path, nanoseconds)
    return found


def _is_made_by(make: Callable[..., Any], function: Callable[..., Any]) -> bool:
    """`field` wraps what it is given in a function that leaves out what is missing."""
    cells = getattr(make, "__closure__", None) or ()
    return any(cell.cell_contents is function for cell in cells)


def _text(values: Sequence[Any]) -> bytes:
    return "\x1f".join(["" if value is None else str(value) for value in values]).encode(errors="replace")
