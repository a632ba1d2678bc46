"""The command line of a watch, and the configuration that it and the file make together."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tidegate.app.checking import load
from tidegate.cli import output, screen
from tidegate.cli.options import joined_filter
from tidegate.model.config import Config, PlaceSettings, RecordSettings
from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.tables import check_tables
from tidegate.sinks import Sink
from tidegate.sinks.console import ConsoleSink
from tidegate.sinks.only import OnlySink

T = TypeVar("T")


@dataclass(frozen=True)
class Watching:
    """The options, as click parsed them. What is not given is what the configuration says."""

    words: tuple[str, ...]
    interfaces: tuple[str, ...]
    filter_option: str | None
    seconds: float | None
    count: int | None
    snaplen: int | None
    promiscuous: bool
    buffer: int | None
    tables: tuple[str, ...]
    format: str | None
    target: Path | None
    record: Path | None
    rotate_size: int | None
    rotate_time: float | None
    total: int | None
    store: Path | None
    no_store: bool
    keep_size: int | None
    keep_time: float | None
    keep_free: int | None
    interim: float | None
    plain: bool
    ascii: bool
    places: tuple[str, ...]
    only: str
    sensor: str
    max_flows: int | None
    verify_checksums: bool
    keep_credentials: bool
    redact_query: bool
    user: str | None
    config: Path | None
    no_helper: bool

    def __post_init__(self) -> None:
        """Refuses options that make no sense together."""
        if self.no_store and self.store:
            raise UsageError("--store and --no-store contradict each other; give one")
        if not self.record and (self.rotate_size or self.rotate_time or self.total):
            raise UsageError("--rotate-size, --rotate-time and --total are for recordings: add -w FILE")
        if self.no_helper and self.user:
            raise UsageError("--no-helper keeps all rights, --user gives them up; give one")
        check_tables(self.tables)
        parse_filter(self.only)
        if self.only and self.screen:
            raise UsageError("--only is for lines and rows: add --plain (on the screen, / filters)")

    @property
    def screen(self) -> bool:
        """Whether there is a screen: on a terminal, unless rows or lines were asked for."""
        return not (self.plain or self.tables or self.format or self.target) and screen.is_terminal()

    def configured(self) -> Config:
        """The configuration, with what the command line says in place of what stands in it."""
        config = load(self.config)
        recording = RecordSettings(str(self.record), self.rotate_size, self.rotate_time, self.total)
        engine = _with(
            config.watch.engine,
            sensor=self.sensor,
            max_flows=self.max_flows,
            verify_checksums=self.verify_checksums,
            keep_credentials=self.keep_credentials,
            redact_query=self.redact_query,
            interim=self.interim,
        )
        watch = _with(
            config.watch,
            interfaces=self.interfaces,
            filter=joined_filter(list(self.words), self.filter_option),
            snaplen=self.snaplen,
            promiscuous=self.promiscuous,
            buffer=self.buffer,
            count=self.count,
            record=recording if self.record else None,
            engine=engine,
        )
        store = _with(
            config.store, keep_bytes=self.keep_size, keep_age=self.keep_time, keep_free=self.keep_free
        )
        return _with(
            config,
            watch=watch,
            store=store,
            places=PlaceSettings(self.places) if self.places else None,
            service=_with(config.service, user=self.user),
        )

    def root(self, config: Config) -> Path | None:
        """Where rows are kept, if anywhere; the default depends on who asks."""
        if self.no_store:
            return None
        from tidegate.app.paths import store_root

        return self.store or store_root(config)

    @contextmanager
    def row_sinks(self) -> Iterator[list[Sink]]:
        """Where rows are shown or written, beside the store."""
        if self.screen:
            yield []
            return
        wanted = parse_filter(self.only)
        if sys.stdout.isatty() and not (self.tables or self.format or self.target):
            yield [OnlySink(ConsoleSink(sys.stdout), wanted)]
            return
        format = output.chosen_format(self.format, self.target)
        shown = list(dict.fromkeys(self.tables)) or (
            ["conn"] if format == "parquet" else output.shown_tables(format)
        )
        with output.open_sinks(shown, format, self.target) as sinks:
            yield [OnlySink(sink, wanted) for sink in sinks]


def _with(settings: T, **values: Any) -> T:
    """The settings with the values that were given: not None, no empty text or list, no flag left out."""
    given = {name: value for name, value in values.items() if value not in (None, "", (), False)}
    return replace(settings, **given)  # type: ignore[type-var]
