"""The two lines at the top: tabs, and how good the picture is; below them which tab is shown."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tidegate.model.text import columns_of
from tidegate.tui.look import UNICODE, Signs
from tidegate.tui.widgets.line_table import STYLES

LABEL = " tidegate  "


class TopBar(Widget):
    """Tabs at the left, facts at the right."""

    DEFAULT_CSS = """
    TopBar { height: 2; width: 1fr; background: ansi_default; }
    """

    class Clicked(Message):
        """A tab was clicked."""

        def __init__(self, tab: int) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, signs: Signs = UNICODE) -> None:
        super().__init__(id="top")
        self._signs = signs
        self._titles: Sequence[str] = ()
        self._chosen = 0
        self._facts: Sequence[tuple[str, str]] = ()

    def show(self, titles: Sequence[str], chosen: int, facts: Sequence[tuple[str, str]]) -> None:
        """Shows tabs, the chosen one underlined, and facts as styled pieces."""
        self._titles, self._chosen, self._facts = titles, chosen, facts
        self.refresh()

    def places(self) -> list[tuple[int, int]]:
        """Where each tab begins and ends."""
        at = len(self._label)
        places = []
        for title in self._names():
            places.append((at, at + len(title)))
            at += len(title) + 1
        return places

    @property
    def _label(self) -> str:
        """Our name, where there is room for it."""
        wanted = sum(len(name) + 1 for name in self._names()) + len(LABEL)
        facts = sum(columns_of(text) for text, _ in self._facts)
        return LABEL if wanted + facts + 1 <= self.size.width else " "

    def _names(self) -> list[str]:
        """Numbers with names; where there is little room, only the chosen one has its name."""
        names = [f"{number} {title}" for number, title in enumerate(self._titles, 1)]
        if sum(map(len, names)) + len(names) + 2 <= self.size.width:
            return names
        return [name if place == self._chosen else _shortened(name) for place, name in enumerate(names)]

    def render_line(self, y: int) -> Strip:
        """Tabs and facts, or the line below."""
        return (self._tabs() if y == 0 else self._line()).adjust_cell_length(self.size.width)

    def _tabs(self) -> Strip:
        cells = [Segment(self._label, STYLES["bold"])]
        for place, name in enumerate(self._names()):
            cells.append(Segment(name, STYLES["bold" if place == self._chosen else ""]))
            cells.append(Segment(" "))
        left = Strip(cells)
        room = self.size.width - left.cell_length - 1
        facts = list(self._facts)
        while facts and sum(columns_of(text) for text, _ in facts) > room:
            facts.pop(1 if len(facts) > 1 else 0)
        used = sum(columns_of(text) for text, _ in facts)
        blank = Segment(" " * max(self.size.width - left.cell_length - used - 1, 0))
        return Strip([*left, blank, *(Segment(text, STYLES[style]) for text, style in facts)])

    def _line(self) -> Strip:
        places = self.places()
        start, end = places[self._chosen] if self._chosen < len(places) else (0, 0)
        width = self.size.width
        signs = self._signs
        return Strip(
            [
                Segment(signs.line * start, STYLES["dim"]),
                Segment(signs.thick * (end - start), STYLES["name"]),
                Segment(signs.line * max(width - end, 0), STYLES["dim"]),
            ]
        )

    def on_click(self, event: events.Click) -> None:
        """Chooses the tab that was clicked."""
        for number, (start, end) in enumerate(self.places()):
            if event.y == 0 and start <= event.x < end:
                self.post_message(self.Clicked(number))


def _shortened(name: str) -> str:
    """ "6(2)" of "6 Alerts(2)": the number, and how many there are."""
    number, _, title = name.partition(" ")
    return number + title[title.index("(") :] if "(" in title else number
