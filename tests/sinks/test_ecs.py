"""ECS: its fields by the schema's names and types."""

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from log_rows import HOSTILE, START, conns, golden, rows
from tidegate.model.tables import all_tables
from tidegate.sinks.ecs import Ecs

TYPES = {
    "date": "@timestamp event.start event.end process.start tls.server.not_after tls.server.not_before",
    "ip": "source.ip destination.ip source.nat.ip destination.nat.ip",
    "ip[]": "dns.resolved_ip host.ip",
    "long": "destination.nat.port source.nat.port destination.as.number destination.bytes "
    "destination.packets destination.port event.duration event.severity "
    "http.request.body.bytes http.response.body.bytes http.response.status_code "
    "network.bytes network.packets process.pid source.as.number source.bytes source.packets "
    "source.port url.port",
    "boolean": "tls.established tls.resumed",
    "keyword[]": "event.category event.type dns.header_flags host.mac tls.client.supported_ciphers "
    "tls.server.x509.alternative_names",
    "object[]": "dns.answers",
    "keyword": "container.id destination.as.organization.name destination.domain destination.geo.city_name "
    "destination.geo.country_iso_code dns.id dns.op_code dns.question.class dns.question.name "
    "dns.question.type "
    "dns.response_code dns.type ecs.version event.action event.dataset event.id event.kind event.module "
    "event.outcome event.reason host.name http.request.method http.request.mime_type http.request.referrer "
    "http.response.mime_type http.version message network.community_id network.protocol network.transport "
    "network.type network.vlan.id observer.ingress.interface.name observer.name observer.product "
    "observer.type "
    "process.command_line process.executable process.name process.parent.name rule.category rule.name "
    "source.as.organization.name source.geo.city_name source.geo.country_iso_code tls.cipher "
    "tls.client.server_name tls.next_protocol tls.server.issuer tls.server.subject tls.version "
    "tls.version_protocol url.domain url.original url.path url.query user.name user_agent.original",
}
"""Fields of the schema by their type, as its field reference lists them."""

TYPE_OF = {name: kind for kind, names in TYPES.items() for name in names.split()}

ALLOWED = {
    "event.kind": {"alert", "event", "metric"},
    "event.category": {"host", "network", "web"},
    "event.type": {"access", "connection", "denied", "end", "info", "protocol", "start"},
    "event.outcome": {"success", "failure"},
    "dns.type": {"query", "answer"},
    "network.type": {"ipv4", "ipv6"},
}


def flat(part: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def is_of(value: Any, kind: str) -> bool:
    if kind.endswith("[]"):
        return isinstance(value, list) and all(is_of(each, kind[:-2]) for each in value)
    if kind == "date":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value))
    if kind == "ip":
        return bool(ipaddress.ip_address(value))
    return type(value) is {"long": int, "boolean": bool, "keyword": str, "object": dict}[kind]


def events(table: str, capture: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for batch in golden(capture, table) for line in Ecs().lines(batch).splitlines()]
    for event in found:
        check(event)
    return found


def check(event: dict[str, Any]) -> None:
    """Every field has a name and a type of the schema; ours are apart."""
    fields = {name: value for name, value in flat(event) if not name.startswith("tidegate.")}
    for name, value in fields.items():
        assert is_of(value, TYPE_OF[name]), (name, value)
        for each in value if isinstance(value, list) else [value]:
            assert name not in ALLOWED or each in ALLOWED[name], (name, each)
    assert {"@timestamp", "ecs.version", "event.kind", "event.category", "event.type"} <= fields.keys()


def test_connections() -> None:
    first = events("conn", "http4")[0]
    assert first["@timestamp"] == "2026-11-20T10:20:54.176026000Z"
    assert first["event"]["type"] == ["connection", "end"]
    assert first["event"]["duration"] == 20_134_000
    assert first["source"] == {"ip": "192.0.2.1", "port": 43016, "bytes": 398, "packets": 6}
    assert first["network"]["transport"] == "tcp"
    assert first["network"]["bytes"] == 398 + 457
    assert first["observer"]["ingress"]["interface"]["name"] == "http4.pcap"
    assert first["tidegate"]["uid"] == "C3xawk2cq0vz8hxg0"


def test_programs_and_places() -> None:
    batch = conns(
        2,
        process_pid=[7, None],
        process_name=["curl", None],
        process_path=["/usr/bin/curl", None],
        process_started=[START, None],
        process_user=["alice", None],
        dst_country=["DE", None],
        dst_asn=[64500, None],
        sensor=["host", "host"],
        state=["closed", "active"],
        conn_state=["REJ", "S1"],
    )
    known, unknown = (json.loads(line) for line in Ecs().lines(batch).splitlines())
    check(known)
    check(unknown)
    assert known["process"] == {
        "pid": 7,
        "name": "curl",
        "executable": "/usr/bin/curl",
        "start": "2026-11-20T10:20:54.000000000Z",
    }
    assert known["user"] == {"name": "alice"}
    assert known["destination"]["geo"] == {"country_iso_code": "DE"}
    assert known["event"]["type"] == ["connection", "end", "denied"]
    assert unknown["event"]["type"] == ["connection"]
    assert "process" not in unknown
    assert unknown["observer"]["name"] == "host"


