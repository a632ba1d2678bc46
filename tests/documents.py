"""Finished reports for tests of what is done with them."""

import struct
import zlib
from datetime import UTC, datetime
from typing import Any

from tidegate.model.document import Document, Picture, Sheet

MORNING = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def picture(name: str, size: int = 64) -> Picture:
    """A grey square that any program shows; noise in a chunk of its own makes it large."""
    line = b"\0" + b"\x80" * 8
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(line * 8))]
    chunks += [(b"noIs", bytes(number * number % 251 for number in range(size))), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return Picture(name, png, f"what {name} shows")


def report(name: str = "pings", **given: Any) -> Document:
    """A report with two pictures and a table."""
    usual = {
        "title": "Pings of the night",
        "begin": datetime(2026, 11, 19, 22, 0, tzinfo=UTC),
        "end": MORNING,
        "text": "192.0.2.7  12 pings\n",
        "html": '<!doctype html><html><head></head><body class="r"><h1>Pings</h1>'
        '<img src="cid:bars.png" alt="bars"><img src="cid:time.png" alt="time"></body></html>',
        "pictures": (picture("bars.png"), picture("time.png", 3000)),
        "sheets": (Sheet("pings.csv", "source,pings\r\nHäuschen,12\r\n".encode()),),
    }
    return Document(name=name, **(usual | given))
