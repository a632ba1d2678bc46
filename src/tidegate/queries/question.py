"""A question that has a name: its SQL, what may be set in it, and how values enter it."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tidegate.model.config import EngineSettings
from tidegate.model.errors import UsageError
from tidegate.model.filter import EVERYTHING, Filter
from tidegate.model.tables import find_table
from tidegate.model.units import parse_moment

if TYPE_CHECKING:
    from tidegate.queries.sql import Answer

Value = str | int | datetime | None
"""What a parameter can be given; text is read as on the command line."""

Bound = Mapping[str, str | int | float | datetime | None]
"""Values as DuckDB takes them, beside the SQL and never in it."""

MOST = 1_000_000_000
"""The largest limit."""


_WITH = re.compile(r"(?:\s|--.*\n)*WITH\b")
"""How SQL begins that names parts of itself."""


@dataclass(frozen=True)
class Parameter:
    """Something that can be set: a number of rows, a text, or a moment."""

    name: str
    kind: Literal["count", "text", "moment"]
    doc: str
    default: str | int | None = None

    def parse(self, value: Value) -> str | int | datetime | None:
        """The value as DuckDB takes it; raises UsageError."""
        if value is None:
            return None
        if self.kind == "count":
            return self._count(value)
        if self.kind == "moment":
            return self._moment(value)
        if isinstance(value, str) and _is_utf8(value):
            return value
        raise UsageError(f"{self.name}: a text in UTF-8 is needed")

    def _count(self, value: Value) -> int:
        text = str(value).replace(",", "").replace("_", "")
        if not isinstance(value, bool) and re.fullmatch(r"\d{1,10}", text, re.ASCII):
            count = int(text)
            if 1 <= count <= MOST:
                return count
        raise UsageError(f"{self.name}: a number from 1 to {MOST:,} is needed")

    def _moment(self, value: Value) -> datetime:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        try:
            return parse_moment(text, datetime.now(UTC))
        except UsageError as error:
            raise UsageError(f"{self.name}: {error}") from None


LIMIT = Parameter("limit", "count", "rows at most", 20)
SINCE = Parameter(
    "since", "moment", "only what was seen at this time or later: 2h (ago), 2026-11-20 14:00 (UTC)"
)
UNTIL = Parameter("until", "moment", "only what was seen before this time")
HOST = Parameter("host", "text", "only this site, as column host names it")
STEP = Parameter("step", "count", "seconds of a stretch of time (600)", 600)
WITHOUT = Parameter("without", "text", "addresses that do not count, with commas")
EVERYWHERE = (SINCE, UNTIL, LIMIT)
"""The parameters that every question has."""


@dataclass(frozen=True)
class Question:
    """One question over the tables. Call it for its answer; see `ask` for what it takes."""

    name: str
    doc: str
    """What it answers, in a line."""
    tables: tuple[str, ...]
    """The tables its SQL reads."""
    sql: str
    """One SELECT; `$limit` and the like are bound values."""
    own: tuple[Parameter, ...] = ()
    """The parameters only it has, or has with another default."""
    whole: bool = False
    """Whether its SQL minds `$since` and `$until` itself and reads the tables from their beginning."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be set: its own parameters, then those that every question has."""
        names = {parameter.name for parameter in self.own}
        return (*self.own, *(parameter for parameter in EVERYWHERE if parameter.name not in names))

    def columns(self, table: str) -> list[str]:
        """The table's columns that the SQL names, and those a window looks at."""
        words = {*re.findall(r"\w+", self.sql), "ts", "last_ts"}
        return [column.name for column in find_table(table).columns if column.name in words]

    def bind(self, values: Mapping[str, Value], only: Filter = EVERYTHING) -> tuple[str, Bound]:
        """The SQL, cut to the window of time and the wanted rows, and its values; raises UsageError."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if unknown := [name for name in values if name not in known]:
            raise UsageError(f'{self.name} has no parameter "{unknown[0]}"; it has {", ".join(known)}')
        bound = {name: known[name].parse(values.get(name, known[name].default)) for name in known}
        sql, wanted = self._within(bound, only)
        used = {name: value for name, value in bound.items() if re.search(rf"\${name}\b", sql)}
        return sql, {**used, **wanted}

    def _within(self, bound: Bound, only: Filter) -> tuple[str, Bound]:
        """The SQL over what the tables say of the window and the wanted rows alone, and what those bind."""
        tables = []
        wanted: dict[str, str | float] = {}
        for table in self.tables:
            # A connection belongs to every window in which it said something.
            last = "last_ts" if table == "conn" else "ts"
            tests = [
                *([f"{last} >= $since::TIMESTAMP_NS"] if bound["since"] and not self.whole else []),
                *(["ts < $until::TIMESTAMP_NS"] if bound["until"] and not self.whole else []),
            ]
            if only.words:
                test, values = only.sql(column.name for column in find_table(table).columns)
                tests.append(f"({test})")
                wanted |= values
            if tests:
                tables.append(f"{table} AS (SELECT * FROM main.{table} WHERE {' AND '.join(tests)})")
        if not tables:
            return self.sql, wanted
        own = _WITH.match(self.sql)
        sql = f"WITH {', '.join(tables)}{',' if own else ''}\n{self.sql[own.end() if own else 0 :]}"
        return sql, wanted

    def __call__(
        self,
        store: str | os.PathLike[str] | None = None,
        *,
        capture: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
        **values: Value,
    ) -> "Answer":
        """The answer over a store (the default one unless named), or over capture files.

        `values` are those of its parameters. Raises UsageError for a wrong one, StoreError or
        CaptureError for what cannot be read.
        """
        from tidegate.queries.gathered import over_batches
        from tidegate.sources.capture_file import CaptureFile

        if capture is None:
            return self.ask(store, values)
        if store is not None:
            raise UsageError("a store and a capture: a question has one place to look; give one")
        paths = [capture] if isinstance(capture, str | os.PathLike) else capture
        self.bind(values)
        files = CaptureFile([os.fspath(path) for path in paths], None, self.tables, EngineSettings())
        return over_batches(self, files, values)

    def ask(
        self, store: str | os.PathLike[str] | None, values: Mapping[str, Value], only: Filter = EVERYTHING
    ) -> "Answer":
        """The answer over a store, the default one unless named, or over its wanted rows."""
        from tidegate.queries.sql import over_store
        from tidegate.store.layout import default_root

        return over_store(Path(store) if store is not None else default_root(), *self.bind(values, only))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
