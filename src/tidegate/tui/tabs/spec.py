"""What the tabs with one table are: an explicit list."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.model.errors import UsageError
from tidegate.model.filter import Filter, parse_filter
from tidegate.tui.board.board import Board
from tidegate.tui.board.relays import CELLS
from tidegate.tui.views import alerts, conns, hosts, log, programs, records, relays, sessions, web
from tidegate.tui.views.view import Scene, View, known_by
from tidegate.tui.widgets.column import Column


@dataclass(frozen=True)
class Spec:
    """One tab with a table."""

    title: str
    rows: Callable[[Scene, View], Sequence[Any]]
    columns: Callable[[Scene], list[Column]]
    identity: Callable[[Any], Hashable]
    names: frozenset[str]
    """Columns a filter can look at."""
    count: Callable[[Board, View], int]
    """How many rows there are without a filter."""
    fields: tuple[str, ...]
    """Columns of an export."""
    record: Callable[[Any], dict[str, Any]]
    sort: str = ""
    descending: bool = True
    dimmed: Callable[[Any], bool] = lambda _row: False
    grouped: bool = False

    def view(self) -> View:
        """How it looks at first."""
        return View(sort=self.sort, descending=self.descending, grouped=self.grouped)

    def parse(self, text: str) -> Filter:
        """A filter for this table; raises UsageError."""
        filter = parse_filter(text.strip())
        if word := known_by(filter, self.names):
            raise UsageError(f'filter: nothing in {self.title} has what "{word}" asks for')
        return filter


CONNS = Spec(
    "Conns", conns.rows, conns.columns, conns.identity, frozenset(records.CONN),
    lambda board, _view: len(board.connections), records.CONN, records.conn, "Total", dimmed=conns.dimmed,
)  # fmt: skip
PROGRAMS = Spec(
    "Programs", programs.rows, programs.columns, programs.identity, programs.NAMES,
    lambda board, _view: len(board.programs), records.PROGRAM_NAMES, records.program, "60 s", grouped=True,
)  # fmt: skip
HOSTS = Spec(
    "Hosts", hosts.rows, hosts.columns, hosts.identity, hosts.NAMES,
    lambda board, _view: len(board.hosts), records.HOST_NAMES, records.host, "Total",
)  # fmt: skip
HTTP = Spec(
    "HTTP", web.rows, web.columns, web.identity, web.NAMES,
    lambda board, _view: len(board.web.sites), records.SITE_NAMES, records.site, "60 s",
)  # fmt: skip
RELAYS = Spec(
    "Relays", relays.rows, relays.columns, relays.identity, relays.NAMES,
    lambda board, _view: len(board.relays.services), relays.FIELDS, relays.record, dimmed=relays.dimmed,
)  # fmt: skip
SESSIONS = Spec(
    "Relayed", sessions.rows, sessions.columns, sessions.identity, sessions.NAMES,
    lambda board, view: len(board.relays.of(view.service or "")), CELLS, sessions.record,
    dimmed=sessions.dimmed,
)  # fmt: skip
"""What the tab of the relay shows of a service."""

ALERTS = Spec(
    "Alerts", alerts.rows, alerts.columns, alerts.identity, alerts.NAMES,
    lambda board, _view: len(board.alerts.known), records.ALERT_NAMES, records.alert,
    dimmed=alerts.dimmed,
)  # fmt: skip
LOG = Spec(
    "Log", log.rows, log.columns, log.identity, log.NAMES,
    lambda board, _view: len(board.lines), records.LINE_NAMES, records.line,
)  # fmt: skip

TABLES = (CONNS, PROGRAMS, HOSTS, HTTP, RELAYS, ALERTS, LOG)
"""The tabs with a table, in their order behind Now."""

TABS = ("Now", *(spec.title for spec in TABLES))
"""The titles of all tabs in their order."""
