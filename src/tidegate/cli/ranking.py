"""Rankings as text: a name per line and figures in columns, in the width of the terminal."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.model.text import clip, fit, safe_text
from tidegate.model.units import human_bytes, human_count, human_duration

Row = dict[str, Any]

NARROWEST, WIDEST = 40, 120
NAME = 30
"""Characters of a name that are worth more than a column of figures."""


@dataclass(frozen=True)
class Figure:
    """A column: its head, its characters, and what a row has to say in it."""

    head: str
    width: int
    show: Callable[[Row], str]
    words: bool = False
    """Whether it begins at the left, after two blanks, and not ends at the right."""

    def cell(self, shown: str) -> str:
        """What is shown, in the column's width."""
        return f"  {fit(shown, self.width - 2)}" if self.words else f"{shown:>{self.width}}"


def count(head: str, column: str, width: int = 0) -> Figure:
    """A column of counts; zero is a dot, so that what is not zero stands out."""
    return Figure(head, width or len(head) + 2, lambda row: human_count(row[column]) if row[column] else ".")


def size(head: str, column: str) -> Figure:
    """A column of bytes."""
    return Figure(head, 11, lambda row: human_bytes(row[column]))


def duration(head: str, column: str) -> Figure:
    """A column of seconds."""
    return Figure(head, 11, lambda row: "-" if row[column] is None else human_duration(row[column]))


def text(head: str, width: int, show: Callable[[Row], str]) -> Figure:
    """A column of words, cut to its width."""
    return Figure(head, width, lambda row: safe_text(show(row)), words=True)


def terminal_width() -> int:
    """Characters of a line: the terminal's, 80 where there is none, within reason."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)


@dataclass(frozen=True)
class Ranking:
    """A title over names, the name of a row, and its figures, the most important one last."""

    title: str
    name: Callable[[Row], str]
    figures: Sequence[Figure]

    def lines(
        self, rows: Sequence[Row], columns: int, below: Callable[[Row], Iterator[str]] | None = None
    ) -> Iterator[str]:
        """The head, and a line per row with those `below` it.

        Where it is too narrow, figures give way to the name, the first ones first.
        """
        shown = list(self.figures)
        while len(shown) > 1 and columns - sum(figure.width for figure in shown) < NAME:
            shown.pop(0)
        room = columns - sum(figure.width for figure in shown)
        heads = "".join(figure.cell(figure.head) for figure in shown)
        yield f"{fit(self.title, room)}{heads}".rstrip()
        for row in rows:
            cells = "".join(figure.cell(figure.show(row)) for figure in shown)
            yield f"  {fit(safe_text(self.name(row)), room - 3)} {cells}".rstrip()
            if below:
                yield from below(row)


def details(groups: Sequence[Sequence[str]], columns: int) -> Iterator[str]:
    """Groups of words below a name: in one line where they fit, else a line for each group."""
    room = columns - 4
    joined = [", ".join(clip(safe_text(word), 40) for word in group) for group in groups if group]
    if len(" | ".join(joined)) <= room:
        joined = [" | ".join(joined)]
    for line in joined:
        yield f"    {clip(line, room)}"
