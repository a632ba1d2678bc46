"""Zeek's columns and types, and which of our columns they hold.

Names, order and types of `conn`, `http`, `dns`, `ssl` and `ssh` are those of the records `Conn::Info`,
`HTTP::Info`, `DNS::Info`, `SSL::Info` and `SSH::Info` in Zeek's own scripts (versions 7 and 8,
`base/protocols`), with `vlan` and `community_id` of its policy scripts. What we do not know of them is unset.
Behind them stand, under their own names, those of our columns that Zeek does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.model.tables import ColumnInfo, find_table
from tidegate.sinks.dns_numbers import CLASSES, RCODES, TYPES, number_of


@dataclass(frozen=True)
class Column:
    """One column: Zeek's name and type, and how it is made of ours (none: unset)."""

    name: str
    type: str
    columns: tuple[str, ...] = ()
    make: Callable[..., Any] | None = None
    """From the columns' values; a single one's is called only where that is not missing."""


def _column(name: str, type: str, *columns: str, make: Callable[..., Any] | None = None) -> Column:
    return Column(name, type, columns, make)


_PROTOCOLS = {"icmp6": "icmp", "tcp": "tcp", "udp": "udp", "icmp": "icmp"}
_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "sctp": 132}
_CLASS_NAMES = {"IN": "C_INTERNET", "CH": "C_CHAOS", "HS": "C_HESOD", "NONE": "C_NONE", "ANY": "C_ANY"}

_WHERE = (
    _column("ts", "time", "ts"),
    _column("uid", "string", "uid"),
    _column("id.orig_h", "addr", "src_ip"),
    _column("id.orig_p", "port", "src_port"),
    _column("id.resp_h", "addr", "dst_ip"),
    _column("id.resp_p", "port", "dst_port"),
)

_CONN = (
    *_WHERE,
    _column("proto", "enum", "proto", make=lambda proto: _PROTOCOLS.get(proto, "unknown_transport")),
    _column("service", "string", "service"),
    _column("duration", "interval", "duration"),
    _column("orig_bytes", "count", "up_payload"),
    _column("resp_bytes", "count", "down_payload"),
    _column("conn_state", "string", "conn_state"),
    _column("local_orig", "bool"),
    _column("local_resp", "bool"),
    _column("missed_bytes", "count", "up_missed", "down_missed", make=lambda up, down: up + down),
    _column("history", "string", "history"),
    _column("orig_pkts", "count", "up_packets"),
    _column("orig_ip_bytes", "count", "up_bytes"),
    _column("resp_pkts", "count", "down_packets"),
    _column("resp_ip_bytes", "count", "down_bytes"),
    _column("tunnel_parents", "set[string]", "tunnel_uid", make=lambda uid: [uid]),
    _column(
        "ip_proto",
        "count",
        "proto",
        make=lambda proto: int(proto) if proto.isdigit() else _NUMBERS.get(proto),
    ),
    _column("vlan", "int", "vlan"),
    _column("community_id", "string", "community_id"),
)

_HTTP = (
    *_WHERE,
    _column("trans_depth", "count", "trans_depth"),
    _column("method", "string", "method"),
    _column("host", "string", "host"),
    _column("uri", "string", "uri"),
    _column("referrer", "string", "referrer"),
    _column("version", "string", "version"),
    _column("user_agent", "string", "user_agent"),
    _column("origin", "string"),
    _column("request_body_len", "count", "request_body"),
    _column("response_body_len", "count", "response_body"),
    _column("status_code", "count", "status"),
    _column("status_msg", "string", "reason"),
    _column("info_code", "count", "interim_status"),
    _column("info_msg", "string"),
    _column("tags", "set[enum]"),
    _column("username", "string"),
    _column("password", "string"),
    _column("proxied", "set[string]"),
    _column("orig_fuids", "vector[string]"),
    _column("orig_filenames", "vector[string]"),
    _column("orig_mime_types", "vector[string]", "request_content_type", make=lambda kind: [kind]),
    _column("resp_fuids", "vector[string]"),
    _column("resp_filenames", "vector[string]"),
    _column("resp_mime_types", "vector[string]", "content_type", make=lambda kind: [kind]),
)

