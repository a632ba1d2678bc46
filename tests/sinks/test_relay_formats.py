"""Events of the relay in AutoNapt's, Cowrie's, ECS' and EVE's names, and as lines for people."""

import io
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from test_ecs import check

from log_rows import HOSTILE, HOSTILE_BYTES, START, conns
from made import made
from tidegate.model.batch import Batch
from tidegate.model.config import LogSettings
from tidegate.model.errors import UsageError
from tidegate.sinks.autonapt import Autonapt
from tidegate.sinks.cowrie import Cowrie
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.eve import Eve
from tidegate.sinks.log import open_log, stream_log
from tidegate.sinks.relay_console import REFUSED, Notices, RelayConsole

SAID = b"GET / HTTP/1.1\r\n\x00\xff"

COMMON: dict[str, Any] = {
    "ts": START + 176_026_123,
    "sensor": "gate",
    "uid": "Cabc",
    "connection_id": 7,
    "service": "front",
    "proto": "tcp",
    "client_ip": "198.51.100.9",
    "client_port": 41234,
    "server_ip": "192.0.2.1",
    "server_port": 8443,
    "client_country": "JP",
    "client_city": "Osaka",
    "client_asn": 64500,
    "client_as_org": "Example",
}
SERVER: dict[str, Any] = {
    "remote_ip": "127.0.0.1",
    "remote_port": 8080,
    "local_ip": "127.0.0.1",
    "local_port": 50001,
    "backend": "web",
    "rule": "get",
    "protocol": "http",
}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {**COMMON, "type": kind, **more}


def data(kind: str, text: bytes = SAID, size: int = 900) -> dict[str, Any]:
    return event(
        kind,
        **SERVER,
        size=size,
        payload=text,
        payload_base64=b64encode(text).decode(),
        sha256="ab",
        sha1="cd",
    )


def story() -> Batch:
    return made(
        "relay",
        event("accept"),
        event("detect", rule="get", protocol="http", size=18),
        event("connect", **SERVER),
        data("recv"),
        data("send"),
        event("close", **SERVER, cause="fin", up_bytes=18, down_bytes=900, duration=1.5),
        event("refused", uid=None, cause="denied"),
        {"ts": START, "sensor": "gate", "type": "notice", "proto": "tcp", "text": "a port is taken"},
    )


def lines(format: Any, batch: Batch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in format.lines(batch).splitlines()]


def test_autonapt_finds_its_fields() -> None:
    accept, detect, connect, recv, send, close, refused = lines(Autonapt(), story())
    assert [each["type"] for each in (accept, detect, connect, recv, send, close, refused)] == [
        "accept", "detect", "connect", "recv", "send", "close", "refused",
    ]  # fmt: skip
    assert {each["connection_id"] for each in (accept, recv, close)} == {7}
    assert accept["datetime"] == "2026-11-20 10:20:54.176026"
    assert accept["client"] == {
        "remote": {
            "ip": "198.51.100.9",
            "address": "198.51.100.9",
            "port": 41234,
            "geoip": {
                "city": {"iso_code": "JP", "city": "Osaka"},
                "asn": {"asn": "Example", "number": 64500},
            },
        },
        "local": {"address": "192.0.2.1", "port": 8443},
    }
    assert "server" not in accept
    assert connect["server"] == {
        "remote": {"address": "127.0.0.1", "port": 8080},
        "local": {"address": "127.0.0.1", "port": 50001},
    }
    assert (recv["protocol"], recv["packet_size"], recv["sha1"]) == ("http", 900, "cd")
    assert recv["packet"] == SAID.decode("latin-1")
    assert close["tidegate"]["cause"] == "fin"


def test_cowrie_finds_its_fields() -> None:
    accept, *_, recv, _, close, refused = lines(Cowrie(), story())
    assert (accept["eventid"], accept["session"], accept["sensor"]) == (
        "cowrie.session.connect",
        "Cabc",
        "gate",
    )
    assert (accept["src_ip"], accept["src_port"], accept["dst_ip"], accept["dst_port"]) == (
        "198.51.100.9", 41234, "192.0.2.1", 8443,
    )  # fmt: skip
    assert accept["timestamp"] == "2026-11-20T10:20:54.176026Z"
    assert (recv["eventid"], recv["shasum"]) == ("tidegate.relay.recv", "ab")
    assert (close["eventid"], close["duration"]) == ("cowrie.session.closed", 1.5)
    assert "session" not in refused


