"""Lines that the core writes by a layout, held against the same made row by row in Python."""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from relay_shapes import autonapt, cowrie, ecs

import mmdb
from helpers import free_port
from log_rows import HOSTILE, HOSTILE_BYTES, START
from made import made
from relays import LOCAL, server, service
from tidegate import _core
from tidegate.enrich.place import Places
from tidegate.model.batch import Batch
from tidegate.model.config.enrich import PlaceSettings
from tidegate.model.errors import UsageError
from tidegate.model.tables import find_table
from tidegate.relay.plan import Address, Backend, Excerpts, Plan, Rule
from tidegate.sinks.autonapt import Autonapt
from tidegate.sinks.cowrie import Cowrie
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.format import Format
from tidegate.sinks.layout import Layout, column, constant, either, joined
from tidegate.sinks.nested import Shape
from tidegate.sinks.text import LaidOut

FORMATS = {"autonapt": (Autonapt, autonapt), "cowrie": (Cowrie, cowrie), "ecs": (Ecs, ecs)}
SAID = [
    b"GET /%C3%A4 HTTP/1.1\r\nHost: example.org\r\n\r\n",
    bytes(range(256)),
    "schön \u202e\u2028 \U0001f4f6".encode(),
    *HOSTILE_BYTES,
    b"x" * 5000,
    b"",
]


@pytest.fixture(params=FORMATS)
def pair(request: pytest.FixtureRequest) -> tuple[Format, Shape]:
    """A format of the core's lines, and the shape that says them in Python."""
    ours, theirs = FORMATS[request.param]
    return ours(), theirs()


def check(pair: tuple[Format, Shape], batch: Batch) -> int:
    """Every line is the same to the byte; how many there are.

    In Python the order of keys depends on which are missing anywhere in the batch, so that each row is
    one of its own there.
    """
    ours, theirs = pair
    if not isinstance(ours, Ecs):
        batch = batch.keep([kind != "notice" for kind in batch.columns(("type",))[0]])
    written = ours.lines(batch).decode("ascii").splitlines()
    rows = range(batch.num_rows)
    singly = [line for row in rows for line in theirs.lines(batch.keep([row == each for each in rows]))]
    assert written == singly
    assert list(map(json.loads, written)) == list(map(json.loads, theirs.lines(batch)))
    return len(written)


def visit(port: int, source: str, said: bytes) -> None:
    """Somebody from `source`, as a PROXY header has it, who waits for the answer."""
    family, here = ("TCP6", "2001:db8::1") if ":" in source else ("TCP4", "192.0.2.1")
    with socket.create_connection((LOCAL, port), 30) as client:
        try:
            client.sendall(f"PROXY {family} {source} {here} 40000 80\r\n".encode() + said)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
        except ConnectionError:
            pass  # who is not let in


def echo(connection: socket.socket) -> None:
    """Says everything again."""
    while data := connection.recv(65_536):
        connection.sendall(data)


def relayed() -> Iterator[Batch]:
    """Events of a relay before one backend that answers and one that is not there."""
    ports = [free_port() for _ in range(3)]
    with server(echo) as backend:
        common: dict[str, Any] = {"proxy_from": ("127.0.0.0/8",), "excerpts": Excerpts(per_read=300)}
        gone = Backend("gone", ((Address(path="/nonexistent/ä.sock"), 1),))
        services = (
            service(ports[0], backend, 'fr"ont', rules=(Rule("get", "backend", pattern=b"^GET"),), **common),
            replace(service(ports[1], backend, "gone", **common), backends=(gone,), default="gone"),
            service(ports[2], backend, "shut", deny=("0.0.0.0/0", "::/0"), **common),
        )
        relay = _core.Relay(Plan(services, sensor="gäte"))
        for said in SAID:
            for source in ("8.8.8.8", "2a00:1450::1", "192.0.2.77"):
                visit(ports[0], source, said)
        for port in ports[1:]:
            visit(port, "8.8.4.4", b"hello")
        relay.stop()
        while (batches := relay.poll(0.2)) is not None:
            yield from (batch for batch in batches if batch.table == "relay")


