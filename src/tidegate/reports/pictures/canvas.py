"""Beside `fonts.py` the one door to matplotlib: a figure for a phone, colours for all eyes, text as it is."""

import io
import logging
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tidegate.model.text import safe_text, shortened
from tidegate.reports.pictures import fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.2
"""Inches: on a phone 10 points are then nearly as large as the text beside the picture."""
DPI = 200

BLUE, ORANGE, GREEN, RED, GREY, INK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8A8A", "#222222"
"""Okabe and Ito's, which tell apart for all kinds of colour vision; also by their lightness."""

SIZE, SMALL = 10.0, 9.0

LONGEST = 48
"""Characters of a name."""

_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # "$a$" is a host name that somebody chose
    "text.usetex": False,
    "font.size": SIZE,
    "axes.formatter.useoffset": False,
}


class Canvas:
    """One picture, drawn inside a `with` block: `figure`, its only `axes`, and the way out."""

    figure: "Figure"
    axes: "Axes"

    def __init__(self, height: float, words: str = "") -> None:
        """`height` in inches; signs of `words` that our font lacks are looked for in those of the system."""
        self._height = height
        self._words = words
        self._fonts: tuple[str, ...] = ()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # It says where it keeps its fonts when there is no home, as under a service: nobody has to know.
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._fonts = fonts.families(safe_text(self._words))
        # For the whole of the drawing: a text asks for these when it is made.
        self._stack.enter_context(rc_context({**_STYLE, "font.family": list(self._fonts)}))
        self.figure = Figure(figsize=(WIDTH, self._height), dpi=DPI, layout="constrained", facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_subplot()
        for side in ("top", "right"):
            self.axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            self.axes.spines[side].set_color(GREY)
        self.axes.tick_params(labelsize=SMALL, colors=INK, width=0.6)
        self.axes.set_axisbelow(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def png(self) -> bytes:
        """The picture."""
        out = io.BytesIO()
        self.figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        return out.getvalue()

    def fitted(self, text: str, size: float) -> str:
        """The text, cut in its middle until the picture has room for it."""
        from matplotlib.font_manager import FontProperties

        font = FontProperties(family=list(self._fonts), size=size)
        renderer = self.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        room = WIDTH * DPI * 0.96
        words = self.drawable(text, LONGEST)
        while len(words) > 8:
            width = renderer.get_text_width_height_descent(words, font, False)[0]
            if width <= room:
                break
            words = shortened(words, min(len(words) - 1, int(len(words) * room / width)))
        return words

    def drawable(self, text: str, longest: int) -> str:
        """One line with what no font has a sign for escaped, cut in its middle to so many characters."""
        safe = "".join(
            sign if fonts.has(self._fonts, sign) else f"\\u{ord(sign):04x}"
            for sign in safe_text(text[: 4 * longest])
        )
        return safe if len(safe) <= longest and len(text) <= 4 * longest else shortened(safe, longest)

    def grid(self) -> None:
        """Faint lines across."""
        self.axes.grid(axis="y", color="#D8D8D8", linewidth=0.6)

    def legend(self, columns: int, **spacing: float) -> None:
        """What is drawn how, above the picture, in so many columns at most; one thing alone needs none."""
        handles, labels = self.axes.get_legend_handles_labels()
        if len(labels) > 1:
            self.figure.legend(
                handles, labels, loc="outside upper left", ncols=min(len(labels), columns), fontsize=SMALL,
                frameon=False, labelcolor=INK, **spacing,
            )  # fmt: skip
