"""A table of any number of rows that draws only those in view; the cursor stays on its row."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tidegate.model.text import fit
from tidegate.tui.look import UNICODE, Signs
from tidegate.tui.widgets.column import Column, in_room, widths

STYLES = {
    "": Style(),
    "head": Style(bold=True, underline=True),
    "dim": Style(dim=True),
    "bold": Style(bold=True),
    "good": Style(color="green"),
    "warn": Style(color="yellow", bold=True),
    "bad": Style(color="red", bold=True),
    "name": Style(color="cyan"),
    "group": Style(bold=True, reverse=False, color="magenta"),
}
"""Every style, in the terminal's own 16 colours."""

CURSOR = Style(reverse=True)


class LineTable(ScrollView, can_focus=False):
    """Rows under a line of titles. Keys come by way of the screen, so that no focus has to be right."""

    DEFAULT_CSS = """
    LineTable { height: 1fr; width: 1fr; background: ansi_default; scrollbar-size-vertical: 1;
                scrollbar-size-horizontal: 0; overflow-x: hidden; }
    LineTable.still { scrollbar-size-vertical: 0; }
    """

    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked twice."""

        def __init__(self, row: Any) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self,
        identity: Callable[[Any], Hashable],
        *,
        id: str | None = None,
        still: bool = False,
        signs: Signs = UNICODE,
    ) -> None:
        """`identity` tells rows apart; a `still` table does not scroll, and has a cursor while active."""
        super().__init__(id=id, classes="still" if still else "")
        self._identity = identity
        self._still = still
        self.active = not still
        """Whether the cursor is seen."""
        self.signs = signs
        self.columns: Sequence[Column] = ()
        self.rows: Sequence[Any] = ()
        self.cursor = 0
        self.sorted: tuple[str, bool] | None = None
        """Title of the column that rows are sorted by, and whether descending."""
        self.dimmed: Callable[[Any], bool] = lambda _row: False
        """Whether a row is drawn faint."""

    def become(self, identity: Callable[[Any], Hashable]) -> None:
        """Rows of another kind come from now on; the cursor begins at the top."""
        self._identity = identity
        self.columns, self.rows, self.cursor = (), (), 0

    def show(self, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        """Shows these rows; the cursor follows its row, unless it stands on the first."""
        before = self.row
        self.columns, self.rows = columns, rows
        if before is not None and self.cursor > 0:
            wanted = self._identity(before)
            for place, row in enumerate(rows):
                if self._identity(row) == wanted:
                    self.cursor = place
                    break
        self.cursor = max(0, min(self.cursor, len(rows) - 1))
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        if not self._still:
            self._keep_in_view()
        self.refresh()

    @property
    def row(self) -> Any | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def render_line(self, y: int) -> Strip:
        """One line of what is in view; the titles stay at the top."""
        width = self.scrollable_content_region.width
        shown = in_room(self.columns, width)
        room = widths(shown, width - 2)
        if y == 0:
            return self._titles(shown, room)
        place = int(self.scroll_offset.y) + y - 1
        if place >= len(self.rows):
            return Strip.blank(width)
        return self._line(shown, room, place)

    def _titles(self, shown: Sequence[Column], room: Sequence[int]) -> Strip:
        cells = [Segment(" ")]
        for column, width in zip(shown, room, strict=True):
            title = column.title
            if self.sorted and self.sorted[0] == title:
                title += self.signs.descending if self.sorted[1] else self.signs.ascending
            cells.append(Segment(fit(title, width, column.side, self.signs.more), STYLES["head"]))
            cells.append(Segment(" "))
        return Strip(cells[:-1]).adjust_cell_length(self.scrollable_content_region.width)

    def _line(self, shown: Sequence[Column], room: Sequence[int], place: int) -> Strip:
        row = self.rows[place]
        under = self.active and place == self.cursor
        base = CURSOR if under else STYLES["dim"] if self.dimmed(row) else Style()
        cells = [Segment(self.signs.cursor if under else " ", base)]
        for column, width in zip(shown, room, strict=True):
            text, style = column.cell(row)
            drawn = base if under else base + STYLES[style]
            cells.append(Segment(fit(text, width, column.side, self.signs.more), drawn))
            cells.append(Segment(" ", base))
        return Strip(cells[:-1]).adjust_cell_length(self.scrollable_content_region.width, base)

    def move(self, by: int) -> None:
        """Moves the cursor."""
        self._go(self.cursor + by)

    def page(self, by: int) -> None:
        """Moves it by a screenful."""
        self._go(self.cursor + by * max(self.size.height - 2, 1))

    def edge(self, last: int) -> None:
        """Moves it to the first or last row."""
        self._go(len(self.rows) - 1 if last else 0)

    def choose(self) -> None:
        """Opens the row."""
        if self.row is not None:
            self.post_message(self.Chosen(self.row))

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor where the mouse is; a second click opens."""
        if self._still or event.y == 0:
            return
        self._go(int(self.scroll_offset.y) + event.y - 1)
        if event.chain > 1:
            self.choose()

    def _go(self, place: int) -> None:
        in_view = self.size.height - 2 if self._still else len(self.rows) - 1
        self.cursor = max(0, min(place, len(self.rows) - 1, in_view))
        if not self._still:
            self._keep_in_view()
        self.refresh()

    def _keep_in_view(self) -> None:
        height = max(self.size.height - 1, 1)
        top = int(self.scroll_offset.y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)
