"""What Enter opens: details of a row on a sheet, or what is behind it on another tab."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidegate.model.errors import UsageError
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.conn import Conn
from tidegate.tui.board.desk import Quiet
from tidegate.tui.board.parties import Family, Host, Program
from tidegate.tui.board.relays import Service, Session
from tidegate.tui.board.web import Site
from tidegate.tui.cells import shown
from tidegate.tui.dialogs.sheet import Sheet
from tidegate.tui.tabs.spec import CONNS, HTTP, TABS
from tidegate.tui.views import conns, details, evidence, sessions
from tidegate.tui.views.now import Section

if TYPE_CHECKING:
    from tidegate.tui.screen import WatchScreen


def open_row(screen: "WatchScreen", row: Any) -> None:
    """Opens a row of any table; one that says all it knows stays shut."""
    if isinstance(row, Conn | Session | Alert | Quiet):
        screen.push_screen(_sheet(screen, row))
    elif isinstance(row, Service):
        screen.relay_keys.enter(row)
    elif isinstance(row, Family | Program | Host | Site):
        _filtered(screen, CONNS.title, conns.behind(row))
    elif isinstance(row, Section):
        _filtered(screen, HTTP.title, conns.of_section(row.name))


def _sheet(screen: "WatchScreen", row: Conn | Session | Alert | Quiet) -> Sheet:
    if isinstance(row, Conn):
        return Sheet(
            f"Connection {shown(row.uid)}", lambda width: details.conn_lines(screen.scene, row, width)
        )
    if isinstance(row, Session):
        title = f"Connection {shown(row['connection_id'])} of {shown(row['service'])}"
        return Sheet(title, lambda width: sessions.session_lines(screen.scene, row, width))
    title = "Alert" if isinstance(row, Alert) else row.kind.capitalize()
    found = evidence.behind(screen.scene, row, screen.controls.rules) if isinstance(row, Alert) else None
    return Sheet(title, lambda width: details.alert_lines(screen.scene, row, width, found))


def _filtered(screen: "WatchScreen", title: str, text: str) -> None:
    """Shows a tab with a filter."""
    tab = screen.frame.table_tab(title)
    try:
        tab.view = replace(tab.view, filter=tab.spec.parse(text), closed=True)
    except UsageError as error:
        screen.say(shown(str(error)), "warn")
        return
    screen.action_tab(TABS.index(title))
