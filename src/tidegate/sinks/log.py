"""Sink: a log as the configuration asks for it: chosen rows, a format, and the files they go to."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.model.batch import Batch
from tidegate.model.config import LogSettings
from tidegate.model.config.sinks import FOR_ALL_TABLES, FOR_EACH_TABLE, OF_RELAY, LogFormat
from tidegate.model.errors import SettingError, UsageError, keyed, tried_again
from tidegate.model.filter import EVERYTHING, Filter, parse_filter
from tidegate.model.tables import check_tables
from tidegate.model.units import counted
from tidegate.sinks.autonapt import Autonapt
from tidegate.sinks.choice import check_filter, chosen
from tidegate.sinks.conmon import SEGMENT_COLUMNS, Conmon, ConmonSegments
from tidegate.sinks.cowrie import Cowrie
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.eve import Eve
from tidegate.sinks.format import Format, check_columns
from tidegate.sinks.logfile import LogFile
from tidegate.sinks.plain import Plain
from tidegate.sinks.zeek import Zeek
from tidegate.sinks.zeek_fields import PATHS


class Stream:
    """Standard output, or any open stream: fails as it fails, and keeps nothing back."""

    lost = waiting = 0
    lag = 0.0
    failing = False

    def __init__(self, out: BinaryIO, format: Format) -> None:
        """Begins with the format's header."""
        self._out = out
        self._format = format
        out.write(format.head())

    def write(self, lines: bytes) -> None:
        """Hands the lines on."""
        self._out.write(lines)

    def tick(self) -> None:
        """Lets the reader have them."""
        self._out.flush()

    def reopen(self) -> None:
        """Nothing: a stream has no name."""

    def close(self) -> None:
        """Lets the reader have the rest; who opened it closes it."""
        self._out.write(self._format.tail())
        self._out.flush()


@dataclass(frozen=True)
class _Part:
    """A format with the file it goes to."""

    format: Format
    outlet: LogFile | Stream


class Log:
    """Rows of the chosen tables, as far as the filter wants them, into files.

    Never raises for a file: what waits is kept, bounded, and tried again; what is lost is counted and said.
    """

    def __init__(self, settings: LogSettings, parts: dict[str, _Part], wanted: Filter) -> None:
        self.name = settings.name
        self.tables = tuple(parts)
        """The tables whose rows it has to be given."""
        self._parts = parts
        self._wanted = wanted
        self._interim = settings.interim
        self._each = list({id(part): part for part in parts.values()}.values())

    @property
    def lost(self) -> int:
        """Lines that were lost because a file took none and the memory was full."""
        return sum(part.outlet.lost for part in self._each)

    @property
    def waiting(self) -> int:
        """Bytes in memory that the files did not take yet."""
        return sum(part.outlet.waiting for part in self._each)

    @property
    def lag(self) -> float:
        """Seconds for which something has been waiting for a file."""
        return max(part.outlet.lag for part in self._each)

    @property
    def trouble(self) -> str:
        """What is wrong now; empty while its files take lines."""
        if any(part.outlet.failing for part in self._each):
            waiting, lost = counted(self.waiting, "byte"), counted(self.lost, "row")
            return f"its file takes nothing; {waiting} waiting, {lost} lost"
        return ""

    def write(self, batch: Batch) -> None:
        """Writes the rows that are wanted; tables that are not chosen are let pass."""
        if part := self._parts.get(batch.table):
            # Data segments choose for themselves: they know their programs.
            own = isinstance(part.format, ConmonSegments)
            rows = batch if own else chosen(batch, self._wanted, self._interim)
            if lines := part.format.lines(rows):
                part.outlet.write(lines)

    def flush(self) -> None:
        """Writes what was held back, tries again what failed, rotates what is due."""
        for part in self._each:
            if lines := part.format.rest():
                part.outlet.write(lines)
            part.outlet.tick()

    def reopen(self) -> None:
        """Opens the files anew, as after logrotate renamed them. Safe from a signal handler."""
        for part in self._each:
            part.outlet.reopen()

    def close(self) -> None:
        """Writes the rest and closes the files."""
        for part in self._each:
            if lines := part.format.rest():
                part.outlet.write(lines)
            part.outlet.close()


def open_logs(settings: Sequence[LogSettings]) -> list[Log]:
    """All logs of a configuration; raises UsageError, before any is opened, for what `check_logs` refuses."""
    check_logs(settings)
    return [open_log(one) for one in settings]


def check_logs(settings: Sequence[LogSettings]) -> None:
    """Raises UsageError for what no log can be, and for two of one name or path; opens nothing."""
    names = [one.name for one in settings]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"log {name}: there are two of this name")
    for error in mistakes(settings):
        raise SettingError(error.text, *error.key, of=f"log {names[int(error.key[0])]}")


def mistakes(settings: Sequence[LogSettings]) -> Iterator[SettingError]:
    """Everything that is wrong with logs, but for their names, with its key."""
    paths: dict[str, str] = {}
    for number, one in enumerate(settings):
        for error in tried_again(_planned, one, LogSettings("x", "x")):
            yield SettingError(error.text, number, *error.key)
        named = ("relay",) if one.format in OF_RELAY else one.tables
        for table in named if one.path != "-" else ():
            path = str(Path(_path_of(one, table)).absolute())
            if paths.setdefault(path, one.name) != one.name:
                yield SettingError(f"log {paths[path]} writes to {path} already", number, "path")