def test_of_a_relay_every_line_is_as_python_writes_it(pair: tuple[Format, Shape], tmp_path: Path) -> None:
    known = mmdb.city("DE", "Köln") | mmdb.network(64500, "Example Net")
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.0/24": known, "2a00::/16": {"country_code": "IE"}})
    places = Places(PlaceSettings((str(file),)))
    batches = [placed for batch in relayed() for placed in places.process(batch)]
    places.close()
    kinds = {kind for batch in batches for kind in batch.columns(("type",))[0]}
    assert kinds >= {"accept", "detect", "connect", "recv", "send", "close", "refused", "notice"}
    assert sum(check(pair, batch) for batch in batches) > 100
    assert any("Köln" in batch.columns(("client_city",))[0] for batch in batches)


def test_hostile_texts_everywhere(pair: tuple[Format, Shape]) -> None:
    texts = [each.name for each in find_table("relay").columns if each.type == "VARCHAR"]
    texts = [name for name in texts if name not in ("type", "payload_base64")]
    for kind in ("accept", "connect", "recv", "close", "?", ""):
        rows = [dict.fromkeys(texts, text) for text in (*HOSTILE, "", "\x7f\x08\x0c")]
        check(pair, made("relay", *({"ts": START + 1, "type": kind, **row} for row in rows)))
    said = [{"payload_base64": b64encode(text).decode(), "payload": text} for text in HOSTILE_BYTES]
    check(pair, made("relay", *({"ts": START, "type": "recv", **row} for row in said)))


@pytest.mark.parametrize("number", [0.0, 1e-5, 2.5e-05, 1e-4, 0.1 + 0.2, 12345.678901234567, 1e9, 4.2e-9])
def test_numbers(pair: tuple[Format, Shape], number: float) -> None:
    names = ("duration", "detect_duration", "connect_duration", "rtt_client")
    row = {"ts": START, "type": "close", **dict.fromkeys(names, number)}
    check(pair, made("relay", row | {"up_bytes": (1 << 64) - 1, "down_bytes": 0, "client_asn": 0}))


@pytest.mark.parametrize("columns", [("ts", "client_ip"), ("type", "size", "payload_base64"), ("remote_ip",)])
@pytest.mark.parametrize("name", FORMATS)
def test_some_columns(name: str, columns: tuple[str, ...]) -> None:
    ours, theirs = FORMATS[name]
    wanted = {"type": "recv", "client_ip": "8.8.8.8", "size": 7, "payload_base64": "eA=="}
    batch = made("relay", {"ts": START, **wanted})
    check((ours(columns), theirs().of(columns)), batch)


def test_every_kind_of_event_is_known() -> None:
    told = next(each.doc for each in find_table("relay").columns if each.name == "type")
    ours = {kind for kind, _ in Cowrie.LAYOUT().kinds} | {"detect", "connect", "recv", "send", "refused"}
    assert all(kind in told for kind in ours)
    notice = made("relay", {"ts": START, "type": "notice", "text": "x"})
    assert Autonapt().lines(notice) == Cowrie().lines(notice) == b""
    assert json.loads(Ecs().lines(notice))["event"]["type"] == ["info"]


@pytest.mark.parametrize(
    "keys",
    [
        (constant("a", 1), constant("a.b", 1)),
        (constant("a..b", 1),),
        (column("a", "ts", "backwards"),),  # type: ignore[arg-type]
    ],
)
def test_a_layout_that_cannot_be_is_refused(keys: Any) -> None:
    with pytest.raises(UsageError, match=r'"(a\.b|a\.\.b|backwards)"'):
        LaidOut(Layout([], keys))


def test_a_column_that_is_not_there_is_named() -> None:
    laid_out = LaidOut(Layout([], (column("a", "nowhere"),)))
    with pytest.raises(UsageError, match='"nowhere"'):
        laid_out.lines(made("relay", {"ts": START, "type": "close"}))


def test_one_of_two_and_texts_put_together() -> None:
    keys = (
        either("went", "cause", "badly", ["well", None]),
        joined("said", ("<", "service", "nobody"), ("> ", "size", None), (" ", "ts", "")),
    )
    rows = ({"cause": "fin", "service": "a", "size": 3}, {"cause": "", "service": ""})
    batch = made("relay", *({"ts": START, "type": "x", **row} for row in rows))
    assert LaidOut(Layout([], keys)).lines(batch).decode().splitlines() == [
        '{"went":"badly","said":"<a> 3 2026-11-20T10:20:54.000000000Z"}',
        '{"went":["well",null],"said":"<nobody 2026-11-20T10:20:54.000000000Z"}',
    ]
