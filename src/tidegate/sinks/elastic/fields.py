"""Types of fields as the server indexes them, made of the tables' schemas."""

from collections.abc import Iterable
from typing import Any

from tidegate.model.tables import find_table
from tidegate.sinks.ecs import fields_of
from tidegate.sinks.nested import Field

Mapping_ = dict[str, Any]

KEYWORD: Mapping_ = {"type": "keyword", "ignore_above": 8191}
"""Text as a whole. A term has 32,766 bytes at most: longer text is kept, but not indexed."""

TIME: Mapping_ = {"type": "date_nanos"}
IP: Mapping_ = {"type": "ip", "ignore_malformed": True}
"""Where an address stands there may stand another name of an end: that is kept, but not indexed."""

LONG: Mapping_ = {"type": "long"}
FOLDED: Mapping_ = {"type": "object", "enabled": False}
"""Kept, but not indexed: its keys are no fields of a schema."""

_OF_COLUMN: dict[str, Mapping_] = {
    "VARCHAR": KEYWORD,
    "BOOLEAN": {"type": "boolean"},
    "TIMESTAMP_NS": TIME,
    "DOUBLE": {"type": "double"},
    "FLOAT": {"type": "float"},
}

_MADE: dict[str, Mapping_] = {
    "event.duration": LONG,
    "event.severity": LONG,
    "message": {"type": "text"},
    "network.bytes": LONG,
    "network.packets": LONG,
    "url.port": LONG,
    "dns.resolved_ip": IP,
    "host.ip": IP,
    "dns.answers": {"properties": {"data": KEYWORD, "type": KEYWORD, "ttl": LONG}},
    # Certificates may be valid until 9999, which nanoseconds cannot say.
    "tls.server.not_before": {"type": "date"},
    "tls.server.not_after": {"type": "date"},
}
"""Fields of ECS that are made of columns of another type. All others made so are keywords."""

_FAR = frozenset({"not_before", "not_after"})


def of_column(table: str, name: str) -> Mapping_:
    """The type of a column."""
    kind = next(column.type for column in find_table(table).columns if column.name == name)
    if kind.startswith("MAP"):
        return FOLDED
    if name in _FAR:
        return {"type": "date"}
    if kind == "VARCHAR" and (name == "ip" or name.endswith("_ip")):
        return IP
    return _OF_COLUMN.get(kind.removesuffix("[]"), LONG)


def flat(table: str) -> Mapping_:
    """The fields of a table under its own names."""
    names = [column.name for column in find_table(table).columns if column.name != "ts"]
    return {"@timestamp": TIME} | {name: of_column(table, name) for name in names}


def ecs(table: str) -> Mapping_:
    """The fields of a table as ECS has them."""
    return nested((each.path, _of_field(table, each)) for each in fields_of(table))


def nested(fields: Iterable[tuple[str, Mapping_]]) -> Mapping_:
    """Fields by path ("source.ip") as objects in objects."""
    found: Mapping_ = {}
    for path, kind in fields:
        *above, last = path.split(".")
        place = found
        for key in above:
            place = place.setdefault(key, {"properties": {}})["properties"]
        place[last] = kind
    return found


def _of_field(table: str, each: Field) -> Mapping_:
    if each.path in _MADE:
        return _MADE[each.path]
    if len(each.columns) != 1:
        return LONG if not each.columns and each.make and isinstance(each.make(), int) else KEYWORD
    if each.make is None:
        return of_column(table, each.columns[0])
    if each.path.endswith(".ip"):
        return IP
    return TIME if _is_time(table, each.columns[0]) else KEYWORD


def _is_time(table: str, name: str) -> bool:
    return of_column(table, name) in (TIME, {"type": "date"})
