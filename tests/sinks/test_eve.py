"""EVE: its fields by Suricata's names and types."""

import json
import re
from typing import Any

import pytest

from log_rows import HOSTILE, conns, golden, rows
from tidegate.model.errors import UsageError
from tidegate.model.tables import all_tables
from tidegate.sinks.eve import Eve

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}\+0000")

COMMON = {
    "timestamp": str,
    "flow_id": int,
    "in_iface": str,
    "event_type": str,
    "src_ip": str,
    "src_port": int,
    "dest_ip": str,
    "dest_port": int,
    "proto": str,
    "tx_id": int,
    "app_proto": str,
    "community_id": str,
    "vlan": list,
    "icmp_type": int,
    "icmp_code": int,
}
"""Types of the fields that all events may have, as Suricata's schema gives them."""

OBJECTS: dict[str, dict[str, type]] = {
    "flow": {
        "pkts_toserver": int,
        "pkts_toclient": int,
        "bytes_toserver": int,
        "bytes_toclient": int,
        "start": str,
        "end": str,
        "age": int,
        "state": str,
        "reason": str,
        "alerted": bool,
    },
    "tcp": {
        "tcp_flags": str,
        "tcp_flags_ts": str,
        "tcp_flags_tc": str,
        "syn": bool,
        "fin": bool,
        "rst": bool,
        "psh": bool,
        "ack": bool,
        "urg": bool,
        "ecn": bool,
        "cwr": bool,
    },
    "http": {
        "hostname": str,
        "http_port": int,
        "url": str,
        "http_user_agent": str,
        "http_content_type": str,
        "http_refer": str,
        "http_method": str,
        "protocol": str,
        "status": int,
        "redirect": str,
        "length": int,
    },
    "dns": {
        "version": int,
        "type": str,
        "id": int,
        "flags": str,
        "qr": bool,
        "aa": bool,
        "tc": bool,
        "rd": bool,
        "ra": bool,
        "opcode": int,
        "rrname": str,
        "rrtype": str,
        "rcode": str,
        "answers": list,
        "grouped": dict,
    },
    "tls": {
        "subject": str,
        "issuerdn": str,
        "subjectaltname": list,
        "session_resumed": bool,
        "sni": str,
        "version": str,
        "notbefore": str,
        "notafter": str,
        "ja4": str,
        "client_alpns": list,
        "server_alpns": list,
    },
    "quic": {"version": str, "sni": str, "ja4": str},
    "alert": {
        "action": str,
        "gid": int,
        "signature_id": int,
        "rev": int,
        "signature": str,
        "category": str,
        "severity": int,
    },
    "ssh": {"client": dict, "server": dict},
    "stats": {"capture": dict, "decoder": dict},
}


def events(table: str, capture: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for batch in golden(capture, table) for line in Eve().lines(batch).splitlines()]
    for event in found:
        check(event)
    return found


def check(event: dict[str, Any]) -> None:
    """Every field has a name and a type that Suricata knows; ours are apart."""
    assert MOMENT.fullmatch(event["timestamp"])
    for name, value in event.items():
        if name in OBJECTS:
            for key, inner in value.items():
                assert type(inner) is OBJECTS[name][key], (name, key)
        elif name != "tidegate":
            assert type(value) is COMMON[name], name


def test_flows() -> None:
    first = events("conn", "http4")[0]
    assert first["event_type"] == "flow"
    assert first["proto"] == "TCP"
    assert first["app_proto"] == "http"
    assert first["flow"]["bytes_toserver"] == 398
    assert first["flow"]["state"] == "closed"
    assert first["tcp"]["tcp_flags"] == "1b"
    assert "rst" not in first["tcp"]
    assert first["community_id"] == "1:m85Vn1b3AOnOJo9iPoLg9UHY7xo="
    assert first["tidegate"]["conn_state"] == "SF"


def test_one_flow_id_joins_the_events_of_a_connection() -> None:
    flows = {event["flow_id"]: event["tidegate"]["uid"] for event in events("conn", "http4")}
    assert len(flows) == 4
    for event in events("http", "http4"):
        assert flows[event["flow_id"]] == event["tidegate"]["uid"]
        assert 0 <= event["flow_id"] < 2**53


