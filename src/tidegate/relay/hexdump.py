"""A stage that prints all bytes as they pass, both ways, and keeps them out of the records."""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TextIO

from tidegate.model.batch import Batch
from tidegate.model.text import clip, safe_text

LONGEST = 4096
"""Bytes that are printed of one read."""

_WIDTH = 16
_SIGNS = {"recv": ">", "send": "<"}
_COLUMNS = ("type", "service", "connection_id", "client_ip", "client_port", "payload_base64", "size")


class HexDump:
    """Prints `#7 :22 > 192.0.2.7:41234 70 bytes` and lines of 16 bytes below it."""

    def __init__(self, out: TextIO, bare: Callable[[], Collection[str]]) -> None:
        """`bare` are services whose events hold payload for this alone: their reads go no further."""
        self._out = out
        self._bare = bare

    def process(self, batch: Batch) -> Iterable[Batch]:
        """Prints the reads among these events."""
        if batch.table != "relay":
            return [batch]
        columns = batch.columns(_COLUMNS)
        kinds, services = columns[0], columns[1]
        if "recv" not in kinds and "send" not in kinds:
            return [batch]
        for kind, service, number, ip, port, payload, size in zip(*columns, strict=True):
            if kind in _SIGNS and payload is not None:
                head = f"#{number} {clip(service or '', 40)} {_SIGNS[kind]} {ip}:{port} {size} bytes"
                self._out.write(safe_text(head) + "\n")
                self._out.writelines(line + "\n" for line in dump(b64decode(payload)))
        bare = self._bare()
        mask = [
            not (kind in _SIGNS and service in bare) for kind, service in zip(kinds, services, strict=True)
        ]
        kept = batch if all(mask) else batch.keep(mask)
        return [kept] if kept.num_rows else []

    def tick(self, now: int) -> Iterable[Batch]:
        """Lets the reader have what was printed."""
        self._out.flush()
        return []

    def close(self) -> None:
        """The same; who opened the stream closes it."""
        self._out.flush()


def dump(data: bytes) -> Iterator[str]:
    """Lines such as `00000010  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|`."""
    for start in range(0, min(len(data), LONGEST), _WIDTH):
        piece = data[start : min(start + _WIDTH, LONGEST)]
        left, right = piece[:8].hex(" "), piece[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        yield f"{start:08x}  {left:<23}  {right:<23}  |{text}|"
    if len(data) > LONGEST:
        yield f"          and {len(data) - LONGEST:,} bytes more"
