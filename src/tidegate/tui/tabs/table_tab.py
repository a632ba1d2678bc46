"""A tab that is one table, with a word in its place when it is empty."""

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from tidegate.tui.look import Signs
from tidegate.tui.tabs.spec import Spec
from tidegate.tui.views.view import Scene, View
from tidegate.tui.widgets.line_table import LineTable
from tidegate.tui.widgets.lines import Lines


class TableTab(Vertical):
    """A table and what it shows."""

    DEFAULT_CSS = """
    TableTab { background: ansi_default; }
    TableTab Lines { display: none; }
    TableTab.empty Lines { display: block; }
    """

    def __init__(self, spec: Spec, signs: Signs) -> None:
        super().__init__(id=spec.title.lower())
        self.spec = spec
        self.view: View = spec.view()
        self.rows: Sequence[Any] = ()
        self._signs = signs

    def compose(self) -> ComposeResult:
        """The words above, the table below."""
        yield Lines()
        table = LineTable(self.spec.identity, signs=self._signs)
        table.dimmed = self.spec.dimmed
        yield table

    def become(self, spec: Spec, view: View) -> None:
        """Shows something else from the next picture on."""
        self.spec, self.view, self.rows = spec, view, ()
        self.table.become(spec.identity)
        self.table.dimmed = spec.dimmed

    @property
    def table(self) -> LineTable:
        """The table."""
        return self.query_one(LineTable)

    def draw(self, scene: Scene, empty: str) -> None:
        """Shows the scene; `empty` is said if there is nothing in it."""
        self.rows = self.spec.rows(scene, self.view)
        table = self.table
        table.sorted = (self.view.sort, self.view.descending) if self.view.sort else None
        table.show(self.spec.columns(scene), self.rows)
        self.set_class(not self.rows, "empty")
        self.query_one(Lines).show([[(f" {empty}", "warn")]] if not self.rows else [])
