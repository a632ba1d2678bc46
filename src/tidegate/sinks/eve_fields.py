"""Fields of Suricata's EVE events, and the columns they are made of."""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any
from zlib import crc32

from tidegate.sinks.dns_numbers import OPCODES, RCODES, number_of
from tidegate.sinks.host_header import name_of, port_of
from tidegate.sinks.moments import eve, second
from tidegate.sinks.nested import Field, Object, Shape, field, fixed

DNS_QUERY, DNS_ANSWER = "dns query", "dns answer"

_PROTOCOLS = {"icmp6": "IPv6-ICMP"}
_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
_REASONS = {"evicted": "forced", "eof": "shutdown", "reused": "tcp_reuse"}
_SEVERITIES = {"critical": 1, "warning": 2, "info": 3}


def _flow_id(uid: str) -> int:
    """51 bits, which every reader of JSON takes as a whole number."""
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest()) >> 13


def _proto(name: str) -> str:
    return _PROTOCOLS.get(name) or name.upper()


def _hex_flags(letters: str) -> str:
    return f"{sum(_FLAGS.get(letter, 0) for letter in letters):02x}"


def _common(kind: str, proto: Field | None, ports: bool = True) -> tuple[Field, ...]:
    """What all events of a connection have."""
    ends = (("src_port", "src_port"), ("dest_ip", "dst_ip"), ("dest_port", "dst_port"))
    return (
        field("timestamp", "ts", make=eve),
        field("flow_id", "uid", make=_flow_id),
        field("in_iface", "iface", make=lambda iface: iface or None),
        fixed("event_type", kind),
        field("src_ip", "src_ip"),
        *(field(path, column) for path, column in ends if ports or not column.endswith("_port")),
        *((proto,) if proto else ()),
    )


_TCP = fixed("proto", "TCP")


def _state(state: str, reason: str | None, down: int | None) -> str:
    if state == "closed" and reason in ("fin", "rst"):
        return "closed"
    return "established" if down else "new"


def _moment_after(ts: int, seconds: float | None) -> str:
    return eve(ts + round((seconds or 0.0) * 1_000_000_000))


def _either_flags(up: str | None, down: str | None) -> str | None:
    return _hex_flags(set(up or "") | set(down or "")) if up or down else None  # type: ignore[arg-type]


def _has(letter: str) -> Callable[[str | None, str | None], bool | None]:
    return lambda up, down: True if letter in (up or "") or letter in (down or "") else None


_BITS = (
    ("syn", "S"),
    ("fin", "F"),
    ("rst", "R"),
    ("psh", "P"),
    ("ack", "A"),
    ("urg", "U"),
    ("ecn", "E"),
    ("cwr", "C"),
)


def _conn() -> Shape:
    fields = (
        *_common("flow", field("proto", "proto", make=_proto)),
        field("vlan", "vlan", make=lambda vlan: [vlan]),
        field("app_proto", "service"),
        field("community_id", "community_id"),
        field("flow.pkts_toserver", "up_packets"),
        field("flow.pkts_toclient", "down_packets"),
        field("flow.bytes_toserver", "up_bytes"),
        field("flow.bytes_toclient", "down_bytes"),
        field("flow.start", "ts", make=eve),
        field("flow.end", "last_ts", make=eve),
        field("flow.age", "duration", make=int),
        field("flow.state", "state", "end_reason", "down_packets", make=_state),
        field("flow.reason", "end_reason", make=lambda reason: _REASONS.get(reason, "timeout")),
        fixed("flow.alerted", False),
        field("tcp.tcp_flags", "up_flags", "down_flags", make=_either_flags),
        field("tcp.tcp_flags_ts", "up_flags", make=_hex_flags),
        field("tcp.tcp_flags_tc", "down_flags", make=_hex_flags),
        *(field(f"tcp.{name}", "up_flags", "down_flags", make=_has(letter)) for name, letter in _BITS),
    )
    return Shape("conn", fields, "tidegate", ("uid", "state", "end_reason", "duration", "proto"))


def _http() -> Shape:
    fields = (
        *_common("http", _TCP),
        field("tx_id", "trans_depth", make=lambda depth: max(depth - 1, 0)),
        field("http.hostname", "host", make=name_of),
        field("http.http_port", "host", make=port_of),
        field("http.url", "uri"),
        field("http.http_user_agent", "user_agent"),
        field("http.http_content_type", "content_type"),
        field("http.http_refer", "referrer"),
        field("http.http_method", "method"),
        field("http.protocol", "version", make="HTTP/{}".format),
        field("http.status", "status"),
        field("http.redirect", "location"),
        field("http.length", "response_body"),
    )
    return Shape("http", fields, "tidegate", ("uid",))


