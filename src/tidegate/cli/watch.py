"""`tidegate watch`: who is this machine talking to now?"""

import logging
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import rich_click as click

from tidegate import app
from tidegate.cli import closing, output, screen
from tidegate.cli.options import (
    DURATION,
    PATH,
    SIZE,
    ascii_option,
    checksums_option,
    filter_option,
    format_option,
    joined_filter,
    keep_credentials_option,
    max_flows_option,
    place_option,
    redact_query_option,
    sensor_option,
    store_option,
    tables_option,
)
from tidegate.model.config import NameSettings, PlaceSettings, RecordSettings, StoreSettings, WatchSettings
from tidegate.model.errors import UsageError
from tidegate.model.tables import check_tables, default_tables
from tidegate.model.text import safe_text
from tidegate.sinks import Sink
from tidegate.sinks.console import ConsoleSink
from tidegate.sinks.store import StoreSink
from tidegate.sources.live import all_interfaces
from tidegate.store.layout import default_root


@click.command()
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option(
    "-i", "--interface", "interfaces", multiple=True, metavar="IFACE", help="Where to listen; repeatable."
)
@filter_option()
@click.option(
    "-D", "--list-interfaces", is_flag=True, help="List interfaces with state and addresses, and end."
)
@click.option("--for", "seconds", type=DURATION, help="End by itself after this time: 90, 200s, 5m, 2h.")
@click.option("-c", "--count", type=click.IntRange(1, 2**63 - 1), help="End after this many packets.")
@click.option(
    "-s", "--snaplen", type=click.IntRange(64, 262144), default=262144, help="Bytes kept of a packet."
)
@click.option("-p", "--promiscuous", is_flag=True, help="Also take what is not meant for this machine.")
@tables_option
@format_option
@click.option(
    "-o", "--output", "target", type=PATH, metavar="PATH", help="A file, or a directory for several tables."
)
@click.option(
    "-w", "--write", "record", type=PATH, metavar="FILE", help="Record packets to this file (pcapng) beside."
)
@click.option("--rotate-size", type=SIZE, help="Begin a new recording at this size: 100M, 1G.")
@click.option("--rotate-time", type=DURATION, help="Begin a new recording after this time.")
@click.option("--total", type=SIZE, help="Bytes of all recordings; the oldest go first.")
@store_option
@click.option("--no-store", is_flag=True, help="Keep nothing.")
@click.option("--keep-size", type=SIZE, default="10G", help="Size of the store at most.")
@click.option("--keep-time", type=DURATION, default="30d", help="Age of what the store keeps.")
@click.option("--keep-free", type=SIZE, default="1G", help="Room the store leaves on its disk.")
@click.option(
    "--interim", type=DURATION, help="How often a long connection is written down (5s; with the screen 2s)."
)
@click.option("--plain", is_flag=True, help="Lines instead of the screen, on a terminal.")
@ascii_option
@place_option
@sensor_option
@max_flows_option
@checksums_option
@keep_credentials_option
@redact_query_option
def watch(**options: Any) -> int:
    """Watch interfaces (all that are up, unless named) until Ctrl-C, and keep what is seen in the store.

    On a terminal there is a screen (? tells its keys), or with --plain a line for each connection
    opened (+) and closed (-); elsewhere rows are written.
    FILTER is a BPF expression as tcpdump takes it.
    """
    if options.pop("list_interfaces"):
        click.echo(interface_list())
        return 0
    return _watch(Options(**options))


