"""A section of a report, asked and drawn: what every form of the report shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tidegate.model.document import Picture, Sheet
from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text
from tidegate.model.units import human_bytes
from tidegate.queries.question import Question, Value
from tidegate.queries.questions import find_question
from tidegate.reports.asking import Asking, Column, Table, own_question
from tidegate.reports.cells import amount, change, heading, is_amount, is_number, local, shown
from tidegate.reports.definition import Section
from tidegate.reports.pictures import bars, month, timeline
from tidegate.reports.pictures.clock import step_of
from tidegate.reports.seen import Seen
from tidegate.reports.sheets import sheet, slug
from tidegate.reports.window import Window


@dataclass(frozen=True)
class Figure:
    """One number at the head."""

    name: str
    value: str
    change: str = ""
    """How it stands to the period before."""


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

    @property
    def compared(self) -> bool:
        """Whether there is a period before to be held against."""
        return self.compare and self.before.anything

    def values(self, section: Section) -> dict[str, Value]:
        """What a section's question is given."""
        given: dict[str, Value] = {"before": self.window.before, **section.set}
        if section.without_own:
            given["without"] = ",".join(self.own)
        return given


def make_part(section: Section, given: Given) -> Part:
    """Asks and draws; raises UsageError that names the section."""
    try:
        if section.picture == "time":
            return _over_time(section, given)
        if section.picture == "month":
            return _over_month(section, given)
        return _ranking(section, given)
    except UsageError as error:
        raise UsageError(f'section "{safe_text(section.title)}": {error}') from None


def question_of(section: Section) -> Question:
    """What it asks."""
    return find_question(section.question) if section.question else own_question(section.title, section.sql)


def _ranking(section: Section, given: Given) -> Part:
    question = question_of(section)
    if question.name == "new-since" and not given.before.anything:
        words = "Nothing is known of the period before, so that nothing can be called new."
        return Part(section.title, section.about, (), (), (), nothing=words)
    compare = (section.key, section.value) if section.compare and section.key and section.value else None
    table = given.asking.ask(
        question,
        given.window.begin,
        given.window.end,
        given.values(section),
        total=section.value,
        before=compare if given.compared else None,
    )
    part = _tabled(section, table, given)
    if section.picture != "bars" or not table.rows:
        return part
    return replace(part, picture=_bars(section, table, given.compared and compare is not None))


def _bars(section: Section, table: Table, compared: bool) -> Picture:
    keys = [table.index(name) for name in section.key]
    values = table.column(section.value)
    earlier = table.column("before") if compared else [None] * len(values)
    found = [
        bars.Bar(_name(section, [row[at] for at in keys]), float(value or 0), None if was is None else float(was))
        for row, value, was in zip(table.rows, values, earlier, strict=True)
    ]
    drawn = bars.folded(found, table.sums[section.value], table.count)
    what = f"{section.title}: {section.value.replace('_', ' ')}"
    alt = f"{what}. " + "; ".join(f"{bar.name}: {amount(round(bar.value), section.value)}" for bar in drawn)
    return Picture(f"{slug(section.title)}.png", bars.draw(drawn, section.value, compared), safe_text(alt))


def _name(section: Section, values: Sequence[Any]) -> str:
    """What a bar is called."""
    words = [f"AS{value}" if key == "asn" else str(value) for key, value in zip(section.key, values, strict=True) if value is not None]
    return " ".join(words) or "unknown"


def _tabled(section: Section, table: Table, given: Given, file: bool = True) -> Part:
    """The table as it is shown, and its sheet."""
    wanted = [*section.columns] or [column.name for column in table.columns if column.name != "before"]
    if any(column.name == "before" for column in table.columns):
        wanted.append("before")
    at = [table.index(name) for name in wanted]
    columns = [table.columns[place] for place in at]
    as_count = "received" not in {column.name for column in table.columns}  # pings are sent, too
    rows = tuple(
        tuple(_cell(row[place], column, section, given, as_count) for place, column in zip(at, columns, strict=True))
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
        sheet=sheet(section.title, table, given.window.zone) if file and table.rows else None,
    )


def _cell(value: Any, column: Column, section: Section, given: Given, as_count: bool) -> str:
    name = section.value if column.name == "before" else column.name
    return shown(value, "count" if name == "sent" and as_count else name, given.window.zone)


def _heading(column: Column, section: Section) -> str:
    return f"{section.value.replace('_', ' ')} before" if column.name == "before" else heading(column)


def _over_time(section: Section, given: Given) -> Part:
    window = given.window
    step = int(section.set.get("step") or step_of(window.seconds))
    values = {**given.values(section), "step": step}
    table = given.asking.ask(question_of(section), window.begin, window.end, values)
    part = _tabled(section, table, given)
    if not table.rows:
        return part
    names = (section.value, *section.also)
    earlier = None
    if given.compared and section.compare:
        asked = given.asking.ask(question_of(section), window.before, window.before_end, values)
        earlier = _bins(asked, section.value, window.before, window.seconds, step)
    line = timeline.Timeline(
        window.begin,
        window.end,
        window.zone,
        step,
        {name: _bins(table, name, window.begin, window.seconds, step) for name in names},
        before=earlier,
        alerts=given.alerts,
        gaps=[(_epoch(first), _epoch(last)) for first, last in given.now.gaps] if given.now.moments else [],
    )
    peak = max(line.series[section.value])
    alt = f"{section.title}: {', '.join(names)} over time, {amount(round(peak), section.value)} at most"
    picture = Picture(f"{slug(section.title)}.png", timeline.draw(line), safe_text(alt))
    return replace(part, picture=picture)


