"""Makes a report: asks, draws, and puts it into words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from tidegate.model.document import Document
from tidegate.model.errors import StoreError, TidegateError
from tidegate.model.filter import parse_filter
from tidegate.model.text import one_line
from tidegate.queries.questions import find_question
from tidegate.reports.asking import Asking
from tidegate.reports.definition import Report
from tidegate.reports.html import page
from tidegate.reports.parts import LONGEST_FAULT, Figure, Given, Part, epoch, question_of
from tidegate.reports.pictures.clock import zone_words
from tidegate.reports.plain import text
from tidegate.reports.sections import figures_of, make_part
from tidegate.reports.seen import Seen, look, notes, why_nothing
from tidegate.reports.whole import Whole
from tidegate.reports.window import Window

_SAYS_NOTHING = frozenset({"alert", "health"})
"""Tables of sections that do not make a report one of something."""


@dataclass(frozen=True)
class Asked:
    """What a report is made with beside its file."""

    root: Path
    """The store."""
    window: Window
    own: tuple[str, ...] = ()
    """Addresses of this machine."""
    compare: bool = True
    live: bool = True
    """Whether the store was written by a capture that runs all the time: then gaps mean something."""
    limit: int = 0
    """Bytes that a month may have; 0: no limit."""


def make(report: Report, asked: Asked, tick: Callable[[str], None] = lambda _: None) -> Document:
    """The report. `tick` is told the title of each section before it is asked.

    What is wrong with a section stands in its place. Raises StoreError for a store that cannot be read.
    """
    asking = Asking(asked.root, asked.window, parse_filter(report.filter))
    try:
        given = _given(asking, asked)
        figures, zero, wrong = _figures(report, given)
        parts = []
        for section in report.sections:
            tick(section.title)
            parts.append(make_part(section, given))
    finally:
        asking.close()
    return _document(report, asked, given, figures, _named_apart(parts), zero, wrong)


def _figures(report: Report, given: Given) -> tuple[list[Figure], bool, str]:
    """The figures at the head, whether all of them are nothing, and what is wrong with them."""
    if not report.figures:
        return [], True, ""
    try:
        return *figures_of(report.figures, given), ""
    except StoreError:
        raise
    except TidegateError as error:
        return [], True, one_line(str(error), LONGEST_FAULT)


def _given(asking: Asking, asked: Asked) -> Given:
    window = asked.window
    now = look(asking, window.begin, window.end)
    compare = asked.compare and window.before.timestamp() < window.before_end.timestamp()
    before = look(asking, window.before, window.before_end) if compare else Seen(0, 0, (), False)
    if not asked.live:
        now, before = replace(now, gaps=()), replace(before, gaps=())
    raised = asking.ask(find_question("alerts"), window.begin, window.end)
    marks = [
        (epoch(since), epoch(recovered) if recovered else None)
        for since, recovered in zip(raised.column("since"), raised.column("recovered"), strict=True)
        if since
    ]
    return Given(asking, window, now, before, asked.own, marks, compare, asked.limit)


def _document(
    report: Report,
    asked: Asked,
    given: Given,
    figures: Sequence[Figure],
    parts: Sequence[Part],
    zero: bool,
    wrong: str,
) -> Document:
    window = asked.window
    broken = [part for part in parts if part.fault]
    empty = (
        zero
        and not wrong
        and not broken
        and not any(
            part.rows or part.picture
            for part, section in zip(parts, report.sections, strict=True)
            if not set(question_of(section).tables) <= _SAYS_NOTHING
        )
    )
    said = notes(given.now, window.begin, window.zone)
    if empty:
        said.insert(0, f"There is nothing to report. {why_nothing(given.now, report.filter, asked.live)}")
    said = _told(wrong, broken, len(parts)) + said
    title = one_line(report.title, 100)
    whole = Whole(
        title,
        span(window.begin, window.end, window),
        tuple(said),
        (*figures, *(figure for part in parts for figure in part.figures)),
        _compared(given),
        tuple(parts),
        f"Tidegate {version('tidegate')}, report {report.name}",
    )
    return Document(
        name=report.name,
        title=title,
        begin=window.begin,
        end=window.end,
        text=text(whole),
        html=page(whole),
        pictures=tuple(part.picture for part in parts if part.picture),
        sheets=tuple(part.sheet for part in parts if part.sheet),
        empty=empty,
        faults=(
            *([f"figures: {wrong}"] if wrong else []),
            *(f'section "{part.title}": {part.fault}' for part in broken),
        ),
    )


def _told(wrong: str, broken: Sequence[Part], count: int) -> list[str]:
    """What has to be said first: what is missing."""
    found = [f"The figures at the head could not be made: {wrong}"] if wrong else []
    if broken:
        names = ", ".join(f'"{part.title}"' for part in broken)
        of = f"{len(broken)} of {count} sections" if count > 1 else "The section"
        found.append(f"{of} could not be made: {names}. What is wrong is said there.")
    return found


def span(begin: datetime, end: datetime, window: Window) -> str:
    """ "Thu 19 Nov 2026 22:00 to Fri 20 Nov 06:00 (Europe/Berlin, CET)"."""
    year = "" if begin.year == end.year else " %Y"
    seconds = ":%S" if end.timestamp() - begin.timestamp() < 3600 else ""
    first = begin.strftime(f"%a %-d %b %Y %H:%M{seconds}")
    last = end.strftime(f"%a %-d %b{year} %H:%M{seconds}")
    return f"{first} to {last} ({zone_words(begin, end, window.zone)})"


def _compared(given: Given) -> str:
    window = given.window
    if not given.compare:
        return ""
    earlier = span(window.before, window.before_end, window)
    if not given.before.anything:
        return f"Nothing is known of the period before ({earlier}): there is nothing to compare with."
    gaps = sum(last.timestamp() - first.timestamp() for first, last in given.before.gaps)
    partly = " of which not all was captured," if gaps and given.before.moments else ""
    return f"Compared with the period before,{partly} {earlier}."


def _named_apart(parts: Sequence[Part]) -> list[Part]:
    """No two pictures or sheets of one name."""
    taken: set[str] = set()
    found = []
    for number, part in enumerate(parts, 1):
        if (part.sheet and part.sheet.name in taken) or (part.picture and part.picture.name in taken):
            part = replace(
                part,
                sheet=replace(part.sheet, name=f"{number}-{part.sheet.name}") if part.sheet else None,
                picture=replace(part.picture, name=f"{number}-{part.picture.name}") if part.picture else None,
            )
        taken |= {each.name for each in (part.sheet, part.picture) if each}
        found.append(part)
    return found
