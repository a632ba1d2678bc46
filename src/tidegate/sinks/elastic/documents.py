"""Rows as documents: what stands in a request for many of them, each under a name that it always has.

The name (`_id`) is the row's time and a hash of what makes it that one (`identity.py`). So a request that is
sent again, or a log that is replayed, finds what is there already instead of doubling it.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from tidegate.model.batch import Batch
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.elastic import identity
from tidegate.sinks.plain import Plain

PREFIX = b'{"create":{"_index":"'
"""How the line before each document begins. Data streams know no other way to add one."""


@dataclass(frozen=True)
class Document:
    """A document as the server takes it: the line before it, and itself."""

    action: bytes
    source: bytes

    @property
    def size(self) -> int:
        """Bytes in a request."""
        return len(self.action) + len(self.source) + 2


def document(stream: str, ts: int, identity: bytes, source: bytes, salt: int = 0) -> Document:
    """A document of a stream, `ts` being its time in nanoseconds; `salt` parts those that are alike."""
    digest = blake2b(identity, digest_size=12, salt=salt.to_bytes(8, "big")).digest()
    # The time comes first: names that grow are found faster.
    name = base64.urlsafe_b64encode((ts & (1 << 64) - 1).to_bytes(8, "big") + digest).rstrip(b"=")
    return Document(b'%s%s","_id":"%s"}}' % (PREFIX, stream.encode(), name), source)


def body(documents: Sequence[Document]) -> bytes:
    """Documents as the body of a request, or as the spool keeps them."""
    return b"".join(b"%s\n%s\n" % (each.action, each.source) for each in documents)


def split(documents: Sequence[Document], limit: int) -> Iterator[list[Document]]:
    """Documents in parts of `limit` bytes at most; one that is larger is a part of its own."""
    part: list[Document] = []
    size = 0
    for each in documents:
        if part and size + each.size > limit:
            yield part
            part, size = [], 0
        part.append(each)
        size += each.size
    if part:
        yield part


class Documents:
    """Rows of any tables as documents of the data streams STREAM-TABLE."""

    def __init__(self, stream: str, format: Literal["ecs", "flat"], columns: Sequence[str] = ()) -> None:
        """All columns, or these (and the time)."""
        self._stream = stream
        self._format = format
        self._columns = columns
        self._ecs = Ecs(columns)
        self._plain: dict[str, Plain] = {}

    def of(self, batch: Batch) -> list[Document]:
        """A document for each row."""
        if not batch.num_rows:
            return []
        name = f"{self._stream}-{batch.table}"
        times = batch.columns(("ts",))[0]
        keys = identity.of_batch(batch, self._identity(batch.table))
        found = zip(times, keys, self._lines(batch), strict=True)
        return [document(name, ts, key, line) for ts, key, line in found]

    def _identity(self, table: str) -> Sequence[str]:
        """What names a row: of a row that is not whole, all there is."""
        wanted = identity.columns(table)
        return wanted if not self._columns or set(self._columns).issuperset(wanted) else self._columns

    def _lines(self, batch: Batch) -> list[bytes]:
        if self._format == "ecs":
            return self._ecs.lines(batch).splitlines()
        plain = self._plain.get(batch.table)
        if plain is None:
            columns = ("ts", *(name for name in self._columns if name != "ts")) if self._columns else ()
            plain = self._plain[batch.table] = Plain("jsonl", batch.table, columns)
        return [b'{"@timestamp":' + line.removeprefix(b'{"ts":') for line in plain.lines(batch).splitlines()]
