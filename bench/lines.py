"""Lines of the relay's events, by format: rows per CPU second. `python bench/lines.py [ROUNDS [ROWS]]`."""

import statistics
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1, sha256

from measure import Check, Report

from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table
from tidegate.sinks.autonapt import Autonapt
from tidegate.sinks.cowrie import Cowrie
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.eve import Eve
from tidegate.sinks.format import Format
from tidegate.sinks.plain import Plain

ROWS = 100_000
AT_ONCE = 8192
"""Rows of a batch, as the core hands them over."""
SAID = (b"GET / HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: x\r\n\r\n" * 5)[:256]
ENOUGH = 6_000 * 6 * 10
"""Six events of each of 6,000 new connections a second, in a tenth of a CPU."""

Row = dict[str, object]
FORMATS: dict[str, Callable[[], Format]] = {
    "jsonl": lambda: Plain("jsonl", "relay"),
    "autonapt": Autonapt,
    "cowrie": Cowrie,
    "ecs": Ecs,
    "eve": Eve,
}


def connection(number: int) -> list[Row]:
    """The events of one connection, with an excerpt of 256 bytes each way and a place."""
    met: Row = {
        "sensor": "gate",
        "uid": f"C{number:017d}",
        "connection_id": number,
        "service": "front",
        "proto": "tcp",
        "client_ip": f"198.51.{number % 65_536 // 256}.{number % 256}",
        "client_port": 1024 + number % 60_000,
        "server_ip": "192.0.2.1",
        "server_port": 80,
        "client_country": "JP",
        "client_city": "Osaka",
        "client_asn": 64500,
        "client_as_org": "Example Net",
        "duration": number / 1e6,
    }
    known: Row = met | {"rule": "get", "backend": "web", "protocol": "http"}
    server: Row = {"remote_ip": "127.0.0.1", "remote_port": 8080, "local_ip": "127.0.0.1", "local_port": 5000}
    data: Row = {
        "size": len(SAID),
        "payload": SAID,
        "payload_base64": b64encode(SAID).decode(),
        "sha256": sha256(SAID).hexdigest(),
        "sha1": sha1(SAID).hexdigest(),
    }
    events: list[Row] = [
        met | {"type": "accept"},
        known | {"type": "detect", "size": len(SAID)},
        known | server | {"type": "connect", "connect_duration": 0.0001},
        known | server | data | {"type": "recv"},
        known | server | data | {"type": "send"},
        known | server | {"type": "close", "cause": "fin", "up_bytes": 256, "down_bytes": 256},
    ]
    return [event | {"ts": 1_795_170_054_000_000_000 + number * 1000 + at} for at, event in enumerate(events)]


def batches(count: int) -> list[Batch]:
    """So many events of connections, as a relay hands them over."""
    names = [column.name for column in find_table("relay").columns]
    rows = [row for number in range(1, count // 6 + 2) for row in connection(number)][:count]
    parts = [rows[at : at + AT_ONCE] for at in range(0, count, AT_ONCE)]
    return [make("relay", {name: [row.get(name) for row in part] for name in names}) for part in parts]


def lines(rounds: int, count: int = ROWS) -> Report:
    """Rounds in turns."""
    events = batches(count)
    formats = {name: made() for name, made in FORMATS.items()}
    taken: dict[str, list[float]] = {name: [] for name in formats}
    sizes = {name: sum(len(each.lines(batch)) for batch in events) for name, each in formats.items()}
    for _ in range(rounds):
        for name, each in formats.items():
            began = time.process_time()
            for batch in events:
                each.lines(batch)
            taken[name].append(time.process_time() - began)
    rates = {name: count / statistics.median(seconds) for name, seconds in taken.items()}
    table = [("format", "rows per CPU second", "us a row", "bytes a row")]
    table += [
        (name, f"{rate:,.0f}", f"{1e6 / rate:.2f}", f"{sizes[name] / count:.0f}")
        for name, rate in rates.items()
    ]
    bulk = ("jsonl", "autonapt", "cowrie", "ecs")
    return Report(
        table, [Check(f"{name}, rows per CPU second", rates[name], ENOUGH, at_least=True) for name in bulk]
    )


if __name__ == "__main__":
    lines(*map(int, sys.argv[1:] or ["5"])).print("lines")
