"""A report as plain text, for mail and terminal."""

import textwrap
from collections.abc import Iterator

from tidegate.model.text import Side, clip, columns_of, fit, shortened
from tidegate.reports.cells import SHORT
from tidegate.reports.parts import Part
from tidegate.reports.whole import Whole

WIDTH = 78
WIDEST = 34
"""Characters of a cell."""


def text(report: Whole) -> str:
    """All of it but the pictures."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Whole) -> Iterator[str]:
    yield report.title
    yield report.span
    for note in report.notes:
        yield ""
        yield from textwrap.wrap(f"! {note}", WIDTH, subsequent_indent="  ")
    if report.figures:
        yield ""
        width = max(columns_of(figure.name) for figure in report.figures)
        for figure in report.figures:
            change = f"  ({figure.change})" if figure.change else ""
            yield f"{fit(figure.name, width)}  {figure.value}{change}"
    if report.compared:
        yield ""
        yield from textwrap.wrap(report.compared, WIDTH)
    for part in report.parts:
        yield from _part(part)
    yield ""
    yield report.foot


def _part(part: Part) -> Iterator[str]:
    yield ""
    yield part.title
    yield "-" * min(max(len(part.title), 4), WIDTH)
    for words in (part.about, *part.notes, part.nothing):
        yield from textwrap.wrap(words, WIDTH)
    if part.fault:
        yield from textwrap.wrap(f"! It could not be made: {part.fault}", WIDTH, subsequent_indent="  ")
    if not part.rows and part.picture and not part.nothing:
        yield from textwrap.wrap(part.picture.alt, WIDTH)
    if part.rows:
        yield from _table(part)
    if part.more:
        yield f"{part.more}; see {part.sheet.name}" if part.sheet else part.more


def _table(part: Part) -> Iterator[str]:
    rows = [
        part.heads,
        *([_cut(cell, head) for cell, head in zip(row, part.heads, strict=True)] for row in part.rows),
    ]
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    sides: list[Side] = ["right" if right else "left" for right in part.right]
    for row in rows:
        cells = map(fit, row, widths, sides)
        yield "  ".join(cells).rstrip()


def _cut(cell: str, head: str) -> str:
    if len(cell) <= WIDEST:
        return cell
    return clip(cell, WIDEST) if head in SHORT else shortened(cell, WIDEST)