def test_http() -> None:
    first = events("http", "http4")[0]
    assert first["http"] == {
        "hostname": "192.0.2.2",
        "url": "/small",
        "http_user_agent": "curl/7.88.1",
        "http_content_type": "text/plain",
        "http_method": "GET",
        "protocol": "HTTP/1.1",
        "status": 200,
        "length": 6,
    }
    assert first["tx_id"] == 0


def test_the_port_of_a_host_is_apart() -> None:
    batch = rows("http", 3, host=["a.example:8080", "[2001:db8::1]:81", "[2001:db8::1]"])
    found = [json.loads(line)["http"] for line in Eve().lines(batch).splitlines()]
    assert [(each["hostname"], each.get("http_port")) for each in found] == [
        ("a.example", 8080),
        ("[2001:db8::1]", 81),
        ("[2001:db8::1]", None),
    ]


def test_a_question_and_its_answer_are_two_events() -> None:
    question, answer = events("dns", "dns")[:2]
    assert question["dns"] == {
        "version": 2,
        "type": "query",
        "id": 15215,
        "rrname": "www.example.org",
        "rrtype": "A",
        "opcode": 0,
    }
    assert answer["dns"]["type"] == "answer"
    assert answer["dns"]["flags"] == "8580"
    assert answer["dns"]["answers"] == [
        {"rrname": "www.example.org", "rrtype": "A", "ttl": 0, "rdata": "192.0.2.80"}
    ]
    assert answer["dns"]["grouped"] == {"A": ["192.0.2.80"]}
    assert answer["timestamp"] > question["timestamp"]


def test_only_what_was_seen_of_a_question() -> None:
    batch = rows("dns", 3, rcode=[None, "NXDOMAIN", "NOERROR"], rtt=[None, None, 0.5], opcode=["QUERY"] * 3)
    found = [json.loads(line)["dns"]["type"] for line in Eve().lines(batch).splitlines()]
    assert found == ["query", "answer", "query", "answer"]


def test_tls_and_quic() -> None:
    first = events("tls", "tls")[0]
    assert first["event_type"] == "tls"
    assert first["tls"]["sni"] == "www.example.org"
    assert first["tls"]["version"] == "TLS 1.2"
    assert first["tls"]["notbefore"] == "2026-11-20T10:20:55"
    quic = events("tls", "quic")[0]
    assert (quic["event_type"], quic["proto"]) == ("quic", "UDP")
    assert "tls" not in quic
    assert quic["quic"]["ja4"].startswith("q")


def test_alerts_and_their_recovery() -> None:
    batch = rows("alert", 2, state=["raised", "recovered"], rule=["r"] * 2, severity=["warning"] * 2)
    raised, recovered = (json.loads(line) for line in Eve().lines(batch).splitlines())
    check(raised)
    assert raised["event_type"] == "alert"
    assert (raised["alert"]["signature"], raised["alert"]["severity"]) == ("r", 2)
    assert recovered["event_type"] == "alert_recovered"


def test_stats() -> None:
    event = events("health", "http4")[0]
    assert event["event_type"] == "stats"
    assert event["stats"]["decoder"]["pkts_delta"] == 46
    assert event["stats"]["decoder"]["invalid_delta"] == 0  # its two ARP packets are not broken


@pytest.mark.parametrize("table", [table.name for table in all_tables()])
def test_every_table_has_its_event(table: str) -> None:
    for line in Eve().lines(rows(table, 2)).splitlines():
        assert json.loads(line)["event_type"]


def test_hostile_text_is_ascii_in_whole_lines() -> None:
    lines = Eve().lines(conns(len(HOSTILE), name=HOSTILE))
    assert lines.isascii()
    assert [json.loads(line)["tidegate"]["name"] for line in lines.splitlines()] == HOSTILE


def test_chosen_columns() -> None:
    batch = golden("http4", "conn")[0]
    event = json.loads(Eve(["src_ip", "up_bytes"], ["conn"]).lines(batch).splitlines()[0])
    assert event.keys() == {"timestamp", "event_type", "src_ip", "flow"}
    assert event["flow"].keys() == {"bytes_toserver", "start", "alerted"}
    with pytest.raises(UsageError, match='table conn has no column "x"'):
        Eve(["x"], ["conn"])