def _bins(table: Table, name: str, begin: datetime, seconds: float, step: int) -> list[float]:
    """A value for each stretch from the beginning on."""
    found = [0.0] * max(-(-int(seconds) // step), 1)
    for moment, value in zip(table.column("ts"), table.column(name), strict=True):
        at = int((_epoch(moment) - begin.timestamp() + 0.5) // step)
        if 0 <= at < len(found):
            found[at] += float(value or 0)
    return found


def _over_month(section: Section, given: Given) -> Part:
    window = given.window
    table = given.asking.ask(question_of(section), window.begin, window.end, given.values(section))
    if not table.rows:
        return _tabled(section, table, given)
    days = _days(table, section.value, window)
    total = sum(amount_ for _, _, amount_ in days)
    first = table.column("ts")[0]
    began = max(_epoch(first), window.begin.timestamp())
    end = window.whole_end or window.end
    elapsed = window.end.timestamp() - began
    # Less than a day says nothing of a month.
    forecast = total * (1 + (end.timestamp() - window.end.timestamp()) / elapsed) if elapsed >= 86400 else None
    earlier = _month_before(section, given) if given.compared else None
    drawn = month.draw(
        month.Month(window.begin, window.end, end, window.zone, days, forecast, given.limit, earlier)
    )
    figures = _month_figures(total, forecast, given.limit, end, earlier)
    alt = f"{section.title}: " + "; ".join(f"{figure.name} {figure.value}" for figure in figures)
    names = (Column("day", "VARCHAR"), Column(section.value, "BIGINT"))
    rows = [(f"{datetime.fromtimestamp(left, window.zone):%Y-%m-%d}", round(value)) for left, _, value in days]
    part = _tabled(replace(section, columns=()), Table(names, rows, len(rows)), given)
    late = began - window.begin.timestamp() >= 86400
    return replace(
        part,
        picture=Picture(f"{slug(section.title)}.png", drawn, safe_text(alt)),
        figures=tuple(figures),
        notes=(f"The first row of this month is from {rows_from(first, window)}.",) if late else (),
    )


def rows_from(moment: datetime, window: Window) -> str:
    """When, in local time."""
    return f"{local(moment, window.zone):%Y-%m-%d %H:%M}"


def _month_before(section: Section, given: Given) -> float | None:
    window = given.window
    table = given.asking.ask(
        question_of(section), window.before, window.before_end, given.values(section), total=section.value
    )
    return table.sums[section.value] if table.rows else None


def _month_figures(
    total: float, forecast: float | None, limit: int, end: datetime, before: float | None
) -> list[Figure]:
    share = f"{total / limit * 100:.0f}% of {human_bytes(limit)}" if limit else ""
    was = change(total, before) + (" the month before" if before else "") if before is not None else ""
    found = [Figure("so far", human_bytes(total), share or was)]
    if forecast is not None:
        over = f"{'more than' if forecast > limit else 'within'} {human_bytes(limit)}" if limit else ""
        found.append(Figure("forecast", human_bytes(forecast), over))
    found.append(Figure("reset day", f"{end:%Y-%m-%d}"))
    return found


def _days(table: Table, name: str, window: Window) -> list[tuple[float, float, float]]:
    """Begin, end and amount of each local day, days without anything included."""
    sums: dict[Any, float] = {}
    for moment, value in zip(table.column("ts"), table.column(name), strict=True):
        day = local(moment, window.zone).date()
        sums[day] = sums.get(day, 0.0) + float(value or 0)
    found = []
    day = window.begin.date()
    while day <= window.end.date():
        left = datetime(day.year, day.month, day.day, tzinfo=window.zone).timestamp()
        day += timedelta(1)
        right = datetime(day.year, day.month, day.day, tzinfo=window.zone).timestamp()
        found.append((left, min(right, window.end.timestamp()), sums.get(day - timedelta(1), 0.0)))
    return [each for each in found if each[1] > each[0]]


def figures_of(sql: str, given: Given) -> tuple[list[Figure], bool]:
    """The figures at the head, and whether all of them are nothing."""
    question = own_question("figures", sql)
    values: dict[str, Value] = {"without": ",".join(given.own)}
    window = given.window
    now = given.asking.ask(question, window.begin, window.end, values)
    then = given.asking.ask(question, window.before, window.before_end, values) if given.compared else None
    if not now.rows:
        return [], True
    found = []
    for at, column in enumerate(now.columns):
        value = now.rows[0][at]
        before = then.rows[0][at] if then and then.rows else None
        comparable = is_amount(column) and value is not None and before is not None
        found.append(
            Figure(
                heading(column),
                shown(value, column.name, window.zone),
                change(float(value), float(before)) if comparable else "",
            )
        )
    return found, not any(now.rows[0])


def _epoch(moment: datetime) -> float:
    """Seconds since 1970 of a moment of a table."""
    return (moment - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - both are UTC without saying so
