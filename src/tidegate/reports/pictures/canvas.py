"""The one door to matplotlib: a figure for a phone, colours that everybody can tell apart, text as it is."""

import io
from typing import TYPE_CHECKING

from tidegate.model.text import safe_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH = 4.2
"""Inches: on a phone 9 points are then as large as the text beside the picture."""
DPI = 200

BLUE, ORANGE, GREEN, RED, GREY, INK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8A8A", "#222222"
"""Okabe and Ito's, which tell apart for all kinds of colour vision; also by their lightness."""

SIZE, SMALL = 9.0, 8.0


class Canvas:
    """One picture that is being drawn: `figure`, its only `axes`, and the way out."""

    figure: "Figure"
    axes: "Axes"

    def __init__(self, height: float) -> None:
        """`height` in inches."""
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._style = {
            "text.parse_math": False,  # "$a$" is a host name that somebody chose
            "text.usetex": False,
            "font.family": ["DejaVu Sans"],
            "font.size": SIZE,
            "axes.formatter.useoffset": False,
            "axes.unicode_minus": True,
            "path.simplify": True,
        }
        with rc_context(self._style):
            self.figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained", facecolor="white")
            FigureCanvasAgg(self.figure)
            self.axes = self.figure.add_subplot()
        for side in ("top", "right"):
            self.axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            self.axes.spines[side].set_color(GREY)
        self.axes.tick_params(labelsize=SMALL, colors=INK, width=0.6)
        self.axes.set_axisbelow(True)

    def png(self) -> bytes:
        """The picture."""
        from matplotlib import rc_context

        out = io.BytesIO()
        with rc_context(self._style):
            self.figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        return out.getvalue()

    def grid(self, axis: str) -> None:
        """Faint lines across."""
        self.axes.grid(axis=axis, color="#D8D8D8", linewidth=0.6)  # type: ignore[arg-type]


def drawable(text: str, longest: int) -> str:
    """The text with what the font has no sign for escaped, cut in its middle to so many characters."""
    known = _signs()
    safe = "".join(
        sign if ord(sign) in known else f"\\u{ord(sign):04x}" for sign in safe_text(text[: 4 * longest])
    )
    if len(safe) <= longest and len(text) <= 4 * longest:
        return safe
    head = (longest - 1) * 2 // 3
    return f"{safe[:head]}…{safe[len(safe) - (longest - 1 - head) :]}"


def width_of(text: "Text", canvas: Canvas) -> float:
    """How wide it will be, in pixels."""
    return float(text.get_window_extent(canvas.figure.canvas.get_renderer()).width)  # type: ignore[attr-defined]


def _signs() -> set[int]:
    """Code points that the font has signs for."""
    from matplotlib.font_manager import findfont, get_font

    return set(get_font(findfont("DejaVu Sans")).get_charmap())