def test_http() -> None:
    first = events("http", "http4")[0]
    assert first["event"]["category"] == ["network", "web"]
    assert first["http"]["request"]["method"] == "GET"
    assert first["http"]["response"]["status_code"] == 200
    assert first["url"] == {"original": "/small", "domain": "192.0.2.2", "path": "/small"}


def test_the_parts_of_a_url() -> None:
    batch = rows(
        "http",
        4,
        host=["a.example:81", "[2001:db8::1]:82", "[2001:db8::1]", None],
        uri=["/p?q=1", "http://b.example/p/x?", "*", "?"],
    )
    found = [json.loads(line)["url"] for line in Ecs().lines(batch).splitlines()]
    assert [(url.get("domain"), url.get("port"), url.get("path"), url.get("query")) for url in found] == [
        ("a.example", 81, "/p", "q=1"),
        ("2001:db8::1", 82, "/p/x", ""),
        ("2001:db8::1", None, "*", None),
        (None, None, None, ""),
    ]


def test_dns() -> None:
    first = events("dns", "dns")[0]
    assert first["dns"] == {
        "type": "answer",
        "id": "15215",
        "op_code": "QUERY",
        "question": {"name": "www.example.org", "type": "A", "class": "IN"},
        "response_code": "NOERROR",
        "header_flags": ["AA", "RD", "RA"],
        "answers": [{"data": "192.0.2.80", "type": "A", "ttl": 0}],
        "resolved_ip": ["192.0.2.80"],
    }


def test_what_only_says_that_it_is_an_address_is_none() -> None:
    batch = rows("dns", 1, answers=[["no address", "192.0.2.1"]], answer_types=[["A", "A"]], ttls=[[1, 2]])
    assert json.loads(Ecs().lines(batch))["dns"]["resolved_ip"] == ["192.0.2.1"]


def test_tls() -> None:
    first = events("tls", "tls")[0]
    assert first["tls"]["client"]["server_name"] == "www.example.org"
    assert (first["tls"]["version"], first["tls"]["version_protocol"]) == ("1.2", "tls")
    assert first["tls"]["server"]["not_before"] == "2026-11-20T10:20:55.000000000Z"
    assert events("tls", "quic")[0]["network"] == {"type": "ipv4", "transport": "udp", "protocol": "quic"}


def test_alerts() -> None:
    batch = rows("alert", 2, state=["raised", "recovered"], rule=["r"] * 2, severity=["critical"] * 2)
    raised, recovered = (json.loads(line) for line in Ecs().lines(batch).splitlines())
    check(raised)
    assert raised["event"]["kind"] == "alert"
    assert raised["event"]["severity"] == 3
    assert recovered["event"]["action"] == "recovered"


def test_an_endless_value_is_no_json_and_null() -> None:
    batch = rows("alert", 2, value=[float("inf"), 1.5], peak=[float("nan"), 2.0])
    first, second = (json.loads(line) for line in Ecs().lines(batch).splitlines())
    assert (first["tidegate"]["value"], first["tidegate"]["peak"]) == (None, None)
    assert (second["tidegate"]["value"], second["tidegate"]["peak"]) == (1.5, 2.0)


@pytest.mark.parametrize(
    "capture", ["dns_types", "http_bodies", "icmp_errors", "ssh", "tls_versions", "vlan"]
)
def test_all_rows_of_captures_keep_to_the_schema(capture: str) -> None:
    for table in all_tables():
        events(table.name, capture)


def test_hosts() -> None:
    batch = rows("host", 1, ip=["192.0.2.1"], mac=["00:11:22:aa:bb:cc"], name=["nas"])
    event = json.loads(Ecs().lines(batch))
    check(event)
    assert event["host"] == {"ip": ["192.0.2.1"], "mac": ["00-11-22-AA-BB-CC"], "name": "nas"}


def test_hostile_text_is_ascii_in_whole_lines() -> None:
    lines = Ecs().lines(conns(len(HOSTILE), name=HOSTILE))
    assert lines.isascii()
    assert [json.loads(line)["destination"]["domain"] for line in lines.splitlines()] == HOSTILE


def test_a_field_that_some_rows_lack() -> None:
    batch = conns(3, name=["%d", None, "x"], rtt_client=[0.1, None, 0.3], vlan=[None, 5, None])
    found = [json.loads(line) for line in Ecs().lines(batch).splitlines()]
    assert [event["destination"].get("domain") for event in found] == ["%d", None, "x"]
    assert [event["tidegate"].get("rtt_client") for event in found] == [0.1, None, 0.3]
    assert [event["network"].get("vlan") for event in found] == [None, {"id": "5"}, None]