def tables_of(settings: LogSettings) -> tuple[str, ...]:
    """The tables whose rows the log has to be given; `packet` is filled only where it is asked for."""
    return ("conn", "packet") if settings.per == "segment" else tuple(_tables(settings))


def _tables(settings: LogSettings) -> list[str]:
    """Those that are named; formats of the relay's events write these whatever is named."""
    return ["relay"] if settings.format in OF_RELAY else check_tables(settings.tables)


def open_log(settings: LogSettings) -> Log:
    """The log as a sink; raises UsageError for what no log can be.

    A file that cannot be opened is no error: it is said, and tried again.
    """
    wanted, formats = _planned(settings)
    parts: dict[str, _Part] = {}
    for names, format in formats:
        if settings.path == "-":
            outlet: LogFile | Stream = Stream(sys.stdout.buffer, format)
        else:
            outlet = LogFile(Path(_path_of(settings, names[0])), format, settings)
        parts |= dict.fromkeys(names, _Part(format, outlet))
    return Log(settings, parts, wanted)


def _planned(settings: LogSettings) -> tuple[Filter, list[tuple[Sequence[str], Format]]]:
    """The filter, and each format with the tables that it takes; raises UsageError."""
    with keyed("tables"):
        tables = _tables(settings)
    with keyed("filter"):
        wanted = parse_filter(settings.filter)
    _check(settings, tables)
    every = {name for table in tables for name in check_columns(table, ())}
    with keyed("filter"):
        check_filter(wanted, SEGMENT_COLUMNS if settings.per == "segment" else every)
    with keyed("columns"):
        return wanted, _formats(settings, tables, wanted)


def stream_log(format: str, tables: Sequence[str], out: BinaryIO) -> Log:
    """A log to an open stream, all columns; of `packet`, conmon writes a line for each data segment."""
    per_segment = format == "conmon" and list(tables) == ["packet"]
    settings = LogSettings(
        name="output",
        path="-",
        format=cast(LogFormat, format),
        tables=("conn",) if per_segment else tuple(tables),
        per="segment" if per_segment else "connection",
    )
    if format == "conmon" and settings.tables != ("conn",):
        raise UsageError("conmon writes connections, or with --table packet their data segments")
    if format in OF_RELAY and settings.tables != ("relay",):
        raise UsageError(f"{format} writes events of the relay: name no other table")
    parts: dict[str, _Part] = {}
    for names, chosen_format in _formats(settings, settings.tables, EVERYTHING):
        parts |= dict.fromkeys(names, _Part(chosen_format, Stream(out, chosen_format)))
    return Log(settings, parts, EVERYTHING)


def file_name(format: str, table: str) -> str:
    """What a file of this format is called where only its directory is given."""
    if format in FOR_ALL_TABLES:
        return f"{format}.json"
    return f"{PATHS.get(table, table) if format == 'zeek' else format}.log"


def _formats(
    settings: LogSettings, tables: Sequence[str], wanted: Filter
) -> list[tuple[Sequence[str], Format]]:
    columns = settings.columns
    if settings.format == "conmon":
        if settings.per == "segment":
            return [(("conn", "packet"), ConmonSegments(wanted))]
        return [(("conn",), Conmon())]
    if settings.format == "zeek":
        return [((table,), Zeek(table, columns)) for table in tables]
    if settings.format == "eve":
        return [(tables, Eve(columns, tables))]
    if settings.format == "ecs":
        return [(tables, Ecs(columns, tables))]
    if settings.format in OF_RELAY:
        return [(("relay",), (Autonapt if settings.format == "autonapt" else Cowrie)(columns, tables))]
    return [((table,), Plain(settings.format, table, columns)) for table in tables]


def _check(settings: LogSettings, tables: Sequence[str]) -> None:
    """Raises SettingError for settings that make no sense together."""
    if not tables:
        raise SettingError("a table at least is needed", "tables")
    if not settings.path or settings.path.endswith("/"):
        raise SettingError("a path that names a file is needed", "path")
    named = ["conn"], ["packet"] if settings.per == "segment" else ["conn"]
    if settings.format == "conmon" and (tables not in named or settings.columns):
        key = "columns" if settings.columns else "tables"
        text = "conmon writes its eleven columns of conn; choose tsv for other tables and columns"
        raise SettingError(text, key)
    if settings.per == "segment" and settings.format != "conmon":
        text = f"rows for each data segment are conmon's; for {settings.format} name table packet"
        raise SettingError(text, "per")
    if settings.format in FOR_EACH_TABLE and len(tables) > 1 and "{table}" not in settings.path:
        text = f'{settings.format} needs a file for each table: put {{table}} into "{settings.path}"'
        raise SettingError(text, "path")
    for name in ("rotate_size", "rotate_time", "rotate_lines", "keep", "buffer"):
        if getattr(settings, name) < 0:
            raise SettingError("0 or more is expected", name)


def _path_of(settings: LogSettings, table: str) -> str:
    named = PATHS.get(table, table) if settings.format == "zeek" else table
    return settings.path.replace("{table}", named)
