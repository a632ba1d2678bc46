"""Lines of connections opened and closed."""

import io
from typing import Any

import pytest

from rows import Conns
from tidegate.model.batch import make
from tidegate.model.filter import parse_filter
from tidegate.sinks import console
from tidegate.sinks.console import ConsoleSink, closed_line, opened_line
from tidegate.sinks.only import OnlySink

ROW: dict[str, Any] = {
    "ts": "2026-11-20T14:02:11.000000000Z",
    "last_ts": "2026-11-20T14:02:15.250000000Z",
    "proto": "tcp",
    "src_ip": "2001:db8::1",
    "src_port": 41000,
    "dst_ip": "192.0.2.9",
    "dst_port": 443,
    "conn_state": "SF",
    "duration": 4.25,
    "up_bytes": 1200,
    "down_bytes": 45300,
    "process_name": "curl",
    "service": "tls",
    "name": "www.example.org\x1b]0;title\x07",
}


def test_how_a_connection_ended_fits_a_line() -> None:
    assert closed_line(ROW) == (
        "14:02:15 - tcp   [2001:db8::1]:41000 > 192.0.2.9:443          SF       4.25 s"
        "  up   1.2 kB  down  45.3 kB  curl  tls    www.example.org\\x1b]0;title\\x07"
    )


def test_a_connection_is_told_when_new_and_when_over() -> None:
    out = io.StringIO()
    sink = ConsoleSink(out)
    row = {"uid": "C1", "proto": "icmp", "src_ip": "a", "dst_ip": "b", "iface": "eth0", "conn_state": "OTH"}
    for state in ("active", "active", "closed"):
        sink.write(Conns().add(state=state, **row))
    lines = out.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["+", "-"]
    assert lines[0].split()[2:] == ["icmp", "a", ">", "b", "eth0"]
    assert lines[0].index("eth0") == lines[1].index("OTH")


def test_what_is_known_of_a_new_connection_is_told() -> None:
    row = ROW | {"iface": "eth0", "service": None, "name": "printer.local", "process_name": None}
    assert opened_line(row).endswith("eth0         printer.local")
    assert opened_line(row | {"name": None}).endswith("  eth0")
    assert opened_line(row | {"name": None, "service": "dns"}).endswith("  eth0  dns")
    assert opened_line(row | {"name": None, "process_name": "di\x1bg"}).endswith("  eth0  di\\x1bg")


def test_a_long_name_is_cut_after_it_was_made_safe() -> None:
    line = closed_line(ROW | {"name": "\x1b" * 1000})
    assert line.endswith("…")
    assert len(line) < 200


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "REMEMBERED", 5)
    sink = ConsoleSink(io.StringIO())
    for number in range(10):
        sink.write(Conns().add(uid=f"C{number}", state="active"))
    assert len(sink._told) == 5


def test_what_is_shown_can_be_less_than_what_is_kept() -> None:
    out = io.StringIO()
    sink = OnlySink(ConsoleSink(out), parse_filter("src:10.0.0.0/8"))
    for number, address in enumerate(("10.0.0.5", "192.0.2.1")):
        row = {column: [value] for column, value in ROW.items() if column not in ("ts", "last_ts")}
        given = {
            "uid": [f"C{number}"],
            "iface": ["eth0"],
            "state": ["active"],
            "sensor": [""],
            "history": [""],
        }
        counts = {
            f"{way}_{what}": [0]
            for way in ("up", "down")
            for what in ("packets", "payload", "retransmits", "out_of_order", "zero_windows", "missed")
        }
        sink.write(make("conn", {**counts, **row, **given, "ts": [1], "last_ts": [1], "src_ip": [address]}))
    sink.flush()
    sink.close()
    assert [line.split()[3] for line in out.getvalue().splitlines()] == ["10.0.0.5:41000"]
