"""Lines of styled pieces, cut where the room ends."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tidegate.tui.widgets.line_table import STYLES


class Lines(Widget):
    """Draws the lines it is given; their text must be harmless."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; background: ansi_default; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Sequence[tuple[str, str]]] = ()

    def show(self, lines: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Shows these lines."""
        changed = len(lines) != len(self._lines)
        self._lines = lines
        if changed:
            self.styles.height = len(lines)
        self.refresh(layout=changed)

    def render_line(self, y: int) -> Strip:
        """One of them."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width)
        strip = Strip([Segment(text, STYLES[style]) for text, style in self._lines[y] if text])
        return strip.adjust_cell_length(width)
