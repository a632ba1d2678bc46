"""Puts the parts together: the one place that knows every part, and Tidegate's Python interface."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tidegate.model.batch import Batch
from tidegate.model.config import EngineSettings, WatchSettings
from tidegate.model.config.capture import live
from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.stats import Stats
from tidegate.model.tables import TableInfo, all_tables, check_tables, default_tables
from tidegate.pipeline import supervisor
from tidegate.pipeline.pipeline import Stage, through
from tidegate.sinks import Sink
from tidegate.sinks.parquet import ParquetSink
from tidegate.sources.capture_file import CaptureFile, Rows, gather
from tidegate.sources.live import Live
from tidegate.store.layout import default_root
from tidegate.store.segments import no_rows

if TYPE_CHECKING:
    from tidegate.helper.client import Helper
    from tidegate.queries.question import Question as Question
    from tidegate.queries.question import Value
    from tidegate.queries.sql import Answer as Answer
    from tidegate.queries.summary import Figures

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Tick = Callable[[Stats], None]

POLL = 0.2
"""Seconds of work between two calls of a tick."""


def tables() -> list[TableInfo]:
    """Every table with its columns and their documentation."""
    return all_tables()


def query(sql: str, store: str | os.PathLike[str] | None = None) -> "Answer":
    """Answers one SELECT over a store (by default the one `tidegate watch` writes).

    Raises UsageError for wrong SQL and StoreError for a store that cannot be read.
    """
    from tidegate.queries.sql import ask

    return ask(Path(store) if store is not None else default_root(), sql)


def questions() -> "list[Question]":
    """Every named question, with its parameters and its SQL."""
    from tidegate.queries.questions import QUESTIONS

    return list(QUESTIONS)


def ask(
    name: str, store: str | os.PathLike[str] | None = None, *, only: str = "", **values: "Value"
) -> "Answer":
    """Answers a named question over a store, or those of its rows that the filter `only` wants.

    `values` are those of its parameters. Raises UsageError for a name or a value that is wrong and StoreError
    for a store that cannot be read.
    """
    from tidegate.queries.questions import find_question

    return find_question(name).ask(store, values, parse_filter(only))


def read(
    paths: Paths,
    filter: str | None = None,
    *,
    tables: Sequence[str] | None = None,
    settings: EngineSettings | None = None,
    stages: Sequence[Stage] = (),
) -> "Capture":
    """Capture files as batches of rows; nothing is read before they are asked for.

    `filter` is a BPF expression. `tables` are all but `packet` unless named. Rows go through the
    `stages`, which stay the caller's to close.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    files = [os.fspath(path) for path in several]
    return Capture(files, filter, tables, settings or EngineSettings(), stages)