_DNS = (
    *_WHERE,
    _column("proto", "enum", "transport", make=lambda transport: "tcp" if transport == "tcp" else "udp"),
    _column("trans_id", "count", "trans_id"),
    _column("rtt", "interval", "rtt"),
    _column("query", "string", "query"),
    _column("qclass", "count", "qclass", make=lambda name: number_of(name, CLASSES)),
    _column("qclass_name", "string", "qclass", make=lambda name: _CLASS_NAMES.get(name, name)),
    _column("qtype", "count", "qtype", make=lambda name: number_of(name, TYPES)),
    _column("qtype_name", "string", "qtype", make=lambda name: "*" if name == "ANY" else name),
    _column("rcode", "count", "rcode", make=lambda name: number_of(name, RCODES)),
    _column("rcode_name", "string", "rcode"),
    _column("AA", "bool", "authoritative"),
    _column("TC", "bool", "truncated"),
    _column("RD", "bool", "recursion_desired"),
    _column("RA", "bool", "recursion_available"),
    _column("Z", "count"),
    _column("answers", "vector[string]", "answers"),
    _column("TTLs", "vector[interval]", "ttls"),
    _column("rejected", "bool"),
)

_SSL = (
    *_WHERE,
    _column("version", "string", "version", make=lambda version: version.replace(".", "")),
    _column("cipher", "string", "cipher"),
    _column("curve", "string"),
    _column("server_name", "string", "sni"),
    _column("resumed", "bool", "resumed"),
    _column("last_alert", "string", "alert", make=lambda alert: alert.rpartition(" ")[2]),
    _column("next_protocol", "string", "alpn"),
    _column("established", "bool", "established"),
    _column("ssl_history", "string"),
    _column("cert_chain_fps", "vector[string]"),
    _column("client_cert_chain_fps", "vector[string]"),
    _column("sni_matches_cert", "bool"),
)

_SSH = (
    *_WHERE,
    _column(
        "version",
        "count",
        "client",
        make=lambda said: 1 if said.startswith("SSH-1.") and said[6:8] != "99" else 2,
    ),
    _column("auth_success", "bool"),
    _column("auth_attempts", "count"),
    _column("direction", "enum"),
    _column("client", "string", "client"),
    _column("server", "string", "server"),
    _column("cipher_alg", "string"),
    _column("mac_alg", "string"),
    _column("compression_alg", "string"),
    _column("kex_alg", "string"),
    _column("host_key_alg", "string"),
    _column("host_key", "string"),
)

_ZEEKS = {"conn": _CONN, "http": _HTTP, "dns": _DNS, "tls": _SSL, "ssh": _SSH}

PATHS = {"tls": "ssl"}
"""What Zeek calls a table's log, where that is not the table's name."""

_PLAIN = {
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "DOUBLE": "double",
    "TIMESTAMP_NS": "time",
    "VARCHAR[]": "vector[string]",
    "UINTEGER[]": "vector[count]",
    "MAP(VARCHAR, UBIGINT)": "vector[string]",
}


def zeek_columns(table: str) -> tuple[Column, ...]:
    """All columns of the table's log: Zeek's own first."""
    zeeks = _ZEEKS.get(table, ())
    names = {column.name for column in zeeks}
    taken = {ours for column in zeeks for ours in column.columns if column.make is None}
    added = [_ours(column) for column in find_table(table).columns if column.name not in taken]
    return (*zeeks, *(column for column in added if column.name not in names))


def _ours(column: ColumnInfo) -> Column:
    name, kind = column.name, column.type
    if name in ("src_ip", "dst_ip", "ip", "about_src_ip", "about_dst_ip"):
        return _column(name, "addr", name)
    if name.endswith("_port"):
        return _column(name, "port", name)
    if kind.startswith("MAP"):
        return _column(name, _PLAIN[kind], name, make=_pairs)
    return _column(name, _PLAIN.get(kind, "count"), name)


def _pairs(counts: dict[str, int]) -> list[str]:
    return [f"{name}={count}" for name, count in counts.items()]
