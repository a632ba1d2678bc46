"""ECS of the relay's events: source is the client, destination what it called, its NAT the backend."""

import json

from tidegate.model.tables import find_table
from tidegate.sinks.ecs_fields import constants
from tidegate.sinks.layout import Key, Keys, Laid, Layout, column, constant, either, layout
from tidegate.sinks.moments import iso
from tidegate.sinks.nested import Field, field

_TYPES = {
    "accept": ["connection", "start"],
    "detect": ["connection", "protocol"],
    "connect": ["connection"],
    "recv": ["connection"],
    "send": ["connection"],
    "close": ["connection", "end"],
    "refused": ["connection", "denied"],
}


_PLACE = (
    column("source.geo.country_iso_code", "client_country"),
    column("source.geo.city_name", "client_city"),
    column("source.as.number", "client_asn"),
    column("source.as.organization.name", "client_as_org"),
)


def _known(kind: str) -> tuple[Key, ...]:
    """What ECS has fields for."""
    outcome = either("event.outcome", "cause", "failure", "success", "type")
    return (
        column("@timestamp", "ts"),
        *(constant(path, value) for path, value in constants("relay", ["network"], []).items()),
        constant("event.type", _TYPES.get(kind, ["info"]), "type"),
        column("event.action", "type"),
        *((outcome,) if kind == "connect" else ()),
        column("event.reason", "cause"),
        column("event.duration", "duration", "nanoseconds"),
        column("observer.name", "sensor", "known"),
        column("message", "text"),
        column("source.ip", "client_ip"),
        column("source.port", "client_port"),
        column("source.bytes", "up_bytes"),
        column("destination.ip", "server_ip"),
        column("destination.port", "server_port"),
        column("destination.bytes", "down_bytes"),
        # A backend may be the path of a unix socket.
        column("destination.nat.ip", "remote_ip", "ip"),
        column("destination.nat.port", "remote_port"),
        column("source.nat.ip", "local_ip", "ip"),
        column("source.nat.port", "local_port"),
        column("network.type", "client_ip", "ip version"),
        constant("network.transport", "tcp"),
        column("network.protocol", "protocol"),
        column("rule.name", "rule"),
        *_PLACE,
    )


def _keys(kind: str) -> Keys:
    """All columns: those that no field takes stand in the object tidegate."""
    known = _known(kind)
    taken = {name for key in known for name in key.made_of} - {"type", "remote_ip"}
    rest = [each.name for each in find_table("relay").columns if each.name not in taken]
    return (*known, *(column(f"tidegate.{name}", name) for name in rest))


def _layout() -> Layout:
    return layout(_keys, _TYPES)


def fields() -> list[Field]:
    """What a document can have, and the columns it is made of, as shapes say it. Makes nothing."""
    keys = {key.path: key for kind in (*_TYPES, "") for key in _keys(kind)}
    return [_field(key) for key in keys.values()]


def _field(key: Key) -> Field:
    if key.style == "constant":
        value = json.loads(key.texts[0])
        return Field(key.path, key.made_of, lambda *_: value)
    if key.style != "plain":
        return Field(key.path, key.made_of, lambda *_: None)
    return field(key.path, key.column, make=iso if key.column == "ts" else None)


class EcsRelay(Laid):
    """Lines of relay's events, notices among them."""

    LAYOUT = _layout
