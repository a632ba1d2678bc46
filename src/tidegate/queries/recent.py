"""The newest rows of a store, each once: those of the last minutes, then what is added look by look."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from tidegate.model.errors import CaptureError, StoreError
from tidegate.model.tables import find_table
from tidegate.queries.engine import Database, one_line
from tidegate.store.layout import Layout, Segment
from tidegate.store.segments import read_segment

MOST_ROWS = 50_000
"""Rows of a table that one look gives at most, the newest; beyond, they are counted as skipped."""


LONG = {"payload_base64": 344}
"""Columns whose text may be long, and characters of it that are read."""


@dataclass(frozen=True)
class Found:
    """Rows of a table, a list of values for each column; times are nanoseconds in UTC."""

    table: str
    names: tuple[str, ...]
    values: list[list[Any]]


@dataclass
class _Growing:
    """An open segment, held so that closing it does not take away what we have not read yet."""

    table: str
    path: Path
    file: BinaryIO
    rows: int = 0

    def held(self) -> Path:
        """A path that stays good after the segment was closed, where the system has one."""
        descriptor = Path(f"/proc/self/fd/{self.file.fileno()}")
        return descriptor if descriptor.exists() else self.path


@dataclass
class Recent:
    """Looks at a store again and again. For one thread; `close` at the end."""

    root: Path
    columns: Mapping[str, Sequence[str]]
    """What is wanted, by table."""
    seconds: float = 300.0
    """How far the first look goes back from the newest row."""
    newest: int = 0
    """Time of the newest row seen, nanoseconds."""
    skipped: int = 0
    _growing: dict[str, _Growing] = field(default_factory=dict)
    _closed: set[str] | None = None

    def __post_init__(self) -> None:
        """Raises StoreError if there is no store."""
        self._layout = Layout(self.root.absolute())
        self._layout.check()
        self._database = Database()

    def look(self) -> list[Found]:
        """What is new; raises StoreError for a store that cannot be read."""
        try:
            return self._look()
        except (duckdb.Error, CaptureError) as error:
            raise StoreError(f"{self.root}: {one_line(error)}") from None

    def interrupt(self) -> None:
        """Ends a look that is under way; from another thread."""
        with suppress(duckdb.ConnectionException):  # closed already
            self._database.duckdb.interrupt()

    def close(self) -> None:
        """Frees everything."""
        for segment in self._growing.values():
            segment.file.close()
        self._growing.clear()
        self._database.close()

    def _look(self) -> list[Found]:
        still_open = [segment for segment in self._layout.open_segments() if segment.table in self.columns]
        closed = [segment for segment in self._layout.closed_segments() if segment.table in self.columns]
        for segment in still_open:
            self._hold(segment)
        found = self._first(closed) if self._closed is None else self._closed_unseen(closed)
        self._closed = {segment.id for segment in closed}
        listed = {segment.id for segment in still_open}
        for name, growing in list(self._growing.items()):
            found.append(self._grown(growing))
            if name not in listed:
                growing.file.close()
                del self._growing[name]
        return [each for each in found if each.values and each.values[0]]

    def _hold(self, segment: Segment) -> None:
        if segment.id not in self._growing and segment.id not in (self._closed or ()):
            try:
                file = segment.path.open("rb")
            except FileNotFoundError:  # closed since it was listed: found there in the next look
                return
            self._growing[segment.id] = _Growing(segment.table, segment.path, file)

    def _first(self, closed: list[Segment]) -> list[Found]:
        """The last minutes before the newest row: open segments, and each table's last two closed ones."""
        last = [
            segment
            for table in self.columns
            for segment in [each for each in closed if each.table == table and each.id not in self._growing][
                -2:
            ]
        ]
        sources = [(each.table, _parquet(each.path)) for each in last]
        for growing in self._growing.values():
            if self._register(growing):
                sources.append((growing.table, "growing"))
                self._newest_of(growing.table, "growing")
        for table, source in sources:
            if source != "growing":
                self._newest_of(table, source)
        since = self.newest - int(self.seconds * 1e9)
        found = [self._rows(table, source, since=since) for table, source in sources if source != "growing"]
        for growing in self._growing.values():
            if self._register(growing):
                found.append(self._rows(growing.table, "growing", since=since))
                growing.rows = self._count()
        return found

    def _closed_unseen(self, closed: list[Segment]) -> list[Found]:
        """Segments that were opened and closed between two looks."""
        known = self._closed or set()
        return [
            self._rows(each.table, _parquet(each.path))
            for each in closed
            if each.id not in known and each.id not in self._growing
        ]

    def _grown(self, growing: _Growing) -> Found:
        if not self._register(growing):
            return Found(growing.table, (), [])
        found = self._rows(growing.table, "growing", offset=growing.rows)
        growing.rows += len(found.values[0]) if found.values else 0
        return found

    def _register(self, growing: _Growing) -> bool:
        """Makes the segment readable under a name; not if it is damaged from its start."""
        rows = read_segment(growing.held())
        if rows is not None:
            self._database.duckdb.register("growing", rows)
        return rows is not None

    def _count(self) -> int:
        return int(self._database.duckdb.execute("SELECT count(*) FROM growing").fetchall()[0][0])

    def _newest_of(self, table: str, source: str) -> None:
        time = _time(table)
        row = self._database.duckdb.execute(f"SELECT max(epoch_ns({time})) FROM {source}").fetchall()[0]
        self.newest = max(self.newest, row[0] or 0)

    def _rows(self, table: str, source: str, since: int = 0, offset: int = 0) -> Found:
        """Rows of one segment in the order in which they were written, from a time or a place on."""
        there = {row[0] for row in self._database.duckdb.execute(f"DESCRIBE FROM {source}").fetchall()}
        kinds = {column.name: column.type for column in find_table(table).columns}
        names = tuple(self.columns[table])
        chosen = ", ".join(_value(name, kinds[name], name in there) for name in names)
        when = f"WHERE epoch_ns({_time(table)}) >= {since}" if since else ""
        rows = self._database.duckdb.execute(
            f"SELECT {chosen} FROM {source} {when} OFFSET {offset}"
        ).fetchall()
        if len(rows) > MOST_ROWS:
            self.skipped += len(rows) - MOST_ROWS
            rows = rows[-MOST_ROWS:]
        values = [list(column) for column in zip(*rows, strict=True)]
        if values:
            times = values[names.index(_time(table))]
            self.newest = max([self.newest, *(moment for moment in times if moment is not None)])
        return Found(table, names, values)


def _time(table: str) -> str:
    """The column by which rows of a table are new."""
    return "last_ts" if table == "conn" else "ts"


def _value(name: str, kind: str, there: bool) -> str:
    if not there:
        return f"NULL AS {name}"
    if name in LONG:
        return f"left({name}, {LONG[name]}) AS {name}"
    return f"epoch_ns({name}) AS {name}" if kind == "TIMESTAMP_NS" else name


def _parquet(path: Path) -> str:
    quoted = str(path).replace("'", "''")
    return f"read_parquet('{quoted}', hive_partitioning = false)"
