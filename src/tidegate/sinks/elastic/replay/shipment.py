"""Sends logs to a server, piece by piece, and counts what became of every line."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tidegate.model.config import ElasticSettings
from tidegate.model.errors import TidegateError
from tidegate.sinks.backlog import Backoff
from tidegate.sinks.elastic.documents import Document
from tidegate.sinks.elastic.replay.journal import Journal, Place
from tidegate.sinks.elastic.replay.lines import Line, LogReader
from tidegate.sinks.elastic.replay.recognise import Recogniser
from tidegate.sinks.elastic.sender import Templates, post
from tidegate.sinks.elastic.server import Server, ServerError
from tidegate.sinks.elastic.verdict import Delivery

log = logging.getLogger(__name__)

MOST_LINES = 5000
"""Lines of a piece: a search for names finds 10,000 at most."""

PATIENCE = 120.0
"""Seconds that a server may take nothing before it is given up."""


class GivenUpError(TidegateError):
    """The server took nothing for too long."""


@dataclass
class Count:
    """What became of the lines."""

    lines: int = 0
    sent: int = 0
    there: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By kind and reason, the first of each kind."""
    not_understood: Counter[str] = field(default_factory=Counter)
    """By reason."""
    blank: int = 0

    def add(self, other: "Count") -> None:
        """Adds another one up."""
        self.lines += other.lines
        self.sent += other.sent
        self.there += other.there
        self.blank += other.blank
        self.refused += other.refused
        self.not_understood += other.not_understood

    @property
    def is_whole(self) -> bool:
        """Whether the server has every row."""
        return not self.refused and not self.not_understood


