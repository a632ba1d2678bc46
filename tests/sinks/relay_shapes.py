"""AutoNapt's, Cowrie's and ECS' lines of relay's events made in Python: what the core's are held against."""

from base64 import b64decode
from ipaddress import ip_address
from typing import Any

from tidegate.sinks.ecs_fields import constants
from tidegate.sinks.moments import iso, micros
from tidegate.sinks.nested import Field, Shape, field, fixed

ENDS = {
    "client.remote": ("client_ip", "client_port"),
    "client.local": ("server_ip", "server_port"),
    "server.remote": ("remote_ip", "remote_port"),
    "server.local": ("local_ip", "local_port"),
}
EVENTS = {"accept": "cowrie.session.connect", "close": "cowrie.session.closed"}
TYPES = {
    "accept": ["connection", "start"],
    "detect": ["connection", "protocol"],
    "connect": ["connection"],
    "recv": ["connection"],
    "send": ["connection"],
    "close": ["connection", "end"],
    "refused": ["connection", "denied"],
}


def _with_server(kind: str, value: Any) -> Any:
    return value if kind in ("connect", "close") else None


def _ends() -> list[Field]:
    fields = []
    for path, (ip, port) in ENDS.items():
        if path.startswith("server"):
            fields.append(field(f"{path}.address", "type", ip, make=_with_server))
            fields.append(field(f"{path}.port", "type", port, make=_with_server))
        else:
            fields.append(field(f"{path}.address", ip))
            fields.append(field(f"{path}.port", port))
    return fields


def _found(**values: Any) -> dict[str, Any] | None:
    return {name: value for name, value in values.items() if value} or None


def autonapt() -> Shape:
    fields = (
        field("connection_id", "connection_id"),
        field("datetime", "ts", make=lambda ts: micros(ts, "").replace("T", " ")),
        field("type", "type"),
        field("protocol", "protocol"),
        *_ends(),
        field(
            "client.remote.ip", "type", "client_ip", make=lambda kind, ip: ip if kind == "accept" else None
        ),
        field(
            "client.remote.geoip.city",
            "client_country",
            "client_city",
            make=lambda country, city: _found(iso_code=country, city=city),
        ),
        field(
            "client.remote.geoip.asn",
            "client_asn",
            "client_as_org",
            make=lambda number, organisation: _found(asn=organisation, number=number),
        ),
        field(
            "packet_size",
            "type",
            "size",
            make=lambda kind, size: size if kind in ("recv", "send") else None,
        ),
        field("packet", "payload_base64", make=lambda base64: b64decode(base64).decode("latin-1")),
        field("sha1", "sha1"),
        field("tidegate.uid", "uid"),
        field("tidegate.sensor", "sensor", make=lambda name: name or None),
        *(field(f"tidegate.{name}", name) for name in ("service", "backend", "rule", "cause", "duration")),
        *(field(f"tidegate.{name}", name) for name in ("up_bytes", "down_bytes")),
    )
    return Shape("relay", fields)


def _message(kind: str, service: str | None, client: str | None, cause: str | None) -> str:
    said = f"{kind} {client or '-'} at {service or 'the relay'}"
    return f"{said}: {cause}" if cause else said


def cowrie() -> Shape:
    own = ("service", "backend", "rule", "cause", "size", "up_bytes", "down_bytes", "connection_id")
    fields = (
        field("eventid", "type", make=lambda kind: EVENTS.get(kind) or f"tidegate.relay.{kind}"),
        field("timestamp", "ts", make=micros),
        field("sensor", "sensor"),
        field("session", "uid"),
        field("src_ip", "client_ip"),
        field("src_port", "client_port"),
        field("dst_ip", "server_ip"),
        field("dst_port", "server_port"),
        field("protocol", "protocol"),
        field("message", "type", "service", "client_ip", "cause", make=_message),
        field("duration", "type", "duration", make=lambda kind, span: span if kind == "close" else None),
        field("payload", "payload"),
        field("shasum", "sha256"),
        field("country", "client_country"),
        field("asn", "client_asn"),
        *(field(name, name) for name in own),
    )
    return Shape("relay", fields)


def _outcome(kind: str, cause: str | None) -> str | None:
    return ("failure" if cause else "success") if kind == "connect" else None


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def ecs() -> Shape:
    fields = (
        field("@timestamp", "ts", make=iso),
        *(fixed(path, value) for path, value in constants("relay", ["network"], []).items()),
        field("event.type", "type", make=lambda kind: TYPES.get(kind) or ["info"]),
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
        field("network.type", "client_ip", make=lambda ip: "ipv6" if ":" in ip else "ipv4"),
        fixed("network.transport", "tcp"),
        field("network.protocol", "protocol"),
        field("rule.name", "rule"),
        field("source.geo.country_iso_code", "client_country"),
        field("source.geo.city_name", "client_city"),
        field("source.as.number", "client_asn"),
        field("source.as.organization.name", "client_as_org"),
    )
    return Shape("relay", fields, "tidegate", ("type", "remote_ip"))