@dataclass(frozen=True)
class Options:
    """The command line of a watch, as click parsed it."""

    words: tuple[str, ...]
    interfaces: tuple[str, ...]
    filter_option: str | None
    seconds: float | None
    count: int | None
    snaplen: int
    promiscuous: bool
    tables: tuple[str, ...]
    format: str | None
    target: Path | None
    record: Path | None
    rotate_size: int | None
    rotate_time: float | None
    total: int | None
    store: Path | None
    no_store: bool
    keep_size: int
    keep_time: float
    keep_free: int
    interim: float | None
    plain: bool
    ascii: bool
    places: tuple[str, ...]
    sensor: str
    max_flows: int | None
    verify_checksums: bool
    keep_credentials: bool
    redact_query: bool

    def __post_init__(self) -> None:
        """Refuses options that make no sense together."""
        if self.no_store and self.store:
            raise UsageError("--store and --no-store contradict each other; give one")
        if not self.record and (self.rotate_size or self.rotate_time or self.total):
            raise UsageError("--rotate-size, --rotate-time and --total are for recordings: add -w FILE")
        check_tables(self.tables)

    def capture(self) -> WatchSettings:
        """What to capture, and how."""
        path = str(self.record) if self.record else ""
        recording = RecordSettings(path, self.rotate_size, self.rotate_time, self.total)
        return WatchSettings(
            interfaces=self.interfaces,
            filter=joined_filter(list(self.words), self.filter_option),
            snaplen=self.snaplen,
            promiscuous=self.promiscuous,
            count=self.count,
            record=recording if self.record else None,
            engine=replace(
                WatchSettings().engine,
                sensor=self.sensor or platform.node(),
                max_flows=self.max_flows,
                verify_checksums=self.verify_checksums,
                keep_credentials=self.keep_credentials,
                redact_query=self.redact_query,
                interim=self.interim or (screen.INTERIM if self.screen else WatchSettings().engine.interim),
                health=screen.HEALTH if self.screen else WatchSettings().engine.health,
            ),
        )

    @property
    def screen(self) -> bool:
        """Whether there is a screen: on a terminal, unless rows or lines were asked for."""
        return not (self.plain or self.tables or self.format or self.target) and screen.is_terminal()

    def open_store(self) -> StoreSink | None:
        """The store to keep rows in, if any."""
        if self.no_store:
            return None
        keep = StoreSettings(keep_bytes=self.keep_size, keep_age=self.keep_time, keep_free=self.keep_free)
        return app.open_store(self.store or default_root(), keep)

    @contextmanager
    def row_sinks(self) -> Iterator[list[Sink]]:
        """Where rows are shown or written, beside the store."""
        if self.screen:
            yield []
            return
        if sys.stdout.isatty() and not (self.tables or self.format or self.target):
            yield [ConsoleSink(sys.stdout)]
            return
        shown = list(dict.fromkeys(self.tables)) or ["conn"]
        with output.open_sinks(shown, output.chosen_format(self.format, self.target), self.target) as sinks:
            yield list(sinks)


def _watch(options: Options) -> int:
    """Opens everything, runs, and says at the end what was seen and lost; 1 if not all could be kept."""
    logging.basicConfig(format="tidegate: %(message)s", level=logging.INFO)
    wanted = list(dict.fromkeys([*default_tables(), *options.tables]))
    stages = [app.place_stage(PlaceSettings(options.places)), app.name_stage(NameSettings())]
    with options.row_sinks() as sinks, app.watch(tables=wanted, settings=options.capture()) as running:
        store = options.open_store()
        started = time.monotonic()
        sinks = [*([store] if store else []), *sinks]
        try:
            if options.screen:
                run = lambda shown: running.run([*sinks, shown], options.seconds, stages)  # noqa: E731
                screen.over(running, run, ascii=options.ascii)
            else:
                running.run([*sinks, closing.Warnings(lambda: running.stats)], options.seconds, stages)
        finally:
            closing.watched(running.stats, running.interfaces, time.monotonic() - started)
            if store:
                closing.stored(store.writer)
        lost = store is not None and store.writer.lost_rows > 0
        return int(lost or closing.recording_failed(running.stats))


def interface_list() -> str:
    """Every interface: name, state, link type, addresses."""
    rows = [
        (
            interface.name,
            "up" if interface.up and interface.running else "no link" if interface.up else "down",
            interface.link or "not capturable",
            " ".join(interface.addresses) or "no address",
        )
        for interface in all_interfaces()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in map(_safe, rows)
    )


def _safe(row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(safe_text(cell) for cell in row)
