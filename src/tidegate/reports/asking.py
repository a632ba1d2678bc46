"""Asks a store for reports: one look at it, each connection found out once, every answer kept in DuckDB."""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from tidegate.model.errors import CaptureError, StoreError, TidegateError, UsageError
from tidegate.model.filter import EVERYTHING, Filter
from tidegate.model.tables import all_tables
from tidegate.queries.engine import Database, add_views, one_line, unreadable
from tidegate.queries.question import MOST, STEP, WITHOUT, Question, Value
from tidegate.queries.sql import check_sql
from tidegate.reports.definition import MOST_ROWS
from tidegate.reports.window import Window
from tidegate.store.layout import Layout

T = TypeVar("T")

MEMORY = "512MB"
LONGEST = 180.0
"""Seconds that one question may take, its period before included."""
LONGEST_ALL = 780.0
"""Seconds that all of them may take: a report of the schedule has 900, see `app/report_child.py`."""
LONGEST_CELL = 1000
"""Characters of a text in a report at most; the store has all."""
MOST_LISTED = 100
"""Values of a list in a cell."""
_ATTEMPTS = 20
_UNFILTERED = frozenset({"alert", "health"})
"""Tables of what Tidegate says itself: a report's filter is for what it saw."""

# As the view of `queries/engine.py`, for a stretch of time, and found out once instead of by each question.
_RUNNING = """
    CREATE TABLE running AS
        SELECT * FROM conn_rows
        WHERE state <> 'closed' AND last_ts >= $before::TIMESTAMP_NS AND ts < $until::TIMESTAMP_NS
        QUALIFY row_number() OVER (
            PARTITION BY uid
            ORDER BY last_ts DESC, coalesce(up_packets + down_packets, up_payload + down_payload) DESC
        ) = 1;
"""
_NOT_RUNNING = """
    DELETE FROM running WHERE uid IN (
        SELECT uid FROM conn_rows
        WHERE state = 'closed' AND last_ts >= $before::TIMESTAMP_NS AND uid IN (SELECT uid FROM running)
    )
"""
_CONN = """
    CREATE OR REPLACE VIEW conn AS
        SELECT * FROM conn_rows WHERE state = 'closed' UNION ALL SELECT * FROM running
"""


@dataclass(frozen=True)
class Column:
    """A column of an answer."""

    name: str
    type: str
    """As DuckDB calls it."""


@dataclass(frozen=True)
class Table:
    """An answer: its first rows, and what there is in all."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    """At most MOST_ROWS."""
    count: int
    """How many rows there are in all."""
    sums: Mapping[str, float] = field(default_factory=dict)
    """Of the numeric columns that were asked for: the sum of all rows."""

    def index(self, name: str) -> int:
        """Where the column stands; raises UsageError if there is none."""
        names = [column.name for column in self.columns]
        if name not in names:
            raise UsageError(f'there is no column "{name}"; there are {", ".join(names)}')
        return names.index(name)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.index(name)
        return [row[at] for row in self.rows]


def own_question(title: str, sql: str) -> Question:
    """A user's SELECT as a question; its tables are those it names. Raises UsageError."""
    words = set(re.findall(r"\w+", sql.lower()))
    tables = tuple(table.name for table in all_tables() if table.name in words)
    return Question(title, "", tables, check_sql(sql), own=(STEP, WITHOUT))