class Shipment:
    """Logs to one server, one after the other."""

    def __init__(
        self,
        settings: ElasticSettings,
        server: Server,
        recogniser: Recogniser,
        journal: Journal,
        tell: Callable[[LogReader, Count], None],
        again: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        """`again`: from the beginning, wherever an earlier run stopped. `tell` is called after each piece."""
        self.count = Count()
        """What became of the lines of the log that is or was sent last."""
        self.start = 0
        """Where that began, in bytes without compression."""
        self._again = again
        self._settings = settings
        self._server = server
        self._recogniser = recogniser
        self._journal = journal
        self._tell = tell
        self._patience = patience
        self._limit = settings.bulk_size
        self._streams: set[str] = set()
        self._grown: set[str] = set()
        """Streams of several indices: a name is unique in each of them only."""
        self._kinds: dict[str, str] = {}

    def close(self) -> None:
        """Lets go of the connection."""
        self._server.close()

    def send(self, name: str, reader: LogReader) -> None:
        """Sends one log and counts; raises TidegateError, OSError, with what was sent until then counted."""
        count = self.count = Count()
        key, place = self._begun(reader)
        self.start = place.offset
        self._recogniser.alike = (place.moment, place.alike)
        for lines in self._pieces(reader, place.offset):
            self._piece(lines, count)
            if key:
                moment, alike = self._recogniser.alike
                self._journal.keep(key, Place(lines[-1].end, moment, alike), name)
            self._tell(reader, count)

    def _begun(self, reader: LogReader) -> tuple[str, Place]:
        first = reader.first() if reader.size is not None else b""
        if not first.endswith(b"\n"):
            return "", Place()
        target = f"{' '.join(sorted(self._settings.urls))} {self._settings.stream} {self._settings.format}"
        key = self._journal.key(target, first)
        return key, Place() if self._again else self._journal.find(key)

    def _pieces(self, reader: LogReader, start: int) -> Iterator[list[Line]]:
        piece: list[Line] = []
        size = 0
        for line in reader.lines(start):
            piece.append(line)
            size += len(line.text)
            if size >= self._limit or len(piece) >= MOST_LINES:
                yield piece
                piece, size = [], 0
        if piece:
            yield piece

    def _piece(self, lines: list[Line], count: Count) -> None:
        texts = [line.text for line in lines]
        too_long = sum(line.too_long for line in lines)
        self._recogniser.not_understood = Counter({"too long": too_long} if too_long else {})
        documents = self._recogniser.documents(texts)
        there, missing = self._known(documents)
        delivery = Delivery(missing, self._limit)
        self._deliver(delivery)
        self._limit = min(self._limit, delivery.limit)
        count.add(
            Count(
                lines=len(lines),
                sent=delivery.sent,
                there=there + delivery.there,
                refused=self._reasons(delivery),
                not_understood=self._recogniser.not_understood,
                blank=sum(not text.strip() for text in texts) - too_long,
            )
        )

    def _reasons(self, delivery: Delivery) -> Counter[str]:
        return Counter(
            self._kinds.setdefault(each.kind, f"{each.kind}: {each.reason}") for each in delivery.refused
        )

    def _deliver(self, delivery: Delivery) -> None:
        while delivery.left:
            self._patiently(lambda: post(self._server, delivery))

    def _patiently(self, attempt: Callable[[], str]) -> None:
        """Tries until it works, with waits; raises GivenUpError when that takes too long."""
        backoff = Backoff()
        ends = time.monotonic() + self._patience
        while True:
            try:
                reason = attempt()
            except ServerError as error:
                reason = str(error)
            if not reason:
                return
            now = time.monotonic()
            if not backoff.failing:
                log.warning("%s; trying again for %.0f s", reason, self._patience)
            backoff.failed(now)
            wait = backoff.due_in(now)
            if now + wait > ends:
                raise GivenUpError(f"{reason}; run the same command again to go on")
            time.sleep(wait)

    def _known(self, documents: list[Document]) -> tuple[int, list[Document]]:
        """How many of the documents older indices of their streams hold, and the others."""
        for stream in {_stream_of(each) for each in documents} - self._streams:
            self._patiently(lambda stream=stream: self._look_at(stream))  # type: ignore[misc]
        there: set[bytes] = set()
        for stream in self._grown:
            names = [_name_of(each) for each in documents if _stream_of(each) == stream]
            if names:
                self._patiently(lambda: self._search(stream, names, there))  # noqa: B023
        missing = [each for each in documents if each.action not in there] if there else documents
        return len(documents) - len(missing), missing

    def _look_at(self, stream: str) -> str:
        """Puts its template in place, and sees whether it has several indices by now."""
        table = stream.removeprefix(f"{self._settings.stream}-")
        Templates(self._server, self._settings, (table,)).ready()
        answer = self._server.request("GET", f"/_data_stream/{stream}")
        if answer.status not in (200, 404):
            return answer.reason()
        indices = _part(answer.json(), "data_streams", 0, "indices") if answer.status == 200 else None
        if isinstance(indices, list) and len(indices) > 1:
            self._grown.add(stream)
        self._streams.add(stream)
        return ""

    def _search(self, stream: str, names: list[str], there: set[bytes]) -> str:
        asked = {"query": {"ids": {"values": names}}, "size": len(names), "_source": False, "sort": ["_doc"]}
        path = f"/{stream}/_search?filter_path=hits.hits._id"
        answer = self._server.request("POST", path, json.dumps(asked).encode())
        if answer.status != 200:
            return answer.reason()
        for hit in _part(answer.json(), "hits", "hits") or ():
            there.add(b'{"create":{"_index":"%s","_id":"%s"}}' % (stream.encode(), str(hit["_id"]).encode()))
        return ""


def _part(found: Any, *keys: str | int) -> Any:
    """What lies in an answer at a path of keys; None where nothing does."""
    try:
        for key in keys:
            found = found[key]
    except (LookupError, TypeError):
        return None
    return found


def _stream_of(document: Document) -> str:
    return document.action.split(b'"', 6)[5].decode()


def _name_of(document: Document) -> str:
    return document.action.split(b'"', 10)[9].decode()
