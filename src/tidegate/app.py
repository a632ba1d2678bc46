"""Puts the parts together: the one place that knows every part, and Tidegate's Python interface."""

import getpass
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tidegate.helper.outlets import Outlets
from tidegate.model.batch import Batch
from tidegate.model.config import (
    Config,
    EngineSettings,
    ExcerptSettings,
    NameSettings,
    PlaceSettings,
    StoreSettings,
    WatchSettings,
)
from tidegate.model.config.capture import LIVE
from tidegate.model.errors import UsageError
from tidegate.model.stats import Stats
from tidegate.model.tables import TableInfo, all_tables, check_tables, default_tables
from tidegate.pipeline import supervisor
from tidegate.pipeline.guard import Guarded
from tidegate.pipeline.pipeline import Line, Stage, through
from tidegate.pipeline.service import Parts, Service
from tidegate.sinks import Sink
from tidegate.sinks.parquet import ParquetSink
from tidegate.sinks.store import StoreSink
from tidegate.sources.capture_file import CaptureFile, Rows, gather
from tidegate.sources.live import Live
from tidegate.store.layout import default_root
from tidegate.store.segments import no_rows
from tidegate.store.writer import StoreWriter

if TYPE_CHECKING:
    from tidegate.helper.client import Helper
    from tidegate.helper.launch import Separated
    from tidegate.helper.records import RecordSource
    from tidegate.pipeline.control import Command
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


def ask(name: str, store: str | os.PathLike[str] | None = None, **values: "Value") -> "Answer":
    """Answers a named question over a store; `values` are those of its parameters.

    Raises UsageError for a name or a value that is wrong and StoreError for a store that cannot be read.
    """
    from tidegate.queries.questions import find_question

    return find_question(name).ask(store, values)


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
    A `helper` (see `separate`) opens the interfaces for a process without rights.
    """
    given = settings or WatchSettings()
    names = (interfaces,) if isinstance(interfaces, str) else tuple(interfaces or given.interfaces)
    wanted = default_tables() if tables is None else check_tables(tables)
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


def place_stage(settings: PlaceSettings) -> Stage:
    """Says where public addresses are; raises UsageError for a database that is named and cannot be used."""
    from tidegate.enrich.place import Places

    return Places(settings)


def name_stage(settings: NameSettings) -> Stage:
    """Names machines of the local network, and by the name server if that is wanted."""
    from tidegate.enrich.names import Names

    return Names(settings)


def enrichers(config: Config) -> list[Stage]:
    """What a configuration adds to connections; a stage that fails is left out for a while."""
    return [
        Guarded("places", lambda: place_stage(config.places)),
        Guarded("names", lambda: name_stage(config.names)),
    ]


@contextmanager
def separate(
    user: str | None = None,
    outlets: Outlets | None = None,
    records: "Callable[[], RecordSource] | None" = None,
) -> "Iterator[Separated | None]":
    """Splits this process: a helper keeps the rights, we keep none. None where there are none to keep.

    Call it before any thread is started; it cannot be undone. `user` is who we become (SUDO_UID unless
    named), `outlets` are handed to that user, `records` opens the helper's source of process records, when
    `helper.records()` asks for it. Raises UsageError or StoreError.
    """
    if not _may_separate():
        if user:
            raise UsageError("only root, on Linux, can run as another user")
        yield None
        return
    from tidegate.helper import launch

    separated = launch.separate(user, outlets or Outlets(), records)
    try:
        yield separated
    finally:
        separated.helper.close()


def _may_separate() -> bool:
    if sys.platform != "linux":
        return False
    from tidegate.helper import capabilities

    return capabilities.NET_RAW in capabilities.held()


def open_store(root: Path, settings: StoreSettings, excerpts: ExcerptSettings | None = None) -> StoreSink:
    """The store as a sink; raises StoreError if another process writes to it."""
    ages = {"packet": (excerpts or ExcerptSettings()).keep_time}
    return StoreSink(StoreWriter(root, settings, ages=ages))


def control_path(config: Config, root: Path | None = None) -> Path:
    """Where a running Tidegate with this configuration is reached."""
    if config.service.control:
        return Path(config.service.control)
    return store_root(config, root) / "control.sock"


def store_root(config: Config, root: Path | None = None) -> Path:
    """Where its rows are kept: in `root` unless it says, or in the default for whom we run as."""
    return Path(config.store.path) if config.store.path else root or default_root()


def outlets(config: Config) -> Outlets:
    """What a running Tidegate with this configuration writes to."""
    record = (Path(config.watch.record.path),) if config.watch.record else ()
    logs = tuple(Path(log.path) for log in config.logs if log.path != "-")
    return Outlets(store_root(config), (*record, *logs, control_path(config)))


class Running:
    """Everything a configuration asks for, put together: what `tidegate run` runs."""

    def __init__(
        self,
        load: Callable[[], Config],
        file: str = "",
        root: Path | None = None,
        helper: "Helper | None" = None,
    ) -> None:
        """Reads the configuration; raises UsageError if it is wrong.

        `root` is the store where the configuration names none, `helper` opens the interfaces.
        """
        self._load = load
        self._file = file
        self._root = root
        self._helper = helper
        self._config = load()
        self._live: Live | None = None
        self.control_path = control_path(self._config, root)
        self.service = Service(self._parts)

    def commands(self) -> "dict[str, Command]":
        """What can be asked for over the control socket."""
        return {"status": self.service.status, "reload": self._reload, "stop": self._stop}

    def _parts(self) -> Parts:
        self._config = config = self._load()
        watched = live_settings(config.watch)
        return Parts(watched, lambda: self._source(watched), lambda: self._line(config), self._facts)

    def _source(self, settings: WatchSettings) -> Live:
        tables = check_tables(settings.tables) or default_tables()
        self._live = Live(settings, tables, self._helper.packet_fd if self._helper else None)
        return self._live

    def _line(self, config: Config) -> Line:
        store = open_store(store_root(config, self._root), config.store, config.excerpts)
        return Line([store], enrichers(config))

    def _facts(self) -> dict[str, Any]:
        facts = {
            "pid": os.getpid(),
            "user": getpass.getuser(),
            "config": self._file,
            "store": str(store_root(self._config, self._root)),
        }
        if self._live is None:
            return facts
        stats = self._live.stats()
        return facts | {
            "interfaces": self._live.interfaces(),
            "packets": stats.packets,
            "bytes": stats.bytes,
            "flows": stats.flows,
            "connections": stats.connections,
            "dropped": {
                "by the kernel": stats.dropped_kernel,
                "by a full queue": stats.dropped_queue,
                "by a full connection table": stats.dropped_table,
            },
            "warnings": stats.warnings + (self._helper.warnings() if self._helper else []),
        }

    def _reload(self) -> dict[str, Any]:
        self._load()
        self.service.reload()
        return {}

    def _stop(self) -> dict[str, Any]:
        self.service.stop()
        return {}


def live_settings(settings: WatchSettings) -> WatchSettings:
    """The settings of a live capture, what it needs put in where nothing was said."""
    engine = settings.engine
    told = replace(
        engine,
        sensor=engine.sensor or platform.node(),
        opened=True,
        interim=engine.interim if engine.interim is not None else LIVE.interim,
        health=engine.health if engine.health is not None else LIVE.health,
    )
    return replace(settings, engine=told)