def test_ecs_has_its_names_and_types() -> None:
    events = lines(Ecs(), story())
    for each in events:
        check(each)
    kinds = {each["event"]["action"]: each for each in events}
    assert kinds["accept"]["event"]["type"] == ["connection", "start"]
    assert kinds["refused"]["event"]["type"] == ["connection", "denied"]
    assert (
        kinds["close"]["event"] | {"type": ["connection", "end"], "duration": 1_500_000_000}
        == kinds["close"]["event"]
    )
    assert kinds["connect"]["destination"]["nat"] == {"ip": "127.0.0.1", "port": 8080}
    assert kinds["close"]["source"]["bytes"] == 18
    assert kinds["notice"]["message"] == "a port is taken"


def test_a_relayed_connection_passed_no_interface() -> None:
    relayed, captured = conns(1, iface=[""]), conns(1, iface=["eth0"])
    assert "ingress" not in json.loads(Ecs().lines(relayed))["observer"]
    assert json.loads(Ecs().lines(captured))["observer"]["ingress"] == {"interface": {"name": "eth0"}}
    assert "in_iface" not in json.loads(Eve().lines(relayed))
    assert json.loads(Eve().lines(captured))["in_iface"] == "eth0"


def test_a_unix_socket_is_no_address() -> None:
    (one,) = lines(Ecs(), made("relay", event("connect", remote_ip="/run/x.sock", backend="x")))
    assert "nat" not in one["destination"]
    assert one["tidegate"]["remote_ip"] == "/run/x.sock"


def test_eve_has_a_flow_for_each_connection() -> None:
    events = lines(Eve(), story())
    assert {each["event_type"] for each in events} == {"relay"}
    assert len({each["flow_id"] for each in events if "flow_id" in each}) == 1


@pytest.mark.parametrize("format", [Autonapt, Cowrie, Ecs, Eve])
def test_whatever_strangers_send_a_line_is_a_line(format: Any) -> None:
    batch = made(
        "relay",
        *(data("recv", text) for text in HOSTILE_BYTES),
        *(data("recv", text.encode("utf-8", "surrogatepass")) for text in HOSTILE),
    )
    written = format().lines(batch)
    assert written.isascii()
    assert written.count(b"\n") == len(HOSTILE) + len(HOSTILE_BYTES) == len(lines(format(), batch))
    assert not any(byte < 32 and byte != 10 for byte in written)


@pytest.mark.parametrize("format", ["autonapt", "cowrie"])
def test_a_log_of_these_is_of_the_relay_whatever_is_named(format: Any, tmp_path: Path) -> None:
    log = open_log(LogSettings(name="x", path=str(tmp_path / "x.log"), format=format))
    assert log.tables == ("relay",)
    log.write(story())
    log.flush()
    log.close()
    assert len((tmp_path / "x.log").read_text().splitlines()) == 7
    with pytest.raises(UsageError, match="events of the relay"):
        stream_log(format, ["conn"], io.BytesIO())


def shown(batch: Batch, every: bool = False) -> list[str]:
    out = io.StringIO()
    sink = RelayConsole(out, every, clock=lambda: 5.0)
    sink.write(batch)
    sink.close()
    return out.getvalue().splitlines()


def test_a_person_sees_who_came_and_went() -> None:
    assert shown(story()) == [
        "10:20:54 + #7 front  198.51.100.9:41234 > 127.0.0.1:8080  rule get  http",
        "10:20:54 - #7 front  198.51.100.9:41234 > 127.0.0.1:8080  rule get  http  1.50 s  up 18 B down 900 B"
        "  (fin)",
        "10:20:54 ! #7 front  198.51.100.9:41234 > 192.0.2.1:8443  (denied)",
    ]
    assert len(shown(story(), every=True)) == 7


def test_a_flood_of_refused_ones_is_counted() -> None:
    said = shown(made("relay", *[event("refused", cause="denied")] * (REFUSED + 90)))
    assert len(said) == REFUSED + 1
    assert "90 more were refused" in said[-1]


def test_what_strangers_choose_harms_no_terminal() -> None:
    hostile = made("relay", *(event("close", rule=text, cause=text) for text in HOSTILE))
    for line in shown(hostile):
        assert line.isprintable()
        assert len(line) < 700_000


def test_notices_are_said_once_in_a_row() -> None:
    said: list[str] = []
    sink = Notices(said.append)
    for text in ("a", "a", "b", "a"):
        sink.write(made("relay", {"ts": START, "type": "notice", "text": text, "service": "front"}))
    sink.write(story())
    taken = {"ts": START, "type": "notice", "service": ":22", "text": ":22: Address already in use"}
    sink.write(made("relay", taken))
    assert said.pop() == "tidegate: :22: Address already in use"
    assert said == [
        "tidegate: front: a",
        "tidegate: front: b",
        "tidegate: front: a",
        "tidegate: a port is taken",
    ]
