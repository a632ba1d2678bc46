"""The hex dump: readable, safe, bounded; and what it printed goes no further than it was asked to."""

import io
from base64 import b64encode

from made import made
from tidegate.relay.hexdump import LONGEST, HexDump, dump


def read(kind: str, data: bytes, service: str = "front", number: int = 7) -> dict[str, object]:
    return {
        "type": kind,
        "service": service,
        "connection_id": number,
        "client_ip": "192.0.2.7",
        "client_port": 41234,
        "payload_base64": b64encode(data).decode(),
        "size": len(data),
    }


def test_lines_are_those_that_everybody_knows() -> None:
    assert list(dump(b"GET / HTTP/1.1\r\n\x1b[31m\xff")) == [
        "00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|",
        "00000010  1b 5b 33 31 6d ff                                 |.[31m.|",
    ]
    assert list(dump(b"")) == []


def test_a_long_read_is_cut_and_said_so() -> None:
    lines = list(dump(b"x" * (LONGEST + 1000)))
    assert len(lines) == LONGEST // 16 + 1
    assert lines[-1].endswith("and 1,000 bytes more")


def test_both_ways_are_printed_and_go_no_further() -> None:
    out = io.StringIO()
    stage = HexDump(out, lambda: {"front"})
    batch = made("relay", {"type": "accept", "service": "front"}, read("recv", b"a"), read("send", b"b"))
    (kept,) = stage.process(batch)
    assert kept.columns(("type",)) == [["accept"]]
    assert out.getvalue().splitlines()[::2] == [
        "#7 front > 192.0.2.7:41234 1 bytes",
        "#7 front < 192.0.2.7:41234 1 bytes",
    ]
    assert list(stage.process(made("relay", read("recv", b"a")))) == []


def test_events_that_were_asked_for_are_kept() -> None:
    stage = HexDump(io.StringIO(), set)
    batch = made("relay", read("recv", b"a"))
    assert list(stage.process(batch)) == [batch]
    other = made("conn", {})
    assert list(stage.process(other)) == [other]


def test_a_service_with_a_hostile_name_harms_no_terminal() -> None:
    out = io.StringIO()
    list(HexDump(out, set).process(made("relay", read("recv", b"a", "\x1b]0;x\x07" * 50))))
    assert all(line.isprintable() for line in out.getvalue().splitlines())
