"""The filter language: what it finds in rows, the same in SQL, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from tidegate import _core
from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.tables import find_table
from tidegate.queries.engine import Database

GOLDEN = Path(__file__).parent.parent / "golden"
ROW: dict[str, Any] = {
    "process_name": "Firefox",
    "src_ip": "10.0.0.5",
    "dst_ip": "2001:db8::7",
    "src_port": 41234,
    "dst_port": 443,
    "conn_state": "S0",
    "name": "www.example.org",
    "up_bytes": 6_000_000,
    "duration": 2.5,
    "service": None,
}


def test_events_of_the_relay_have_ends_too() -> None:
    row = {"client_ip": "192.0.2.7", "server_ip": "10.0.0.1", "client_port": 40000, "server_port": 22}
    row |= {"client_country": "JP", "service": "front"}
    for text in (
        "net:192.0.2.0/24",
        "src:192.0.2.7",
        "dst:10.0.0.1",
        "port:22",
        "dport:22",
        "country:JP",
        "front",
    ):
        assert parse_filter(text).holds(row), text
        assert not parse_filter(f"-{text}").holds(row), text
    assert not parse_filter("src:10.0.0.1").holds(row)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("prog:firefox -net:192.168.0.0/16 port:>1024 state:S0", True),
        ("prog:=fire", False),
        ("prog:fire*", True),
        ("-prog:firefox", False),
        ("net:10.0.0.0/8", True),
        ("src:10.0.0.5", True),
        ("dst:10.0.0.5", False),
        ("net:2001:db8::/32", True),
        ("net:2001:0db8:0::7", True),
        ("port:443", True),
        ("port:44", False),
        ("port:400-500,22", True),
        ("dport:<443", False),
        ("bytes:>5M", True),
        ("duration:>=2s", True),
        ("example", True),
        ("-example", False),
        ('host:"www.example"', True),
        ("host:/^www[.]ex.*g$/", True),
        ("host:/(/", None),
        ("service:-", True),
        ("-service:-", False),
        ("prog:a,fox", True),
        ("method:GET", False),
        ("-method:GET", True),
    ],
)
def test_words(text: str, found: bool | None) -> None:
    if found is None:
        with pytest.raises(UsageError, match="no regular expression"):
            parse_filter(text)
    else:
        assert parse_filter(text).holds(ROW) is found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prg:x", 'did you mean "prog"'),
        ("zzz:red", "there are prog"),
        ("port:http", '"port:" is a number'),
        ("prog:>5", '"prog:" is text'),
        ("port:>x", '"x" is no number'),
        ('host:""', "a value is missing"),
        ("port:", 'a value is missing after "port:"; a missing one is port:-'),
        ("curl -prog:", 'a value is missing after "prog:"'),
        ("process_name: x", 'a value is missing after "process_name:"'),
        ("port:,", "a list of values is empty"),
        ("x " * 70, "at most 64 words"),
        ("x" * 5000, "at most 4096"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_filter(text)


def test_a_pattern_that_would_double_costs_nothing() -> None:
    assert not parse_filter("host:/^(a+)+$/").holds({"name": "a" * 5000 + "b"})


@pytest.mark.parametrize("capture", ["http4.pcap", "http6.pcap", "dns.pcap", "icmp_errors.pcap"])
@pytest.mark.parametrize(
    "text",
    [
        "port:80",
        "port:>1024 -state:S0",
        "net:192.0.2.0/28",
        "-net:192.0.2.1",
        "net:2001:db8::/126,fe80::/10",
        "net:ff00::/8",
        "dst:::/0",
        "src:0.0.0.0/0",
        "host:*.example.*",
        "host:/^w+[.]/",
        "service:-",
        "service:=http",
        "bytes:>1K",
        "duration:<1ms",
        "example",
        "-example udp",
        "sensor:x",
        'host:"www example"',
    ],
)
def test_sql_finds_the_same(capture: str, text: str) -> None:
    wanted = parse_filter(text)
    reader = _core.Reader([str(GOLDEN / capture)], tables=["conn"])
    batches = [batch for some in iter(lambda: reader.poll(1), None) for batch in some]
    names = [column.name for column in find_table("conn").columns]
    there: list[str] = []
    for batch in batches:
        there += wanted.keep(batch).columns(["uid"])[0]
    condition, values = wanted.sql(names)
    database = Database("64MB")
    try:
        database.duckdb.register("conn", _core.Rows(batches))
        found = database.duckdb.execute(f"SELECT uid FROM conn WHERE {condition}", values).fetchall()
    finally:
        database.close()
    assert sorted(uid for (uid,) in found) == sorted(there)
