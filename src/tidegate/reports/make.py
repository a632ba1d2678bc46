"""Makes a report: asks, draws, and puts it into words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from tidegate.model.document import Document
from tidegate.model.filter import parse_filter
from tidegate.model.text import one_line
from tidegate.queries.questions import find_question
from tidegate.reports.asking import Asking
from tidegate.reports.definition import Report
from tidegate.reports.html import page
from tidegate.reports.parts import LONGEST_FAULT, Given, Head, Part, epoch, question_of
from tidegate.reports.pictures.clock import zone_words
from tidegate.reports.plain import text
from tidegate.reports.sections import make_head, make_part
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
    longest: float | None = None
    """Seconds that all questions have together, unless as long as a report may take."""


def make(report: Report, asked: Asked, tick: Callable[[str], None] = lambda _: None) -> Document:
    """The report. `tick` is told the title of each section before it is asked.

    What is wrong with a section stands in its place. Raises StoreError for a store that cannot be read.
    """
    asking = Asking(asked.root, asked.window, parse_filter(report.filter), asked.longest)
    try:
        given = _given(asking, asked)
        head = make_head(report.figures, given)
        parts = []
        for section in report.sections:
            tick(section.title)
            parts.append(make_part(section, given))
    finally:
        asking.close()
    return _document(report, asked, given, head, _named_apart(parts))


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
    return Given(asking, window, now, before, asked.own, marks, compare, asked.limit, asked.live)


def _document(report: Report, asked: Asked, given: Given, head: Head, parts: Sequence[Part]) -> Document:
    window = asked.window
    broken = [part for part in parts if part.fault]
    nothing = ""
    if not (head.fault or broken) and _is_nothing(report, head, parts):
        why = why_nothing(given.now, report.filter, asked.live)
        nothing = one_line(f"There is nothing to report. {why}", LONGEST_FAULT)
    title = one_line(report.title, 100)
    whole = Whole(
        title,
        _span(window.begin, window.end, window.zone),
        (
            *_missing(head, broken, len(parts)),
            *([nothing] if nothing else []),
            *notes(given.now, window.begin, window.zone),
        ),
        (*head.figures, *(figure for part in parts for figure in part.figures)),
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
        nothing=nothing,
        faults=(
            *([f"figures: {head.fault}"] if head.fault else []),
            *(f'section "{part.title}": {part.fault}' for part in broken),
        ),
    )


def _is_nothing(report: Report, head: Head, parts: Sequence[Part]) -> bool:
    return head.zero and not any(
        part.rows or part.picture
        for part, section in zip(parts, report.sections, strict=True)
        if not _says_nothing(question_of(section).tables)
    )


def _says_nothing(tables: Sequence[str]) -> bool:
    """Whether a section of these tables is about Tidegate alone; own SQL may name none, and say something."""
    return bool(tables) and set(tables) <= _SAYS_NOTHING


def _missing(head: Head, broken: Sequence[Part], count: int) -> Iterator[str]:
    """What could not be made: it has to be said first."""
    if head.fault:
        yield f"The figures at the head could not be made: {head.fault}"
    if broken:
        names = ", ".join(f'"{part.title}"' for part in broken)
        of = f"{len(broken)} of {count} sections" if count > 1 else "The section"
        yield f"{of} could not be made: {names}. What is wrong is said there."


def _span(begin: datetime, end: datetime, zone: ZoneInfo) -> str:
    """ "Thu 19 Nov 2026 22:00 to Fri 20 Nov 06:00 (Europe/Berlin, CET)"."""
    year = "" if begin.year == end.year else " %Y"
    seconds = ":%S" if end.timestamp() - begin.timestamp() < 3600 else ""
    first = begin.strftime(f"%a %-d %b %Y %H:%M{seconds}")
    last = end.strftime(f"%a %-d %b{year} %H:%M{seconds}")
    return f"{first} to {last} ({zone_words(begin, end, zone)})"


def _compared(given: Given) -> str:
    window = given.window
    if not given.compare:
        return ""
    earlier = _span(window.before, window.before_end, window.zone)
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
