"""A section of a report, asked and drawn: a ranking, or what happened when."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from tidegate.model.document import Picture
from tidegate.model.errors import StoreError, TidegateError, UsageError
from tidegate.model.text import one_line, safe_text
from tidegate.queries.question import STEP, Value
from tidegate.reports.asking import Table, own_question
from tidegate.reports.cells import UNKNOWN, amount, change, heading, is_amount, local, shown
from tidegate.reports.definition import MOST_ROWS, Section
from tidegate.reports.monthly import over_month
from tidegate.reports.parts import (
    ODD,
    Figure,
    Given,
    Head,
    Part,
    epoch,
    fault_of,
    moments,
    numbers,
    question_of,
    tabled,
)
from tidegate.reports.pictures import bars, timeline
from tidegate.reports.pictures.clock import step_of
from tidegate.reports.pictures.scale import per
from tidegate.reports.sheets import slug

_OF_FILES = {
    "alerts": "A capture has no alerts: they are raised while Tidegate runs.",
    "gaps": "A capture does not say when nobody looked.",
}
"""What is said of captures instead of asking."""

MOST_OPEN = 5
"""Open alerts that are named above their table."""


def make_part(section: Section, given: Given) -> Part:
    """Asks and draws; what is wrong with the section stands in its place. Raises StoreError."""
    try:
        if section.picture == "time":
            return over_time(section, given)
        if section.picture == "month":
            return over_month(section, given)
        return ranking(section, given)
    except StoreError:
        raise
    except (TidegateError, *ODD) as error:
        return Part(section.title, section.about, (), (), (), fault=fault_of(error))


def ranking(section: Section, given: Given) -> Part:
    """A table, with bars where they are asked for."""
    question = question_of(section)
    if question.name == "new-since" and not given.before.anything:
        words = "Nothing is known of the period before, so that nothing can be called new."
        return Part(section.title, section.about, (), (), (), nothing=words)
    if not given.live and question.name in _OF_FILES:
        return Part(section.title, section.about, (), (), (), nothing=_OF_FILES[question.name])
    compare = (section.key, section.value) if section.compare and section.key and section.value else None
    table = given.asking.ask(
        question,
        given.window.begin,
        given.window.end,
        given.values(section),
        total=section.value,
        before=compare if given.compared else None,
    )
    part = tabled(section, table, given)
    if question.name == "alerts":
        part = replace(part, notes=tuple(_open_alerts(table, given)))
    if section.picture != "bars":
        return part
    names = _names(section, table)  # without rows, too: a column that is not there is said at once
    if all(name == UNKNOWN for name in names):  # no bar, or one that says nothing
        return part
    return replace(part, picture=_bars(section, table, given.compared and compare is not None))


def _open_alerts(table: Table, given: Given) -> Iterator[str]:
    """What was not over at the window's end, a line each."""
    rows = zip(*map(table.column, ("rule", "key", "since", "state")), strict=True)
    still = [(rule, key, since) for rule, key, since, state in rows if state != "recovered" and since]
    for rule, key, since in still[:MOST_OPEN]:
        of = f" ({key})" if key else ""
        begun = f"{local(since, given.window.zone):%a %-d %b %Y %H:%M}"
        yield one_line(f"{rule}{of}: open since {begun}.", 120)
    if len(still) > MOST_OPEN:
        yield f"{len(still) - MOST_OPEN:,} more are open."


def _bars(section: Section, table: Table, compared: bool) -> Picture:
    values = numbers(table, section.value)
    known = [was is not None for was in table.column("before")] if compared else [False] * len(values)
    earlier = numbers(table, "before") if compared else values
    found = [
        bars.Bar(name, value, was if is_known else None)
        for name, value, was, is_known in zip(_names(section, table), values, earlier, known, strict=True)
    ]
    drawn = bars.folded(found, table.sums[section.value], table.count)
    what = f"{section.title}: {section.value.replace('_', ' ')}"
    alt = f"{what}. " + "; ".join(f"{bar.name}: {amount(round(bar.value), section.value)}" for bar in drawn)
    return Picture(f"{slug(section.title)}.png", bars.draw(drawn, section.value, compared), safe_text(alt))


