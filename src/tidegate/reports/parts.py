"""What is shown of a section, in whatever form; and what all sections are made with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tidegate.model.document import Picture, Sheet
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import one_line
from tidegate.queries.question import Question, Value
from tidegate.queries.questions import find_question
from tidegate.reports.asking import Asking, Column, Table, own_question
from tidegate.reports.cells import UNKNOWN, heading, is_number, shown
from tidegate.reports.definition import Section
from tidegate.reports.seen import Seen
from tidegate.reports.sheets import sheet
from tidegate.reports.window import Window

LONGEST_FAULT = 300
"""Characters of what is said of what could not be made."""


@dataclass(frozen=True)
class Figure:
    """One number at the head."""

    name: str
    value: str
    change: str = ""
    """How it stands to the period before."""


@dataclass(frozen=True)
class Head:
    """The figures at the head."""

    figures: tuple[Figure, ...] = ()
    zero: bool = True
    """Whether all of them are nothing."""
    fault: str = ""
    """Why they could not be made."""


@dataclass(frozen=True)
class Part:
    """What is shown of a section."""

    title: str
    about: str
    heads: tuple[str, ...]
    right: tuple[bool, ...]
    """Whether each column is set to the right."""
    rows: tuple[tuple[str, ...], ...]
    more: str = ""
    """How many rows there are beside those that are shown."""
    nothing: str = ""
    """What is said where there is no row."""
    picture: Picture | None = None
    sheet: Sheet | None = None
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    fault: str = ""
    """Why it could not be made; nothing else is shown then."""


@dataclass(frozen=True)
class Given:
    """What sections are made with."""

    asking: Asking
    window: Window
    now: Seen
    before: Seen
    own: tuple[str, ...] = ()
    """The machine's own addresses."""
    alerts: Sequence[tuple[float, float | None]] = ()
    compare: bool = True
    limit: int = 0
    live: bool = True
    """Whether the rows are of a capture that runs all the time, and not of files."""

    @property
    def compared(self) -> bool:
        """Whether there is a period before to be held against."""
        return self.compare and self.before.anything

    def values(self, section: Section, step: int = 0) -> dict[str, Value]:
        """What a section's question is given: what its file sets, and what else it can take."""
        known = {parameter.name for parameter in question_of(section).parameters}
        given: dict[str, Value] = {"before": self.window.before}
        if section.without_own:
            given["without"] = ",".join(self.own)
        if step:
            given["step"] = step
        return {name: value for name, value in given.items() if name in known} | dict(section.set)


def question_of(section: Section) -> Question:
    """What it asks."""
    return find_question(section.question) if section.question else own_question(section.title, section.sql)


def tabled(section: Section, table: Table, given: Given) -> Part:
    """The table as it is shown, and its sheet."""
    wanted = [*section.columns] or [column.name for column in table.columns if column.name != "before"]
    if any(column.name == "before" for column in table.columns):
        wanted.insert(wanted.index(section.value) + 1 if section.value in wanted else len(wanted), "before")
    at = [table.index(name) for name in wanted]
    columns = [table.columns[place] for place in at]
    as_count = "received" not in {column.name for column in table.columns}  # pings are sent, too
    rows = tuple(
        tuple(
            _cell(row[place], column, section, given, as_count)
            for place, column in zip(at, columns, strict=True)
        )
        for row in table.rows[: section.rows]
    )
    left = table.count - len(rows)
    return Part(
        section.title,
        section.about,
        tuple(_heading(column, section) for column in columns),
        tuple(is_number(column) for column in columns),
        rows,
        more=f"and {left:,} more" if left and section.rows else "",
        nothing="" if table.rows else section.none or "There is nothing of it in that time.",
        sheet=sheet(section.title, table, given.window.zone) if table.rows else None,
    )


def _cell(value: Any, column: Column, section: Section, given: Given, as_count: bool) -> str:
    if value is None and section.key[:1] == (column.name,):
        return UNKNOWN
    name = section.value if column.name == "before" else column.name
    return shown(value, "count" if name == "sent" and as_count else name, given.window.zone)


def _heading(column: Column, section: Section) -> str:
    return f"{section.value.replace('_', ' ')} before" if column.name == "before" else heading(column)


ODD = (ArithmeticError, ValueError, TypeError)
"""What values of own SQL come to that neither Python nor a picture can hold: 1e308, the year 290000."""


def fault_of(error: Exception) -> str:
    """What is said of what could not be made."""
    said = str(error) if isinstance(error, TidegateError) else f"{type(error).__name__}: {error}"
    return one_line(said, LONGEST_FAULT)


def epoch(moment: date) -> float:
    """Seconds since 1970 of a moment of a table, or of a day."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def numbers(table: Table, name: str) -> list[float]:
    """A column as it is drawn: what is nothing, endless or no number is 0. Raises UsageError for a text."""
    column = table.columns[table.index(name)]
    if not is_number(column):
        raise UsageError(f'column "{name}" has no numbers to be drawn')
    found = (0.0 if value is None else float(value) for value in table.column(name))
    return [value if math.isfinite(value) else 0.0 for value in found]


def moments(table: Table) -> list[float | None]:
    """The column `ts` in seconds since 1970; raises UsageError where it has no times, or not all are here."""
    column = table.columns[table.index("ts")]
    if not column.type.startswith(("TIMESTAMP", "DATE")):
        raise UsageError('column "ts" has no times')
    if table.count > len(table.rows):  # what is missing would be missing in the sums, too
        many = f"{table.count:,} rows are more than the {len(table.rows):,} that can be drawn over time"
        raise UsageError(f"{many}; add them up: time_bucket(to_seconds($step), ts) AS ts … GROUP BY 1")
    return [epoch(value) if isinstance(value, date) else None for value in table.column("ts")]
