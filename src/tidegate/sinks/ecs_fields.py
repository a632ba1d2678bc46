"""Fields of the Elastic Common Schema, and the columns they are made of."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any

from tidegate.sinks.host_header import name_of, port_of
from tidegate.sinks.moments import iso
from tidegate.sinks.nested import Field, Object, Shape, field, fixed

VERSION = "8.17.0"
"""The version of the schema, as `ecs.version` says it."""

_TRANSPORTS = {"icmp6": "ipv6-icmp"}
_SEVERITIES = {"info": 1, "warning": 2, "critical": 3}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _sum(up: int | None, down: int | None) -> int | None:
    """Both directions; missing where no packets were seen (relay)."""
    return None if up is None or down is None else up + down


def _ip_version(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


def constants(
    table: str, category: Sequence[str], kinds: Sequence[str], kind: str = "event"
) -> dict[str, Any]:
    """What is the same in every event of a table, by path."""
    return {
        "ecs.version": VERSION,
        "event.kind": kind,
        "event.category": list(category),
        **({"event.type": list(kinds)} if kinds else {}),
        "event.module": "tidegate",
        "event.dataset": f"tidegate.{table}",
        "observer.product": "Tidegate",
        "observer.type": "sensor",
    }


def _event(
    table: str, category: Sequence[str], kinds: Sequence[str], kind: str = "event"
) -> tuple[Field, ...]:
    """What every event has."""
    same = constants(table, category, kinds, kind)
    return (field("@timestamp", "ts", make=iso), *(fixed(path, value) for path, value in same.items()))


_SENSOR = field("observer.name", "sensor", make=lambda name: name or None)
_IFACE = field("observer.ingress.interface.name", "iface", make=lambda iface: iface or None)
"""Missing of what was relayed: it passed no interface that we watched."""
_ADDRESSES = (
    field("source.ip", "src_ip"),
    field("destination.ip", "dst_ip"),
    field("network.type", "src_ip", make=_ip_version),
)
_ENDS = (*_ADDRESSES, field("source.port", "src_port"), field("destination.port", "dst_port"))


def _transport(proto: str) -> str:
    return _TRANSPORTS.get(proto, proto)


_CARRIER = field(
    "network.transport", "transport", make=lambda transport: "tcp" if transport == "tcp" else "udp"
)
"""What carries TLS or QUIC, or DNS however it is transported."""


def _program(ours: str, theirs: str, user: str) -> tuple[Field, ...]:
    return (
        field(f"{theirs}.pid", f"{ours}_pid"),
        field(f"{theirs}.name", f"{ours}_name"),
        field(f"{theirs}.executable", f"{ours}_path"),
        field(f"{theirs}.command_line", f"{ours}_cmdline"),
        field(f"{theirs}.parent.name", f"{ours}_parent"),
        field(f"{theirs}.start", f"{ours}_started", make=iso),
        field(user, f"{ours}_user"),
    )


def _place(ours: str, theirs: str) -> tuple[Field, ...]:
    return (
        field(f"{theirs}.geo.country_iso_code", f"{ours}_country"),
        field(f"{theirs}.geo.city_name", f"{ours}_city"),
        field(f"{theirs}.as.number", f"{ours}_asn"),
        field(f"{theirs}.as.organization.name", f"{ours}_as_org"),
    )


def _conn_type(state: str, conn_state: str) -> list[str]:
    ending = ["end"] if state == "closed" else []
    return ["connection", *ending, *(["denied"] if conn_state == "REJ" else [])]


def _conn() -> Shape:
    fields = (
        *_event("conn", ["network"], []),
        field("event.type", "state", "conn_state", make=_conn_type),
        field("event.start", "ts", make=iso),
        field("event.end", "last_ts", make=iso),
        field("event.duration", "duration", make=_nanoseconds),
        _SENSOR,
        _IFACE,
        *_ENDS,
        field("network.transport", "proto", make=_transport),
        field("network.protocol", "service"),
        field("network.community_id", "community_id"),
        field("network.vlan.id", "vlan", make=str),
        field("network.bytes", "up_bytes", "down_bytes", make=_sum),
        field("network.packets", "up_packets", "down_packets", make=_sum),
        field("source.bytes", "up_bytes"),
        field("source.packets", "up_packets"),
        field("destination.bytes", "down_bytes"),
        field("destination.packets", "down_packets"),
        field("destination.domain", "name"),
        *_place("src", "source"),
        *_place("dst", "destination"),
        *_program("process", "process", "user.name"),
        field("container.id", "process_container"),
    )
    return Shape("conn", fields, "tidegate", ("state", "conn_state", "end_reason"))


def _domain(host: str) -> str:
    """The name without a port, an IPv6 address without its brackets."""
    return name_of(host).removeprefix("[").removesuffix("]")


def _path(uri: str) -> str | None:
    path = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", "", uri).partition("?")[0]
    return path or None


def _query(uri: str) -> str | None:
    _, mark, query = uri.partition("?")
    return query if mark else None


def _outcome(status: int) -> str:
    return "success" if status < 400 else "failure"


def _http() -> Shape:
    fields = (
        *_event("http", ["network", "web"], ["access", "protocol"]),
        field("event.outcome", "status", make=_outcome),
        field("event.duration", "duration", make=_nanoseconds),
        _SENSOR,
        _IFACE,
        *_ENDS,
        fixed("network.transport", "tcp"),
        fixed("network.protocol", "http"),
        field("http.request.method", "method"),
        field("http.request.referrer", "referrer"),
        field("http.request.mime_type", "request_content_type"),
        field("http.request.body.bytes", "request_body"),
        field("http.response.status_code", "status"),
        field("http.response.mime_type", "content_type"),
        field("http.response.body.bytes", "response_body"),
        field("http.version", "version"),
        field("url.original", "uri"),
        field("url.domain", "host", make=_domain),
        field("url.port", "host", make=port_of),
        field("url.path", "uri", make=_path),
        field("url.query", "uri", make=_query),
        field("user_agent.original", "user_agent"),
    )
    return Shape("http", fields, "tidegate", ("host",))


def _tls_number(version: str) -> str:
    return version.rpartition("v")[2]


def _tls_protocol(version: str) -> str:
    return "ssl" if version.startswith("SSL") else "tls"


def _some(values: list[Any]) -> list[Any] | None:
    return values or None


def _tls() -> Shape:
    fields = (
        *_event("tls", ["network"], ["connection", "protocol"]),
        _SENSOR,
        _IFACE,
        *_ENDS,
        _CARRIER,
        field(
            "network.protocol", "transport", make=lambda transport: "quic" if transport == "quic" else "tls"
        ),
        field("tls.client.server_name", "sni"),
        field("tls.client.supported_ciphers", "client_ciphers", make=_some),
        field("tls.version", "version", make=_tls_number),
        field("tls.version_protocol", "version", make=_tls_protocol),
        field("tls.cipher", "cipher"),
        field("tls.next_protocol", "alpn"),
        field("tls.resumed", "resumed"),
        field("tls.established", "established"),
        field("tls.server.subject", "subject"),
        field("tls.server.issuer", "issuer"),
        field("tls.server.not_before", "not_before", make=iso),
        field("tls.server.not_after", "not_after", make=iso),
        field("tls.server.x509.alternative_names", "certificate_names", make=_some),
        field("destination.domain", "sni"),
    )
    return Shape("tls", fields, "tidegate", ("version", "transport"))


_FLAGS = (
    ("authoritative", "AA"),
    ("truncated", "TC"),
    ("recursion_desired", "RD"),
    ("recursion_available", "RA"),
)


def _header_flags(*bits: bool) -> list[str]:
    return [name for (_, name), here in zip(_FLAGS, bits, strict=True) if here]


def _answers(
    answers: list[str] | None, kinds: list[str] | None, ttls: list[int] | None
) -> list[Object] | None:
    if not answers:
        return None
    found = zip(answers, kinds or [], ttls or [], strict=False)
    return [{"data": data, "type": kind, "ttl": ttl} for data, kind, ttl in found]


def _resolved(answers: list[str] | None, kinds: list[str] | None) -> list[str] | None:
    """The addresses; what only says that it is one is left out, for the field takes no other text."""
    return [
        data
        for data, kind in zip(answers or [], kinds or [], strict=False)
        if kind in ("A", "AAAA") and _is_ip(data)
    ] or None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _dns_type(rcode: str | None, _qtype: str | None) -> str:
    return "query" if rcode is None else "answer"


def _dns() -> Shape:
    fields = (
        *_event("dns", ["network"], ["connection", "protocol"]),
        field("event.duration", "rtt", make=_nanoseconds),
        _SENSOR,
        _IFACE,
        *_ENDS,
        _CARRIER,
        fixed("network.protocol", "dns"),
        field("dns.type", "rcode", "qtype", make=_dns_type),
        field("dns.id", "trans_id", make=str),
        field("dns.op_code", "opcode"),
        field("dns.question.name", "query"),
        field("dns.question.type", "qtype"),
        field("dns.question.class", "qclass"),
        field("dns.response_code", "rcode"),
        field("dns.header_flags", *(name for name, _ in _FLAGS), make=_header_flags),
        field("dns.answers", "answers", "answer_types", "ttls", make=_answers),
        field("dns.resolved_ip", "answers", "answer_types", make=_resolved),
    )
    return Shape("dns", fields, "tidegate", ("transport",))


def _alert() -> Shape:
    fields = (
        *_event("alert", ["network"], ["info"], "alert"),
        field("event.action", "state"),
        field("event.severity", "severity", make=lambda severity: _SEVERITIES.get(severity, 0)),
        field("event.start", "since", make=iso),
        field("event.duration", "duration", make=_nanoseconds),
        field("event.id", "alert_id"),
        field("message", "message"),
        _SENSOR,
        field("rule.name", "rule"),
        field("rule.category", "metric"),
    )
    return Shape("alert", fields, "tidegate", ("alert_id", "severity", "state"))


def _health() -> Shape:
    fields = (
        *_event("health", ["network"], ["info"], "metric"),
        _SENSOR,
        field("observer.ingress.interface.name", "source", make=lambda source: source or None),
    )
    return Shape("health", fields, "tidegate")


def _icmp() -> Shape:
    fields = (
        *_event("icmp", ["network"], ["protocol"]),
        field("event.duration", "rtt", make=_nanoseconds),
        _SENSOR,
        _IFACE,
        *_ADDRESSES,
        field("network.transport", "proto", make=_transport),
    )
    return Shape("icmp", fields, "tidegate")


def _ssh() -> Shape:
    fields = (
        *_event("ssh", ["network"], ["connection", "protocol"]),
        _SENSOR,
        _IFACE,
        *_ENDS,
        fixed("network.transport", "tcp"),
        fixed("network.protocol", "ssh"),
    )
    return Shape("ssh", fields, "tidegate")


def _packet() -> Shape:
    fields = (
        *_event("packet", ["network"], ["protocol"]),
        _IFACE,
        *_ENDS,
        field("network.transport", "proto", make=_transport),
        field("network.bytes", "length"),
        fixed("network.packets", 1),
    )
    return Shape("packet", fields, "tidegate")


def _host() -> Shape:
    fields = (
        *_event("host", ["host"], ["info"]),
        _SENSOR,
        _IFACE,
        field("host.ip", "ip", make=lambda address: [address]),
        field("host.mac", "mac", make=lambda mac: [mac.upper().replace(":", "-")]),
        field("host.name", "name"),
    )
    return Shape("host", fields, "tidegate")


SHAPES: dict[str, Callable[[], Shape]] = {
    "conn": _conn,
    "http": _http,
    "tls": _tls,
    "dns": _dns,
    "alert": _alert,
    "health": _health,
    "icmp": _icmp,
    "ssh": _ssh,
    "packet": _packet,
    "host": _host,
}
"""How each table is written, but for relay (ecs_relay.py)."""
