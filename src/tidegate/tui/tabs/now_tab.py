"""The first tab: everything at a glance."""

from collections.abc import Hashable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tidegate.model.config import RuleSettings
from tidegate.tui.board.parties import Family, Host
from tidegate.tui.cells import shown
from tidegate.tui.look import Signs, clock
from tidegate.tui.views import now
from tidegate.tui.views.view import Scene
from tidegate.tui.widgets.line_table import LineTable
from tidegate.tui.widgets.lines import Lines

SMALL = (80, 20)
MOST_BARS = 4
"""Rules whose counts are shown, on terminals that have room for them."""

HISTORY, LONG_HISTORY = 4, 10
"""Lines of what happened last, on terminals that have room for them, or plenty."""


PANES = ("programs", "hosts", "sections")


def _identity(row: Family | Host | now.Section) -> Hashable:
    return row.ip if isinstance(row, Host) else row.name


class NowTab(Vertical):
    """Rates, alerts, interfaces; the top programs, hosts and sections; what happened last."""

    DEFAULT_CSS = """
    NowTab { background: ansi_default; }
    NowTab Horizontal { height: 1fr; margin-top: 1; }
    NowTab #programs-top { width: 5fr; }
    NowTab #hosts-top { width: 5fr; }
    NowTab #sections-top { width: 3fr; }
    NowTab.small Horizontal { margin-top: 0; }
    NowTab.small #hosts-top, NowTab.small #sections-top { display: none; }
    NowTab.small #happened { display: none; }
    NowTab.narrow #sections-top { display: none; }
    """

    def __init__(self, rules: tuple[RuleSettings, ...], signs: Signs) -> None:
        super().__init__(id="now")
        self._rules = rules
        self._signs = signs
        self._pane = 0
        """The table that the cursor is in, from 1; 0: none."""

    def compose(self) -> ComposeResult:
        """Lines, three tables, lines."""
        yield Lines(id="head")
        with Horizontal():
            for name in PANES:
                yield LineTable(_identity, id=f"{name}-top", still=True, signs=self._signs)
        yield Lines(id="happened")

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        width, height = self.size.width, self.size.height
        small = width < SMALL[0] or height < SMALL[1] - 4
        self.set_class(small, "small")
        self.set_class(width < 90, "narrow")
        if small:
            head = now.small_head(scene, self._rules, width, height)
        else:
            more = height > 20
            head = now.head(scene, self._rules, width, 4 if more else 2, bars=MOST_BARS if more else 2)
        self.query_one("#head", Lines).show(head)
        most = max(height, 1)
        self._table("programs").show(now.program_columns(scene), now.top_programs(scene, most))
        if not small:
            self._table("hosts").show(now.host_columns(scene), now.top_hosts(scene, most))
            self._table("sections").show(now.section_columns(scene), now.top_sections(scene, most))
            self._happened(scene, LONG_HISTORY if height > 38 else HISTORY if height > 22 else 0)

    @property
    def table(self) -> LineTable | None:
        """The table that the cursor is in."""
        return self._table(PANES[self._pane - 1]) if self._pane else None

    def step(self, by: int) -> bool:
        """Takes the cursor to the next table, the one before, or none; False where there is none further."""
        shown = 1 if self.has_class("small") else 2 if self.has_class("narrow") else len(PANES)
        there = 0 <= self._pane + by <= shown
        self._pane = self._pane + by if there else 0
        for number, name in enumerate(PANES, 1):
            self._table(name).active = number == self._pane
        return there

    def _table(self, name: str) -> LineTable:
        return self.query_one(f"#{name}-top", LineTable)

    def _happened(self, scene: Scene, most: int) -> None:
        last = list(scene.board.lines)[-most:] if most else []
        styles = {"warning": "warn", "error": "bad"}
        lines = [
            [(f" {clock(line.ts)} ", "dim"), (shown(line.text), styles.get(line.level, ""))]
            for line in reversed(last)
        ]
        self.query_one("#happened", Lines).show(lines)
