"""Rows for logs: of golden captures, and made ones with chosen values."""

from pathlib import Path
from typing import Any

import tidegate
from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table

GOLDEN = Path(__file__).parent / "golden"
START = 1_795_170_054_000_000_000
"""2026-11-20 10:20:54 UTC, in nanoseconds."""

HOSTILE = [
    "[/foo]",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x9b31m\x85",
    "\u202eexe.txt\u2066\u2028\u061c\ufeff",
    "A" * 65_536,
    "a\tb\nc\rd\x0be\x00f",
    '"quoted", it\'s \\ and \\x41 and %s %d',
    "-",
    "(empty)",
    "=cmd|' /C calc'!A0",
    "ünï📶",
]
"""What a stranger may send as a name."""

HOSTILE_BYTES = [b"\xff\xfe\x80abc", b"\xc2\x9b31m", b"\x1b]0;x\x07\n", b"\xed\xa0\x80"]
"""The same where it is no text at all."""

_EMPTY: dict[str, Any] = {"VARCHAR": "", "BOOLEAN": False, "DOUBLE": 0.0}


def rows(table: str, count: int, **columns: list[Any]) -> Batch:
    """Rows with these columns; the others are missing where they may be, else empty or 0."""
    filled = {
        column.name: [{} if column.type.startswith("MAP") else _EMPTY.get(column.type, 0)] * count
        for column in find_table(table).columns
        if not column.nullable and column.name not in columns
    }
    if table == "conn":
        filled["state"] = ["closed"] * count
    return make(table, filled | {"ts": [START + at * 1_000_000 for at in range(count)]} | columns)


def conns(count: int, first: int = 0, **columns: list[Any]) -> Batch:
    """Connections that are over, numbered in their uid."""
    numbers = range(first, first + count)
    ours = {
        "uid": [f"C{number:08d}" for number in numbers],
        "src_port": [number % 65_536 for number in numbers],
    }
    fixed = {"proto": "tcp", "src_ip": "192.0.2.1", "dst_ip": "192.0.2.2", "conn_state": "SF"}
    fixed |= dict.fromkeys(("up_packets", "up_bytes", "down_packets", "down_bytes"), 0)
    return rows("conn", count, **(ours | {name: [value] * count for name, value in fixed.items()} | columns))


def golden(name: str, table: str) -> list[Batch]:
    """The rows that a golden capture gives."""
    return list(tidegate.read(GOLDEN / f"{name}.pcap", tables=[table]))