def _carrier(transport: str) -> str:
    """What carries TLS or QUIC, or DNS however it is transported."""
    return "TCP" if transport == "tcp" else "UDP"


def _version(version: str) -> str:
    """`TLS 1.2` of `TLSv1.2`."""
    return version.replace("TLSv", "TLS ")


def _only(transport: str, make: Callable[..., Any] | None = None) -> Callable[[str, Any], Any]:
    """The value of rows of this transport."""

    def value_of(found: str, value: Any) -> Any:
        return None if found != transport or value is None else make(value) if make else value

    return value_of


def _tls() -> Shape:
    tls, quic = partial(_only, "tcp"), partial(_only, "quic")

    def one(path: str, column: str, make: Callable[[str, Any], Any]) -> Field:
        return field(path, "transport", column, make=make)

    where = [part for part in _common("tls", None) if part.path != "event_type"]
    fields = (
        *where,
        field("event_type", "transport", make=lambda transport: "quic" if transport == "quic" else "tls"),
        field("proto", "transport", make=_carrier),
        one("tls.subject", "subject", tls()),
        one("tls.issuerdn", "issuer", tls()),
        one("tls.subjectaltname", "certificate_names", tls(lambda names: names or None)),
        one("tls.session_resumed", "resumed", tls(lambda resumed: resumed or None)),
        one("tls.sni", "sni", tls()),
        one("tls.version", "version", tls(_version)),
        one("tls.notbefore", "not_before", tls(second)),
        one("tls.notafter", "not_after", tls(second)),
        one("tls.ja4", "ja4", tls()),
        one("tls.client_alpns", "client_alpn", tls(lambda names: names or None)),
        one("tls.server_alpns", "alpn", tls(lambda name: [name])),
        one("quic.version", "quic_version", quic()),
        one("quic.sni", "sni", quic()),
        one("quic.ja4", "ja4", quic()),
    )
    return Shape("tls", fields, "tidegate", ("uid", "resumed", "version", "alpn"))


def _opcode(name: str) -> int | None:
    return number_of(name, OPCODES)


def _dns_query() -> Shape:
    fields = (
        *_common("dns", field("proto", "transport", make=_carrier)),
        fixed("dns.version", 2),
        fixed("dns.type", "query"),
        field("dns.id", "trans_id"),
        field("dns.rrname", "query"),
        field("dns.rrtype", "qtype"),
        field("dns.opcode", "opcode", make=_opcode),
        field("tidegate.uid", "uid"),
        field("tidegate.sensor", "sensor"),
        field("tidegate.transport", "transport"),
    )
    return Shape("dns", fields)


def _dns_flags(opcode: str, rcode: str | None, *bits: bool) -> str:
    """The reply's second word: QR, operation, AA, TC, RD, RA, response code."""
    value = 0x8000 | (number_of(opcode, OPCODES) or 0) << 11 | (number_of(rcode or "", RCODES) or 0) & 15
    for bit, here in zip((0x400, 0x200, 0x100, 0x80), bits, strict=True):
        value |= bit if here else 0
    return f"{value:04x}"


def _answers(
    query: str | None, answers: list[str] | None, kinds: list[str] | None, ttls: list[int] | None
) -> list[Object] | None:
    """The records; their owner is not kept, so that they bear the name that was asked for."""
    if not answers:
        return None
    return [
        {"rrname": query or "", "rrtype": kind, "ttl": ttl, "rdata": data}
        for data, kind, ttl in zip(answers, kinds or [], ttls or [], strict=False)
    ]


_GROUPED = frozenset({"A", "AAAA", "CNAME", "MX", "NS", "NULL", "PTR", "TXT"})


def _grouped(answers: list[str] | None, kinds: list[str] | None) -> dict[str, list[str]] | None:
    """The data by type, of those types of which Suricata writes it as text there."""
    grouped: dict[str, list[str]] = {}
    for data, kind in zip(answers or [], kinds or [], strict=False):
        if kind in _GROUPED:
            grouped.setdefault(kind, []).append(data)
    return grouped or None


_DNS_BITS = ("authoritative", "truncated", "recursion_desired", "recursion_available")


