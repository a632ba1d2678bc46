"""A sheet of lines over the screen: details of a row, or help. Esc or Enter leaves it."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tidegate.tui.views.details import plain
from tidegate.tui.views.now import Line
from tidegate.tui.widgets.lines import Lines


class Sheet(ModalScreen[None]):
    """Lines that are made anew whenever the screen is."""

    DEFAULT_CSS = """
    Sheet { background: ansi_default; }
    Sheet VerticalScroll { height: 1fr; background: ansi_default; scrollbar-size-vertical: 1; }
    Sheet #sheet-title, Sheet #sheet-keys { height: 1; }
    Sheet Lines { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "leave", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("home,g", "scroll(-100000)", show=False),
        Binding("end,G", "scroll(100000)", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self, title: str, draw: Callable[[int], list[Line]]) -> None:
        """`draw` gives the lines for a width."""
        super().__init__()
        self._title = title
        self._draw = draw

    def compose(self) -> ComposeResult:
        """A title, the lines, the keys."""
        yield Lines(id="sheet-title")
        with VerticalScroll(can_focus=False):
            yield Lines(id="sheet-lines")
        yield Lines(id="sheet-keys")

    def on_mount(self) -> None:
        """Draws for the first time."""
        self.draw()

    def on_resize(self) -> None:
        """Draws anew."""
        self.draw()

    def draw(self) -> None:
        """Shows what there is now."""
        self.query_one("#sheet-title", Lines).show([[(f" {self._title}", "bold")]])
        self.query_one("#sheet-lines", Lines).show(self._draw(max(self.size.width - 2, 20)))
        self.query_one("#sheet-keys", Lines).show([[(" Esc back  c copy  up/down, PgUp/PgDn scroll", "dim")]])

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Moves the lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        """Puts the lines on the clipboard."""
        self.app.copy_to_clipboard(plain(self._draw(max(self.size.width - 2, 20))))