class Asking:
    """A look at a store as it is now. `close` frees it."""

    def __init__(
        self, root: Path, window: Window, filter: Filter = EVERYTHING, longest: float | None = None
    ) -> None:
        """`longest` is how many seconds all questions have together, LONGEST_ALL unless given.

        Raises StoreError for a store that cannot be read.
        """
        self._window = window
        self._filter = filter
        self._names = 0
        self._longest = LONGEST_ALL if longest is None else longest
        self._ends = time.monotonic() + self._longest
        self._until = self._ends
        layout = Layout(root.absolute())
        layout.check()
        for _ in range(_ATTEMPTS):
            self._database = Database(MEMORY)
            try:
                self._open(layout)
                return
            except FileNotFoundError:
                self._database.close()
            except (duckdb.Error, CaptureError) as error:
                moved = self._database.has_moved_on()
                self._database.close()
                if not moved:
                    raise StoreError(unreadable(root, error)) from None
            except BaseException:
                self._database.close()
                raise
        raise StoreError(f"{root}: segments vanish faster than they can be read; try again")

    def _open(self, layout: Layout) -> None:
        add_views(self._database, layout)
        bound = {"before": _bare(self._window.before), "until": _bare(self._window.end)}
        connection = self._database.duckdb

        def find_running() -> None:
            connection.execute(_RUNNING, bound)
            connection.execute(_NOT_RUNNING, {"before": bound["before"]})
            connection.execute(_CONN)

        self._database.run(find_running)

    def close(self) -> None:
        """Frees memory and disk."""
        self._database.close()

    def ask(
        self,
        question: Question,
        begin: datetime,
        end: datetime,
        values: Mapping[str, Value] | None = None,
        total: str = "",
        before: tuple[Sequence[str], str] | None = None,
        unfiltered: bool = False,
    ) -> Table:
        """The answer for a stretch of time, with the sum of the column `total`.

        `before` names the columns by which a row is found in the period before, and the one that is compared:
        it comes as a further column `before`. Raises UsageError for wrong SQL or values, TidegateError for
        what takes too much time or room, StoreError where there is nothing to be asked any more.
        """
        with self._bounded():
            answer = self._kept(question, begin, end, values or {}, unfiltered)
            count, sums = self._counted(answer, total)
            if before:
                window = self._window
                needed = ", ".join(map(_quoted, (*before[0], before[1])))  # what else there is costs time
                was = self._kept(question, window.before, window.before_end, values or {}, unfiltered, needed)
                answer = self._compared(answer, was, *before)
            columns, rows = self._rows(answer)
            return Table(columns, rows, count, sums)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """What is asked inside has LONGEST; what it leaves unfinished goes, since the next needs the room."""
        self._until = min(time.monotonic() + LONGEST, self._ends)
        before = self._names
        try:
            yield
        except Exception:
            if not self._database.stuck:
                for number in range(before + 1, self._names + 1):
                    self._database.duckdb.execute(f"DROP TABLE IF EXISTS answer_{number}")
            raise

    def _kept(
        self,
        question: Question,
        begin: datetime,
        end: datetime,
        values: Mapping[str, Value],
        unfiltered: bool,
        columns: str = "",
    ) -> str:
        """The name of the table that holds the whole answer, or these columns of it."""
        only = EVERYTHING if unfiltered or set(question.tables) <= _UNFILTERED else self._filter
        given: dict[str, Value] = {"since": begin, "until": end, "limit": MOST, **values}
        sql, bound = question.bind(given, only)
        name = self._named()
        select = f"SELECT {columns} FROM ({sql})" if columns else sql
        self._run(lambda connection: connection.execute(f"CREATE TABLE {name} AS {select}", dict(bound)))
        return name

    def _compared(self, now: str, earlier: str, key: Sequence[str], value: str) -> str:
        """The first rows of one answer, each with the value that it had in the other; both go."""
        same = " AND ".join(f"e.{_quoted(name)} IS NOT DISTINCT FROM n.{_quoted(name)}" for name in key)
        name = self._named()
        sql = f"""
            CREATE TABLE {name} AS
            SELECT n.* EXCLUDE (place_),
                (SELECT any_value(e.{_quoted(value)}) FROM {earlier} AS e WHERE {same}) AS before
            FROM (SELECT *, rowid AS place_ FROM {now} LIMIT {MOST_ROWS}) AS n
            ORDER BY place_;
            DROP TABLE {now};
            DROP TABLE {earlier};
        """
        self._run(lambda connection: connection.execute(sql))
        return name

    def _counted(self, name: str, total: str) -> tuple[int, dict[str, float]]:
        """How many rows there are, and the sum of a column."""
        what = f"sum({_quoted(total)})" if total else "NULL"
        row = self._run(
            lambda connection: connection.execute(f"SELECT count(*), {what} FROM {name}").fetchall()
        )[0]
        summed = float(row[1] or 0)
        return int(row[0]), {total: summed if math.isfinite(summed) else 0.0} if total else {}

    def _rows(self, name: str) -> tuple[tuple[Column, ...], list[tuple[Any, ...]]]:
        """Columns and first rows; the table goes."""

        def read(connection: duckdb.DuckDBPyConnection) -> tuple[list[Any], list[Any]]:
            columns = connection.execute(f"DESCRIBE {name}").fetchall()
            cells = ", ".join(_bounded(str(column[0]), str(column[1])) for column in columns)
            rows = connection.execute(f"SELECT {cells} FROM {name} LIMIT {MOST_ROWS}").fetchall()
            connection.execute(f"DROP TABLE {name}")
            return columns, rows

        columns, rows = self._run(read)
        return tuple(Column(str(column[0]), str(column[1])) for column in columns), rows

    def _named(self) -> str:
        self._names += 1
        return f"answer_{self._names}"

    def _run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        left = self._until - time.monotonic()
        if left <= 0 and self._until == self._ends:
            raise TidegateError(f"no time was left: all sections together have {self._longest:.0f} s")
        try:
            return self._database.run(lambda: work(self._database.duckdb), max(left, 0.0))
        except TimeoutError:
            if self._database.stuck:
                raise StoreError("DuckDB does not stop a question that takes too long") from None
            longest = min(LONGEST, self._longest)
            raise TidegateError(f"no answer in {longest:.0f} s; ask for less") from None
        except duckdb.IOException as error:
            if self._database.has_moved_on():
                raise StoreError(one_line(error)) from None
            raise TidegateError(one_line(error)) from None
        except duckdb.OutOfMemoryException as error:
            raise TidegateError(one_line(error)) from None
        except duckdb.Error as error:
            raise UsageError(f"SQL: {one_line(error)}") from None


def _bounded(name: str, kind: str) -> str:
    """A column whose cells have a bound: strangers choose how long a path is, and how often they ask."""
    column = _quoted(name)
    if kind == "VARCHAR":
        cut = f"left({column}, {LONGEST_CELL - 1}) || '…'"
        return f"CASE WHEN length({column}) > {LONGEST_CELL} THEN {cut} ELSE {column} END AS {column}"
    if kind == "VARCHAR[]":
        cut = f"list_transform({column}[1:{MOST_LISTED}], lambda each: left(each, {LONGEST_CELL // 10}))"
        return f"{cut} AS {column}"
    return f"{column}[1:{MOST_LISTED}] AS {column}" if kind.endswith("[]") else column


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _bare(moment: datetime) -> datetime:
    """In UTC, as tables have it: without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
