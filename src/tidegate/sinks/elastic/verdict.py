"""What an answer to a request for many documents means for each of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.model.text import one_line
from tidegate.sinks.elastic.documents import Document, split
from tidegate.sinks.elastic.server import Answer, ServerError

_NOT_THEIR_FAULT = frozenset(
    {
        "cluster_block_exception",
        "es_rejected_execution_exception",
        "index_closed_exception",
        "index_not_found_exception",
        "opensearch_rejected_execution_exception",
        "rejected_execution_exception",
        "security_exception",
        "unavailable_shards_exception",
        "validation_exception",  # no room for another shard
    }
)
"""Errors of a document that are the server's or its configuration's, whatever their status."""

_ANSWER = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"

PATH = f"/_bulk?{_ANSWER}"
"""Where documents are posted; of the answer only what is looked at."""

LEAST = 1024
"""Bytes of a request, at least: below the size of a row it has one."""

SUSPICIOUS = 1 << 16
"""Bytes from which on a request may be too large for somebody."""

KIND = "application/x-ndjson"


@dataclass(frozen=True)
class Refused:
    """A document that the server will never take."""

    document: Document
    kind: str
    reason: str


@dataclass
class Verdict:
    """What became of the documents of one request."""

    sent: int = 0
    there: int = 0
    """Those that the server had already."""
    refused: list[Refused] = field(default_factory=list)
    again: list[Document] = field(default_factory=list)
    """Those to be sent again, after a while."""
    trouble: str = ""
    """Why: what the server could not do."""
    too_large: bool = False
    """Nothing was taken: less at a time may do."""
    halve: bool = False
    """Nothing was taken: one of them spoils it for all."""


def judge(documents: Sequence[Document], answer: Answer) -> Verdict:
    """What became of each document; raises ServerError for an answer that says nothing of them."""
    if answer.status == 413:
        return Verdict(too_large=True, trouble="too large")
    if answer.status == 400:
        return Verdict(halve=True, trouble=answer.reason())
    if answer.status != 200:
        raise ServerError(answer.reason())
    found = answer.json()
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list) or len(items) != len(documents):
        raise ServerError("the answer is not that of a bulk request: is this the right address?")
    verdict = Verdict()
    for document, item in zip(documents, items, strict=True):
        _judge(document, item, verdict)
    return verdict


def _judge(document: Document, item: Any, verdict: Verdict) -> None:
    said = next(iter(item.values()), None) if isinstance(item, dict) else None
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(status, int):
        raise ServerError("the answer is not that of a bulk request: is this the right address?")
    error = said.get("error")
    kind = one_line(str(error.get("type") or ""), 80) if isinstance(error, dict) else ""
    reason = one_line(str(error.get("reason") or ""), 300) if isinstance(error, dict) else ""
    if status < 300:
        verdict.sent += 1
    elif status == 409:
        verdict.there += 1
    elif status in (401, 403, 404, 408, 429) or status >= 500 or kind in _NOT_THEIR_FAULT:
        verdict.again.append(document)
        verdict.trouble = verdict.trouble or f"rows are not taken ({status} {kind}): {reason}"
    else:
        verdict.refused.append(Refused(document, kind or str(status), reason))


class Delivery:
    """Documents on their way, in requests of a bounded size: `next` and `take` until nothing is left."""

    def __init__(self, documents: Sequence[Document], limit: int) -> None:
        """`limit`: bytes of a request, before compression; one document may be larger."""
        self.limit = limit
        self.sent = self.there = 0
        self.refused: list[Refused] = []
        self._parts = list(split(documents, limit))[::-1]

    @property
    def left(self) -> int:
        """Documents that are not settled yet."""
        return sum(map(len, self._parts))

    def next(self) -> list[Document]:
        """What to send now; nothing when all is settled."""
        return self._parts[-1] if self._parts else []

    def take(self, answer: Answer) -> str:
        """Takes in the answer to what `next` gave; says why some of it has to wait. May raise ServerError."""
        documents = self.next()
        verdict = judge(documents, answer)
        self._parts.pop()
        if verdict.too_large or verdict.halve:
            self._halve(documents, verdict)
            return ""
        self.sent += verdict.sent
        self.there += verdict.there
        self.refused += verdict.refused
        if verdict.again:
            self._parts.append(verdict.again)
        return verdict.trouble

    def shrink(self) -> None:
        """The request may have been too large for somebody on the way, who said nothing: less at a time."""
        documents = self.next()
        if len(documents) > 1 and sum(each.size for each in documents) > SUSPICIOUS:
            self._smaller(self._parts.pop())

    def _halve(self, documents: list[Document], verdict: Verdict) -> None:
        if len(documents) == 1:
            self.refused.append(
                Refused(documents[0], "bad request" if verdict.halve else "too large", verdict.trouble)
            )
            return
        if verdict.too_large:
            self._smaller(documents)
        else:
            middle = len(documents) // 2
            self._parts += documents[middle:], documents[:middle]

    def _smaller(self, documents: list[Document]) -> None:
        """Halves the limit, below what these were, and keeps to it with all that is left."""
        self.limit = max(min(self.limit, sum(each.size for each in documents)) // 2, LEAST)
        rest = [each for part in reversed(self._parts) for each in part]
        self._parts = list(split([*documents, *rest], self.limit))[::-1]
