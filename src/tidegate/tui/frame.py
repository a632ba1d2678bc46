"""What stands where: the bar of tabs, a notice, the tab that is shown, a prompt, the keys."""

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from tidegate.model.config import RuleSettings
from tidegate.tui.cells import shown
from tidegate.tui.look import Signs
from tidegate.tui.tabs.now_tab import SMALL, NowTab
from tidegate.tui.tabs.spec import TABLES, TABS
from tidegate.tui.tabs.table_tab import TableTab
from tidegate.tui.views import help as help_view
from tidegate.tui.views import notices, records
from tidegate.tui.views.facts import facts, titles
from tidegate.tui.views.view import Scene
from tidegate.tui.widgets.lines import Lines
from tidegate.tui.widgets.prompt import Prompt
from tidegate.tui.widgets.top_bar import TopBar

SMALLEST = (30, 6)
SAID = 6.0
"""Seconds that an answer to a key stands."""


class Frame(Vertical):
    """Everything but sheets."""

    DEFAULT_CSS = """
    Frame { background: ansi_default; }
    Frame #tabs { height: 1fr; }
    Frame #notice, Frame #keys { height: 1; }
    Frame.quiet #notice { display: none; }
    Frame.small TopBar { height: 1; }
    Frame #too-small { display: none; }
    Frame.tiny #too-small { display: block; }
    Frame.tiny #tabs, Frame.tiny TopBar, Frame.tiny #notice, Frame.tiny #keys { display: none; }
    """

    def __init__(self, rules: tuple[RuleSettings, ...], signs: Signs) -> None:
        """`rules` are those whose counts the first tab shows."""
        super().__init__()
        self._rules = rules
        self._signs = signs
        self._answer: tuple[str, str, float] | None = None

    def compose(self) -> ComposeResult:
        """Top, a notice, the tabs, a prompt, the keys."""
        yield from (TopBar(self._signs), Lines(id="notice"), Lines(id="too-small"))
        with ContentSwitcher(initial="now", id="tabs"):
            yield NowTab(self._rules, self._signs)
            for spec in TABLES:
                yield TableTab(spec, self._signs)
        yield Prompt()
        yield Lines(id="keys")

    @property
    def number(self) -> int:
        """The place of the tab that is shown, from 0."""
        chosen = self.query_one("#tabs", ContentSwitcher).current
        return next(place for place, name in enumerate(TABS) if name.lower() == chosen)

    @property
    def tab(self) -> NowTab | TableTab:
        """The tab that is shown."""
        title = TABS[self.number]
        return self.query_one(NowTab) if title == "Now" else self.table_tab(title)

    @property
    def shows(self) -> str:
        """What the help calls that which is shown."""
        tab = self.tab
        return tab.spec.title if isinstance(tab, TableTab) else TABS[self.number]

    def table_tab(self, title: str) -> TableTab:
        """A tab with a table, shown or not."""
        return self.query_one(f"#{title.lower()}", TableTab)

    @property
    def prompt(self) -> Prompt:
        """The line in which the user writes."""
        return self.query_one(Prompt)

    def choose(self, number: int) -> None:
        """Shows a tab."""
        self.query_one("#tabs", ContentSwitcher).current = TABS[number].lower()

    def say(self, text: str, style: str) -> None:
        """Answers a key; it stands for a while from the next picture on."""
        self._answer = (text, style, time.monotonic() + SAID)

    def draw(self, scene: Scene, situation: notices.Situation, paused: bool, interface: str | None) -> None:
        """Draws what is in view."""
        width, height = self.app.size
        tiny = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(tiny, "tiny")
        self.set_class(width < SMALL[0] or height < SMALL[1], "small")
        if tiny:
            words = f"too small: {SMALLEST[0]}x{SMALLEST[1]} at least"
            self.query_one("#too-small", Lines).show([[(words, "warn")]])
            return
        tab = self.tab
        if isinstance(tab, NowTab):
            tab.draw(scene)
        else:
            view, spec = tab.view, tab.spec
            hidden = spec.count(scene.board, view)
            empty = notices.empty(spec.title, scene.board, hidden, view, situation)
            tab.draw(scene, scene.look.signs.plain(empty))
        pieces = facts(scene, situation, paused, interface)
        self.query_one(TopBar).show(titles(scene, list(TABS)), self.number, pieces)
        self._draw_words(scene, situation)

    def _draw_words(self, scene: Scene, situation: notices.Situation) -> None:
        """The notice, and the keys."""
        said: tuple[str, str] | None = None
        if self._answer and time.monotonic() < self._answer[2]:
            said = self._answer[:2]
        said = said or notices.notice(scene.board, situation) or self._filtered(scene)
        self.set_class(said is None, "quiet")
        plain = scene.look.signs.plain
        self.query_one("#notice", Lines).show([[(f" {plain(said[0])}", said[1])]] if said else [[]])
        line = help_view.keys(self.shows, scene.look.signs, self.app.size.width)
        self.query_one("#keys", Lines).show([line])

    def _filtered(self, scene: Scene) -> tuple[str, str] | None:
        tab = self.tab
        if isinstance(tab, TableTab) and tab.view.filter.words:
            count = sum(1 for row in tab.rows if records.is_record(row))
            every = tab.spec.count(scene.board, tab.view)
            return f"filter {shown(tab.view.filter.text)}: {count:,} of {every:,}", "name"
        if isinstance(tab, TableTab) and tab.view.service is not None:
            return f"connections of {shown(tab.view.service)}; Esc leads back to the services", "name"
        return None