def _names(section: Section, table: Table) -> list[str]:
    """What the bars are called."""
    keys = [table.index(name) for name in section.label or section.key]
    return [_name(section, [row[at] for at in keys]) for row in table.rows]


def _name(section: Section, values: Sequence[Any]) -> str:
    words = [
        f"AS{value}" if key == "asn" else str(value)
        for key, value in zip(section.label or section.key, values, strict=True)
        if value is not None
    ]
    return " ".join(words) or UNKNOWN


def over_time(section: Section, given: Given) -> Part:
    """Lines over the window, alerts and gaps marked."""
    window = given.window
    step = _step(section, window.seconds)
    values = given.values(section, step)
    table = given.asking.ask(question_of(section), window.begin, window.end, values)
    part = tabled(section, table, given)
    names = (section.value, *section.also)
    series = {name: _bins(table, name, window.begin, window.seconds, step) for name in names}
    if not table.rows:
        return part
    earlier = None
    if given.compared and section.compare:
        asked = given.asking.ask(question_of(section), window.before, window.before_end, values)
        earlier = _bins(asked, section.value, window.before, window.seconds, step)
    line = timeline.Timeline(
        window.begin,
        window.end,
        window.zone,
        step,
        series,
        before=earlier,
        alerts=given.alerts,
        gaps=[(epoch(first), epoch(last)) for first, last in given.now.gaps] if given.now.moments else [],
    )
    peak = max(line.series[section.value])
    what = ", ".join(name.replace("_", " ") for name in names)
    alt = f"{section.title}: {what}; at most {amount(round(peak), section.value)} per {per(step)}"
    picture = Picture(f"{slug(section.title)}.png", timeline.draw(line), safe_text(alt))
    return replace(part, picture=picture)


def _step(section: Section, seconds: float) -> int:
    """Seconds of a stretch: as its file says, or as fits the window."""
    step = cast(int, STEP.parse(section.set.get("step") or step_of(seconds)))
    if seconds / step > MOST_ROWS:
        raise UsageError(f"step: {seconds / step:,.0f} stretches; {MOST_ROWS:,} at most can be drawn")
    return step


def _bins(table: Table, name: str, begin: datetime, seconds: float, step: int) -> list[float]:
    """A value for each stretch from the beginning on."""
    found = [0.0] * max(-(-int(seconds) // step), 1)
    for moment, value in zip(moments(table), numbers(table, name), strict=True):
        at = -1 if moment is None else int((moment - begin.timestamp() + 0.5) // step)
        if 0 <= at < len(found):
            found[at] += value
    return found


def make_head(sql: str, given: Given) -> Head:
    """Asks for the figures at the head; what is wrong with them stands in their place. Raises StoreError."""
    try:
        return _head(sql, given) if sql else Head()
    except StoreError:
        raise
    except (TidegateError, *ODD) as error:
        return Head(fault=fault_of(error))


def _head(sql: str, given: Given) -> Head:
    question = own_question("figures", sql)
    values: dict[str, Value] = {"without": ",".join(given.own)}
    window = given.window
    now = given.asking.ask(question, window.begin, window.end, values)
    then = given.asking.ask(question, window.before, window.before_end, values) if given.compared else None
    if not now.rows:
        return Head()
    found = []
    for at, column in enumerate(now.columns):
        value = now.rows[0][at]
        before = then.rows[0][at] if then and then.rows else None
        found.append(
            Figure(
                heading(column),
                shown(value, column.name, window.zone),
                _changed(value, before) if is_amount(column) else "",
            )
        )
    return Head(tuple(found), not any(now.rows[0]))


def _changed(now: Any, before: Any) -> str:
    return "" if now is None or before is None else change(float(now), float(before))