class Capture:
    """Capture files that can be read again and again ("-", standard input, only once)."""

    def __init__(
        self,
        files: list[str],
        filter: str | None,
        tables: Sequence[str] | None,
        settings: EngineSettings,
        stages: Sequence[Stage] = (),
    ) -> None:
        self.stages = stages
        self.files = files
        self.filter = filter
        self.tables = default_tables() if tables is None else check_tables(tables)
        self.settings = settings
        self.stats: Stats | None = None
        """The counters of the last reading that came to its end."""

    def check(self) -> None:
        """Raises for a file that is missing or no capture, or a wrong filter, before anything is written."""
        CaptureFile(self.files, self.filter, self.tables, self.settings)

    def __iter__(self) -> Iterator[Batch]:
        for batches in self._polls(self.tables):
            yield from batches

    def table(self, name: str) -> Rows:
        """All rows of one table, in memory; any Arrow library takes them."""
        wanted = check_tables([name])
        return gather([batch for batches in self._polls(wanted) for batch in batches], name)

    def write(self, sinks: Sequence[Sink], tick: Tick | None = None) -> Stats:
        """Reads everything into the sinks."""
        for batches in self._polls(self.tables, tick):
            for batch in batches:
                for sink in sinks:
                    sink.write(batch)
        for sink in sinks:
            sink.close()
        return self._counted()

    def write_parquet(self, paths: Mapping[str, str], tick: Tick | None = None) -> Stats:
        """Reads everything, each named table into its file; without stages, rows never enter Python."""
        if self.stages:
            sinks = [ParquetSink(Path(path), table) for table, path in paths.items()]
            for sink, table in zip(sinks, paths, strict=True):
                sink.write_rows(no_rows(table))  # a file for each table, as the core makes it
            return self.write(sinks, tick)
        source = CaptureFile(self.files, self.filter, list(paths), self.settings)
        while source.write_parquet(paths, POLL) is not None:
            if tick:
                tick(source.stats())
        self.stats = source.stats()
        return self._counted()

    def ask(self, name: str, tick: Tick | None = None, **values: "Value") -> "Answer":
        """Answers a named question over what is read; `values` are those of its parameters."""
        from tidegate.queries.gathered import over_batches
        from tidegate.queries.questions import find_question

        question = find_question(name)
        polls = self._polls(question.tables, tick)
        return over_batches(question, (batch for batches in polls for batch in batches), values)

    def summarize(self, tick: Tick | None = None) -> "tuple[Stats, Figures]":
        """Reads everything and adds it up."""
        from tidegate.queries.summary import Summary

        summary = Summary()
        try:
            for batches in self._polls(summary.tables, tick):
                for batch in batches:
                    summary.add(batch)
            return self._counted(), summary.figures()
        finally:
            summary.close()

    def _polls(self, wanted: Sequence[str], tick: Tick | None = None) -> Iterator[list[Batch]]:
        source = CaptureFile(self.files, self.filter, wanted, self.settings)
        while (batches := source.poll(POLL)) is not None:
            if tick:
                tick(source.stats())
            yield list(through(self.stages, batches))
        self.stats = source.stats()

    def _counted(self) -> Stats:
        if self.stats is None:
            raise UsageError("nothing was read yet")
        return self.stats


def watch(
    interfaces: str | Iterable[str] | None = None,
    filter: str | None = None,
    *,
    tables: Sequence[str] | None = None,
    settings: WatchSettings | None = None,
    helper: "Helper | None" = None,
) -> "Watch":
    """Captures on these interfaces (all that are up, now or later, unless named) until stop().

    Iterate over it for batches of rows; as a context manager it stops at the end of the block.
    A `helper` (see `app.rights`) opens the interfaces for a process without rights.
    """
    given = live(settings or WatchSettings())
    names = (interfaces,) if isinstance(interfaces, str) else tuple(interfaces or given.interfaces)
    wanted = check_tables(given.tables if tables is None else tables) or default_tables()
    whole = replace(given, interfaces=names, filter=filter or given.filter, tables=tuple(wanted))
    return Watch(whole, helper)


class Watch:
    """A running capture."""

    def __init__(self, settings: WatchSettings, helper: "Helper | None" = None) -> None:
        self.settings = settings
        self._live = Live(settings, settings.tables, helper.packet_fd if helper else None)

    def __iter__(self) -> Iterator[Batch]:
        while (batches := self._live.poll(supervisor.POLL)) is not None:
            yield from batches

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def interfaces(self) -> list[str]:
        """The interfaces watched so far, gone ones included."""
        return self._live.interfaces()

    @property
    def stats(self) -> Stats:
        """The counters so far."""
        return self._live.stats()

    def stop(self) -> None:
        """Ends the capture; an iteration gives what is left and ends. Safe from any thread."""
        self._live.stop()

    def run(self, sinks: Sequence[Sink], seconds: float | None = None, stages: Sequence[Stage] = ()) -> Stats:
        """Feeds the sinks through the stages until the time is over or a signal comes; then closes all."""
        supervisor.run(self._live, sinks, seconds, stages)
        return self.stats
