"""A ranking as bars: each with its name above it, the rest folded into one, and where it stood before."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.reports.cells import amount
from tidegate.reports.pictures.canvas import BLUE, GREY, INK, ORANGE, SIZE, SMALL, Canvas, drawable

MOST = 8
"""Bars beside that of the others."""
LONGEST = 46
"""Characters of a name; as wide as the picture is."""


@dataclass(frozen=True)
class Bar:
    """A name, its value, and that of the period before, if it is known."""

    name: str
    value: float
    before: float | None = None


def folded(bars: Sequence[Bar], total: float, count: int) -> list[Bar]:
    """The first ones, and one of all others: `total` is the sum of all `count` of them."""
    if count <= MOST + 1 and len(bars) >= count:
        return list(bars)
    shown = list(bars[:MOST])
    rest = max(total - sum(bar.value for bar in shown), 0)
    return [*shown, Bar(f"{count - len(shown):,} others", rest)]


def draw(bars: Sequence[Bar], column: str, what: str, compared: bool) -> bytes:
    """The picture of the bars; `what` says what their length is."""
    canvas = Canvas(0.62 + 0.36 * len(bars) + (0.22 if compared else 0))
    axes = canvas.axes
    most = max([1e-12, *(bar.value for bar in bars), *(bar.before or 0 for bar in bars)])
    for at, bar in enumerate(bars):
        is_rest = bar.name.endswith(" others") and at == len(bars) - 1
        axes.barh(at, bar.value, height=0.38, color=GREY if is_rest else BLUE)
        if compared and bar.before is not None:
            axes.plot([bar.before] * 2, [at - 0.27, at + 0.27], color=ORANGE, linewidth=2.4, solid_capstyle="butt")
            axes.plot([bar.before] * 2, [at - 0.27, at + 0.27], color=INK, linewidth=0.7, solid_capstyle="butt")
        axes.text(0, at - 0.25, drawable(bar.name, LONGEST), va="bottom", ha="left", fontsize=SIZE, color=INK)
        number = amount(round(bar.value), column)
        axes.annotate(
            number, (max(bar.value, bar.before or 0 if compared else 0), at), xytext=(4, 0),
            textcoords="offset points", va="center", ha="left", fontsize=SMALL, color=INK,
        )  # fmt: skip
    axes.set_xlim(0, most * 1.28)
    axes.set_ylim(len(bars) - 0.6, -0.85)
    axes.set_yticks([])
    axes.set_xticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.axvline(0, color=GREY, linewidth=0.8)
    words = f"{drawable(what, 40)}; the mark: the period before" if compared else drawable(what, LONGEST)
    axes.set_xlabel(words, fontsize=SMALL, color=INK, loc="left")
    return canvas.png()
