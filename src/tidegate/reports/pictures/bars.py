"""A ranking as bars: each with its name above it, the rest folded into one, and where it stood before."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.reports.cells import amount
from tidegate.reports.pictures.canvas import BLUE, GREY, INK, LONGEST, ORANGE, SIZE, SMALL, Canvas

MOST = 8
"""Bars beside that of the others."""
ROOM = 1.22
"""How much wider the picture is than the longest bar, for the numbers."""


@dataclass(frozen=True)
class Bar:
    """A name, its value, and that of the period before, if it is known."""

    name: str
    value: float
    before: float | None = None
    rest: bool = False
    """Whether it stands for all others."""


def folded(bars: Sequence[Bar], total: float, count: int) -> list[Bar]:
    """The first ones, and one of all others: `total` is the sum of all `count` of them."""
    if count <= MOST + 1 and len(bars) >= count:
        return list(bars)
    shown = list(bars[:MOST])
    rest = max(total - sum(bar.value for bar in shown), 0)
    return [*shown, Bar(f"{count - len(shown):,} others", rest, rest=True)]


def draw(bars: Sequence[Bar], column: str, compared: bool) -> bytes:
    """The picture of the bars; the column says what their length is."""
    words = column + "".join(bar.name[: 4 * LONGEST] for bar in bars)
    with Canvas(0.62 + 0.36 * len(bars), words) as canvas:
        _draw(canvas, bars, column, compared)
        return canvas.png()


def _draw(canvas: Canvas, bars: Sequence[Bar], column: str, compared: bool) -> None:
    axes = canvas.axes
    single = [bar for bar in bars if not bar.rest]
    compared = compared and any(bar.before is not None for bar in bars)
    most = max([1e-12, *(max(bar.value, bar.before or 0) for bar in single or bars)])
    for at, bar in enumerate(bars):
        # What is left is often far more than any one: its bar is cut, and says so.
        length = min(bar.value, most)
        axes.barh(at, length, height=0.38, color=GREY if bar.rest else BLUE)
        if length < bar.value:
            _cut(canvas, length, at)
        elif compared and bar.before is not None:
            _mark(canvas, bar.before, at)
        _say(canvas, canvas.fitted(bar.name, SIZE), 0, at - 0.23, ("left", "bottom"), SIZE)
        _say(canvas, amount(round(bar.value), column), most * ROOM, at, ("right", "center"), SMALL)
    axes.set_xlim(0, most * ROOM)
    axes.set_ylim(len(bars) - 0.6, -0.85)
    axes.set_yticks([])
    axes.set_xticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    words = canvas.drawable(column.replace("_", " ").capitalize(), 24)
    if compared:
        words += "; the mark is the period before"
    axes.set_xlabel(words, fontsize=SMALL, color=INK, loc="left")


def _say(canvas: Canvas, words: str, x: float, y: float, where: tuple[str, str], size: float) -> None:
    """Words at a place, which lies to their left or right and below or in the middle."""
    off = (1 if where[0] == "left" else 0, 0)
    said = canvas.axes.annotate(
        words, (x, y), xytext=off, textcoords="offset points", ha=where[0], va=where[1], fontsize=size,
        color=INK, annotation_clip=False,
    )  # fmt: skip
    said.set_in_layout(False)  # it fits, and bars are as long as they are


def _mark(canvas: Canvas, value: float, at: int) -> None:
    for colour, width in ((ORANGE, 2.4), (INK, 0.7)):
        canvas.axes.plot([value] * 2, [at - 0.2, at + 0.25], color=colour, linewidth=width)


def _cut(canvas: Canvas, length: float, at: int) -> None:
    """Two slanted gaps near the end of the bar."""
    for place in (0.93, 0.955):
        x = length * place
        canvas.axes.plot(
            [x - length * 0.006, x + length * 0.006], [at + 0.24, at - 0.24], color="white", linewidth=2
        )