def _dns_answer() -> Shape:
    common = [part for part in _common("dns", None) if part.path != "timestamp"]
    fields = (
        field("timestamp", "ts", "rtt", make=_moment_after),
        *common,
        field("proto", "transport", make=_carrier),
        fixed("dns.version", 2),
        fixed("dns.type", "answer"),
        field("dns.id", "trans_id"),
        field("dns.flags", "opcode", "rcode", *_DNS_BITS, make=_dns_flags),
        fixed("dns.qr", True),
        *(
            field(f"dns.{name}", column, make=lambda here: here or None)
            for name, column in zip(("aa", "tc", "rd", "ra"), _DNS_BITS, strict=True)
        ),
        field("dns.opcode", "opcode", make=_opcode),
        field("dns.rrname", "query"),
        field("dns.rrtype", "qtype"),
        field("dns.rcode", "rcode"),
        field("dns.answers", "query", "answers", "answer_types", "ttls", make=_answers),
        field("dns.grouped", "answers", "answer_types", make=_grouped),
    )
    return Shape("dns", fields, "tidegate", ("uid", "transport"))


def _software(said: str) -> str:
    return said.split("-", 2)[-1]


def _spoken(said: str) -> str:
    return said.split("-", 2)[1] if said.count("-") else said


def _ssh() -> Shape:
    sides = (("client", "client"), ("server", "server"))
    fields = (
        *_common("ssh", _TCP),
        *(field(f"ssh.{side}.proto_version", column, make=_spoken) for side, column in sides),
        *(field(f"ssh.{side}.software_version", column, make=_software) for side, column in sides),
    )
    return Shape("ssh", fields, "tidegate", ("uid",))


def _alert() -> Shape:
    fields = (
        field("timestamp", "ts", make=eve),
        field("event_type", "state", make=lambda state: "alert" if state == "raised" else f"alert_{state}"),
        fixed("alert.action", "allowed"),
        fixed("alert.gid", 1),
        field("alert.signature_id", "rule", make=lambda rule: crc32(rule.encode()) >> 1),
        fixed("alert.rev", 1),
        field("alert.signature", "rule"),
        field("alert.category", "metric"),
        field("alert.severity", "severity", make=lambda severity: _SEVERITIES.get(severity, 3)),
    )
    return Shape("alert", fields, "tidegate", ("rule", "metric", "severity"))


def _stats() -> Shape:
    fields = (
        field("timestamp", "ts", make=eve),
        field("in_iface", "source", make=lambda source: source or None),
        fixed("event_type", "stats"),
        field("stats.capture.kernel_packets_delta", "packets"),
        field("stats.capture.kernel_drops_delta", "dropped_kernel"),
        field("stats.decoder.pkts_delta", "packets"),
        field("stats.decoder.bytes_delta", "bytes"),
        field("stats.decoder.invalid_delta", "malformed", make=lambda kinds: sum(kinds.values())),
    )
    return Shape("health", fields, "tidegate", ("malformed",))


def _icmp() -> Shape:
    common = _common("icmp", field("proto", "proto", make=_proto), ports=False)
    return Shape("icmp", (*common, field("icmp_type", "icmp_type"), field("icmp_code", "icmp_code")), "icmp")


def _packet() -> Shape:
    return Shape("packet", _common("packet", field("proto", "proto", make=_proto)), "packet", ("uid",))


def _host() -> Shape:
    fields = (field("timestamp", "ts", make=eve), field("in_iface", "iface"), fixed("event_type", "host"))
    return Shape("host", fields, "host")


def _relay() -> Shape:
    fields = (
        field("timestamp", "ts", make=eve),
        field("flow_id", "uid", make=_flow_id),
        fixed("event_type", "relay"),
        field("src_ip", "client_ip"),
        field("src_port", "client_port"),
        field("dest_ip", "server_ip"),
        field("dest_port", "server_port"),
        _TCP,
        field("app_proto", "protocol"),
    )
    return Shape("relay", fields, "relay", ("uid",))


SHAPES: dict[str, Callable[[], Shape]] = {
    "conn": _conn,
    "http": _http,
    "tls": _tls,
    DNS_QUERY: _dns_query,
    DNS_ANSWER: _dns_answer,
    "ssh": _ssh,
    "alert": _alert,
    "health": _stats,
    "icmp": _icmp,
    "packet": _packet,
    "host": _host,
    "relay": _relay,
}
"""How each table is written; `dns` gives two events."""
