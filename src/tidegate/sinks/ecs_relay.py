"""ECS of the relay's events: source is the client, destination what it called, its NAT the backend."""

from ipaddress import ip_address

from tidegate.sinks.nested import Field, Shape, field, fixed

_TYPES = {
    "accept": ["connection", "start"],
    "detect": ["connection", "protocol"],
    "connect": ["connection"],
    "recv": ["connection"],
    "send": ["connection"],
    "close": ["connection", "end"],
    "refused": ["connection", "denied"],
}


def _types(kind: str) -> list[str]:
    return _TYPES.get(kind) or ["info"]


def _outcome(kind: str, cause: str | None) -> str | None:
    return ("failure" if cause else "success") if kind == "connect" else None


def _address(text: str) -> str | None:
    """An address; a backend may be the path of a unix socket."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _version(ip: str) -> str:
    return "ipv6" if ":" in ip else "ipv4"


def _place() -> tuple[Field, ...]:
    return (
        field("source.geo.country_iso_code", "client_country"),
        field("source.geo.city_name", "client_city"),
        field("source.as.number", "client_asn"),
        field("source.as.organization.name", "client_as_org"),
    )


def relay(common: tuple[Field, ...]) -> Shape:
    """The shape; `common` are the fields that all events have, but for event.type."""
    fields = (
        *common,
        field("event.type", "type", make=_types),
        field("event.action", "type"),
        field("event.outcome", "type", "cause", make=_outcome),
        field("event.reason", "cause"),
        field("event.duration", "duration", make=lambda seconds: round(seconds * 1_000_000_000)),
        field("observer.name", "sensor", make=lambda name: name or None),
        field("message", "text"),
        field("source.ip", "client_ip"),
        field("source.port", "client_port"),
        field("source.bytes", "up_bytes"),
        field("destination.ip", "server_ip"),
        field("destination.port", "server_port"),
        field("destination.bytes", "down_bytes"),
        field("destination.nat.ip", "remote_ip", make=_address),
        field("destination.nat.port", "remote_port"),
        field("source.nat.ip", "local_ip", make=_address),
        field("source.nat.port", "local_port"),
        field("network.type", "client_ip", make=_version),
        fixed("network.transport", "tcp"),
        field("network.protocol", "protocol"),
        field("rule.name", "rule"),
        *_place(),
    )
    return Shape("relay", fields, "tidegate", ("type", "remote_ip"))
