"""Sink: rows to an Elasticsearch or OpenSearch server, by way of a spool on disk.

    line ─batch→ queue (rows, bounded) ─[thread …-spool]→ documents → spool (bytes, bounded) ─[thread]→ server

The line only puts a batch into the queue. Nothing of what happens behind it ever reaches the line: what finds
no room is lost, counted and said.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from tidegate.model.batch import Batch
from tidegate.model.config import ElasticSettings
from tidegate.model.errors import SettingError, keyed, tried_again
from tidegate.model.filter import EVERYTHING, parse_filter
from tidegate.model.locks import lock_and_condition
from tidegate.model.tables import check_tables, default_tables
from tidegate.model.units import counted, human_bytes, human_count, human_duration
from tidegate.sinks.backlog import Backoff
from tidegate.sinks.choice import check_filter, chosen
from tidegate.sinks.elastic.documents import Documents, body, split
from tidegate.sinks.elastic.sender import LAST, Sender
from tidegate.sinks.elastic.server import Server
from tidegate.sinks.elastic.spool import Spool
from tidegate.sinks.format import check_columns

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds between attempts to write to a spool that takes nothing."""

PART = 1 << 18
"""Bytes that are written to the spool at once."""


class ElasticSink:
    """Rows of the chosen tables to one server. Never raises for it, and never waits."""

    def __init__(self, settings: ElasticSettings, folder: Path) -> None:
        """Takes over the spool in `folder` and starts two threads; raises SettingError, SpoolError."""
        self.name = settings.name
        self.tables = tables_of(settings)
        """The tables whose rows it has to be given."""
        self._settings = settings
        self._wanted = parse_filter(settings.filter) if settings.filter else EVERYTHING
        self._documents = Documents(settings.stream, settings.format)
        self._queue: deque[Batch] = deque()
        self._rows = 0
        self._lock, self._changed = lock_and_condition()
        self._closing = threading.Event()
        self._overflowed = self._full = False
        self._dropped = 0
        self._disk = ""
        server = Server(settings)
        self._spool = Spool(folder, settings.spool_size, settings.full)
        self._sender = Sender(settings, server, self._spool, self.tables)
        self._thread = threading.Thread(target=self._run, name=f"tidegate-elastic-{settings.name}-spool")
        self._thread.start()
        self._sender.start()

    @property
    def lost(self) -> int:
        """Rows that found no room in memory or on disk, or that the server will never take."""
        return self._dropped + self._spool.lost + self._sender.refused

    @property
    def waiting(self) -> int:
        """Bytes on disk that the server does not have yet."""
        return self._spool.waiting

    @property
    def lag(self) -> float:
        """Seconds that the oldest of them have waited, about."""
        return self._spool.lag

    @property
    def trouble(self) -> str:
        """What does not work at the moment, and what was lost."""
        why = self._disk or self._sender.error
        parts = [f"{why}; {human_bytes(self.waiting)} wait"] if why else []
        if dropped := self._dropped + self._spool.lost:
            parts.append(f"{counted(dropped, 'row')} lost")
        if self._sender.refused:
            parts.append(f"{counted(self._sender.refused, 'row')} refused")
        return ", ".join(parts)

    @property
    def said(self) -> str:
        """How it goes."""
        sent = f"{counted(self._sender.sent, 'row')} sent to {self._settings.stream}-*"
        there = f", {human_count(self._sender.there)} were there" if self._sender.there else ""
        lag = f", {human_bytes(self.waiting)} wait for {human_duration(self.lag)}" if self.waiting else ""
        return sent + there + lag

    def write(self, batch: Batch) -> None:
        """Takes the rows if there is room for them."""
        if batch.table not in self.tables or not batch.num_rows:
            return
        with self._lock:
            if self._queue and self._rows + batch.num_rows > self._settings.queue:
                self._dropped += batch.num_rows
                first, self._overflowed = not self._overflowed, True
            else:
                self._queue.append(batch)
                self._rows += batch.num_rows
                self._changed.notify()
                return
        if first:
            log.warning("elastic %s: rows come faster than they can be kept; some are lost", self.name)

    def flush(self) -> None:
        """Nothing: its threads go on by themselves."""

    def close(self) -> None:
        """Writes what is in memory to the spool and sends what waits, for a bounded time."""
        if self._closing.is_set():
            return
        with self._lock:
            self._closing.set()
            self._changed.notify()
        self._thread.join()
        self._spool.end()
        self._sender.finish(LAST)
        self._spool.close()
        if self.lost:
            log.warning("elastic %s: %s", self.name, self.trouble)
        if self.waiting:
            said = human_bytes(self.waiting)
            log.warning("elastic %s: %s of rows wait on disk for the next start", self.name, said)

    def _run(self) -> None:
        backoff = Backoff()
        while (batch := self._next()) is not None:
            rows = chosen(batch, self._wanted, self._settings.interim)
            documents = self._documents.of(rows)
            left = len(documents)
            for part in split(documents, PART):
                if not self._keep(body(part), backoff):
                    self._give_up(left)
                    return
                left -= len(part)
            self._say_full()

    def _keep(self, data: bytes, backoff: Backoff) -> bool:
        """Writes documents to the spool, however long it takes; False if the end came before."""
        while not self._kept(data, backoff):
            if self._closing.wait(AGAIN):
                return False
        return True

    def _next(self) -> Batch | None:
        with self._lock:
            self._changed.wait_for(lambda: self._queue or self._closing.is_set())
            if not self._queue:
                return None
            batch = self._queue.popleft()
            self._rows -= batch.num_rows
            return batch

    def _kept(self, data: bytes, backoff: Backoff) -> bool:
        """Whether the spool took it."""
        try:
            self._spool.add(data)
        except OSError as error:
            if not backoff.failing:
                backoff.failed(0.0)
                self._disk = f"the spool takes nothing: {error.strerror or error}"
                log.warning("elastic %s: %s", self.name, self._disk)
            return False
        if backoff.failing:
            backoff.succeeded()
            self._disk = ""
            log.warning("elastic %s: the spool takes rows again", self.name)
        return True

    def _give_up(self, rows: int) -> None:
        with self._lock:
            self._dropped += rows + self._rows
            self._queue.clear()
            self._rows = 0

    def _say_full(self) -> None:
        if self._spool.lost and not self._full:
            self._full = True
            size = human_bytes(self._settings.spool_size)
            log.warning(
                "elastic %s: the spool is full (%s): the %s rows go", self.name, size, self._settings.full
            )


def tables_of(settings: ElasticSettings) -> tuple[str, ...]:
    """The tables whose rows the server gets."""
    return tuple(check_tables(settings.tables) or default_tables())


def mistakes(servers: Sequence[ElasticSettings]) -> Iterator[SettingError]:
    """Everything that is wrong with servers, but for their names, with its key; asks nobody."""
    for number, one in enumerate(servers):
        for error in tried_again(_planned, one, ElasticSettings("x", ("http://localhost:9200",))):
            yield SettingError(error.text, number, *error.key)


def _planned(settings: ElasticSettings) -> None:
    Server(settings)
    with keyed("tables"):
        tables = tables_of(settings)
    with keyed("filter"):
        there = {name for table in tables for name in check_columns(table, ())}
        check_filter(parse_filter(settings.filter) if settings.filter else EVERYTHING, there)


def spool_of(settings: ElasticSettings, root: Path | None) -> Path:
    """The directory of the spool; `root` is the store. Raises SettingError where there is neither."""
    if settings.spool:
        return Path(settings.spool)
    if root is None:
        said = "without a store a directory is needed for what waits"
        raise SettingError(said, "spool", of=f"elastic {settings.name}: spool")
    return root / "elastic" / settings.name
