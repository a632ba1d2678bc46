"""The section of a month: what it took so far, what it will have taken, and what it may."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from tidegate.model.document import Picture
from tidegate.model.text import safe_text
from tidegate.model.units import human_bytes
from tidegate.reports.asking import Column, Table
from tidegate.reports.cells import change
from tidegate.reports.definition import Section
from tidegate.reports.parts import Figure, Given, Part, moments, numbers, question_of, tabled
from tidegate.reports.pictures import month
from tidegate.reports.sheets import slug
from tidegate.reports.window import Window


def over_month(section: Section, given: Given) -> Part:
    """Days, what they add up to, and the forecast."""
    window = given.window
    table = given.asking.ask(question_of(section), window.begin, window.end, given.values(section))
    days = _days(table, section.value, window)
    if not table.rows:
        return tabled(section, table, given)
    total = sum(amount_ for _, _, amount_ in days)
    first = next((moment for moment in moments(table) if moment is not None), window.begin.timestamp())
    began = max(first, window.begin.timestamp())
    end = window.whole_end or window.end
    limit = given.limit if window.whole_end else 0  # which is a month's
    elapsed = window.end.timestamp() - began
    left = end.timestamp() - window.end.timestamp()
    # Less than a day says nothing of a month; what is over, or is no month, has no forecast.
    forecast = total * (1 + left / elapsed) if left > 0 and elapsed >= 86400 else None
    earlier = _before(section, given) if given.compared else None
    drawn = month.draw(
        month.Month(window.begin, window.end, end, window.zone, days, forecast, limit, earlier)
    )
    figures = _figures(total, forecast, limit, window, earlier)
    alt = f"{section.title}: " + "; ".join(f"{figure.name} {figure.value}" for figure in figures)
    names = (Column("day", "VARCHAR"), Column(section.value, "BIGINT"))
    rows = [
        (f"{datetime.fromtimestamp(left, window.zone):%Y-%m-%d}", round(value)) for left, _, value in days
    ]
    part = tabled(replace(section, columns=()), Table(names, rows, len(rows)), given)
    late = began - window.begin.timestamp() >= 86400
    since = datetime.fromtimestamp(first, window.zone)
    return replace(
        part,
        picture=Picture(f"{slug(section.title)}.png", drawn, safe_text(alt)),
        figures=tuple(figures),
        notes=(f"The first row of this month is from {since:%Y-%m-%d %H:%M}.",) if late else (),
    )


def _before(section: Section, given: Given) -> float | None:
    window = given.window
    table = given.asking.ask(
        question_of(section), window.before, window.before_end, given.values(section), total=section.value
    )
    return table.sums[section.value] if table.rows else None


def _figures(
    total: float, forecast: float | None, limit: int, window: Window, before: float | None
) -> list[Figure]:
    share = f"{total / limit * 100:.0f}% of {human_bytes(limit)}" if limit else ""
    reset = window.whole_end
    was = change(total, before) if before is not None else ""
    if before and reset:
        was += " the month before"
    name = "so far" if reset and reset > window.end else "in all"
    found = [Figure(name, human_bytes(total), share or was)]
    if forecast is not None:
        over = f"{'more than' if forecast > limit else 'within'} {human_bytes(limit)}" if limit else ""
        found.append(Figure("forecast", human_bytes(forecast), over))
    if reset:
        found.append(Figure("reset day", f"{reset:%Y-%m-%d}"))
    return found


def _days(table: Table, name: str, window: Window) -> list[tuple[float, float, float]]:
    """Begin, end and amount of each local day, days without anything included."""
    sums: dict[date, float] = {}
    for moment, value in zip(moments(table), numbers(table, name), strict=True):
        if moment is not None:
            day = datetime.fromtimestamp(moment, window.zone).date()
            sums[day] = sums.get(day, 0.0) + value

    def midnight(day: date) -> float:
        return datetime.combine(day, time(), window.zone).timestamp()

    end, count = window.end.timestamp(), (window.end.date() - window.begin.date()).days + 1
    days = [window.begin.date() + timedelta(number) for number in range(count)]
    found = [(midnight(day), min(midnight(day + timedelta(1)), end), sums.get(day, 0.0)) for day in days]
    return [each for each in found if each[1] > each[0]]
