"""The screen: what keys do to the tabs over a board that a feed fills."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.filter import LineFilter

from tidegate.model.filter import EVERYTHING
from tidegate.tui import export, opening
from tidegate.tui.alert_keys import AlertKeys
from tidegate.tui.board.board import Board
from tidegate.tui.cells import shown
from tidegate.tui.controls import Controls
from tidegate.tui.dialogs.sheet import Sheet
from tidegate.tui.feeds.feed import Feed
from tidegate.tui.frame import Frame
from tidegate.tui.keyboard import patient
from tidegate.tui.keys import keys
from tidegate.tui.look import Look
from tidegate.tui.relay_keys import RelayKeys
from tidegate.tui.tabs.now_tab import NowTab
from tidegate.tui.tabs.spec import CONNS, PROGRAMS, TABS
from tidegate.tui.tabs.table_tab import TableTab
from tidegate.tui.views import help as help_view
from tidegate.tui.views import notices, records
from tidegate.tui.views.view import Scene
from tidegate.tui.widgets.ascii_only import AsciiOnly
from tidegate.tui.widgets.line_table import LineTable
from tidegate.tui.widgets.top_bar import TopBar

REFRESH = 1.0
"""Seconds between two pictures."""

AT_ONCE = 20_000
"""Rows that are taken between two pictures; the rest soon after, so that keys are heard in between."""

TWICE = 5.0
"""Seconds in which leaving must be asked for again while recording."""


class WatchScreen(App[None]):
    """Shows a board. It ends by a key, a signal, or with its feed."""

    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = keys(len(TABS))

    def __init__(self, feed: Feed, controls: Controls | None = None, look: Look | None = None) -> None:
        """`feed` is started by who made it."""
        super().__init__(ansi_color=True)
        self.feed = feed
        self.controls = controls or Controls()
        self.look = look or Look()
        self._plain = [AsciiOnly()] if self.look.signs.ascii else []
        window = next((rule.window for rule in self.controls.rules if rule.metric.startswith("http_")), 120)
        self.board = Board(self.controls.local, messages_span=int(window))
        self._frozen: Board | None = None
        self._interface: str | None = None
        self._began = time.time_ns()
        self._stopped = 0
        self._leaving = float("-inf")
        self._left = False
        self._running_loop: asyncio.AbstractEventLoop | None = None
        self.alert_keys, self.relay_keys = AlertKeys(self), RelayKeys(self)

    def panic(self, *renderables: RenderableType) -> None:
        """Ends by an error; of one in the thread that reads keys Textual itself keeps no exit code."""
        self.exit(return_code=1)
        super().panic(*renderables)

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, that no bytes from the keyboard can end."""
        return patient(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and after them what a terminal of plain characters needs."""
        return [*super().get_line_filters(), *self._plain]

    def compose(self) -> ComposeResult:
        """The frame; sheets come over it."""
        yield Frame(self.controls.rules, self.look.signs)

    def on_mount(self) -> None:
        """Begins to look."""
        self._running_loop = asyncio.get_running_loop()
        if self._left:
            self.exit()
        self.set_interval(REFRESH, self.tick)
        self.set_timer(REFRESH / 5, self.tick)

    def on_resize(self) -> None:
        """Draws for the new size."""
        self.call_after_refresh(self.draw)

    @property
    def scene(self) -> Scene:
        """What is drawn."""
        return Scene(self._frozen or self.board, self.look, self.controls.alive)

    @property
    def situation(self) -> notices.Situation:
        """How the feed stands."""
        feed = self.feed
        return notices.Situation(
            kind=feed.kind, title=feed.title, began=self._began, wall=time.time_ns(), ended=self._stopped > 0,
            error=str(feed.error or "") if self._stopped else "", silent=feed.silent, filter=feed.filter,
            attribution=self.controls.attribution(), ended_at=self._stopped, writer=feed.writer,
        )  # fmt: skip

    def tick(self) -> None:
        """Takes what came, and draws."""
        ended = self.feed.ended
        taken = self.feed.inbox.pour(self.board, AT_ONCE)
        self.board.tick(self.feed.clock())
        if taken >= AT_ONCE:
            self.set_timer(0.02, self.tick)
        elif ended:
            self._stopped = self._stopped or time.time_ns()
            if not self.feed.endless and self.feed.error is None:
                self.exit()
        self.draw()

    def draw(self) -> None:
        """Draws everything that is in view; on the way out, what is still there."""
        if self.screen_stack:
            with suppress(NoMatches):
                self._draw()

    def _draw(self) -> None:
        self.feed.inbox.wants_sessions = self.relay_keys.here  # they are asked for only while they are seen
        self.frame.draw(self.scene, self.situation, self._frozen is not None, self._interface)
        if isinstance(self.screen, Sheet) and self._frozen is None:
            self.screen.draw()

    @property
    def frame(self) -> Frame:
        """All that stands under the sheets."""
        return self.screen_stack[0].query_one(Frame)

    def say(self, text: str, style: str = "name") -> None:
        """Answers a key."""
        self.frame.say(text, style)
        self.draw()

    # --- tabs ---

    def action_tab(self, number: int) -> None:
        """Shows a tab."""
        if self.frame.prompt.is_open or isinstance(self.screen, Sheet):
            return
        self.frame.choose(number)
        self.let_go()
        self.call_after_refresh(self.draw)

    def action_step(self, by: int) -> None:
        """Shows the next tab, or the one before."""
        self.action_tab((self.frame.number + by) % len(TABS))

    def action_pane(self, by: int) -> None:
        """The next table of the first tab, or the one before; from the last one on the next tab."""
        tab, busy = self.frame.tab, self.frame.prompt.is_open or isinstance(self.screen, Sheet)
        if not busy and isinstance(tab, NowTab) and tab.step(by):
            self.draw()
        else:
            self.action_step(by)

    def on_top_bar_clicked(self, event: TopBar.Clicked) -> None:
        """Shows the tab that was clicked."""
        self.action_tab(event.tab)

    def let_go(self) -> None:
        """Takes the keys from the prompt."""
        self.screen_stack[0].set_focus(None)

    # --- what is shown, and how ---

    def action_filter(self) -> None:
        """Asks for a filter; on the first tab, for one of connections."""
        if not isinstance(self.frame.tab, TableTab):
            self.action_tab(1)
        tab = self.frame.tab
        if not isinstance(tab, TableTab):
            return

        def take(text: str) -> None:
            tab.view = replace(tab.view, filter=tab.spec.parse(text))
            self.let_go()
            self.draw()

        hint = "prog:firefox -net:10.0.0.0/8 port:>1024 state:S0"
        self.frame.prompt.ask("filter /", hint, tab.view.filter.text, take, tab.spec.parse, self.action_clear)

    def action_clear(self) -> None:
        """Shows all rows again; where no filter hides any, what was before this table."""
        tab = self.frame.tab
        if self.relay_keys.inside and isinstance(tab, TableTab) and not tab.view.filter.words:
            self.relay_keys.back()
        elif isinstance(tab, TableTab):
            tab.view = replace(tab.view, filter=EVERYTHING)
        self.let_go()
        self.draw()

    def action_sort(self) -> None:
        """Sorts by the next column."""
        if isinstance(tab := self.frame.tab, TableTab):
            tab.view = tab.view.next_sort(tab.spec.columns(self.scene))
            self.draw()

    def action_turn(self) -> None:
        """Turns the order round."""
        if isinstance(tab := self.frame.tab, TableTab):
            tab.view = replace(tab.view, descending=not tab.view.descending)
            self.draw()

    def action_pause(self) -> None:
        """Stands still, or goes on; rows are taken meanwhile."""
        self._frozen = None if self._frozen else self.board.frozen()
        self.draw()

    def action_units(self) -> None:
        """Bytes or bits."""
        self.look = replace(self.look, bits=not self.look.bits)
        self.draw()

    def action_names(self) -> None:
        """Names or addresses."""
        self.look = replace(self.look, names=not self.look.names)
        self.draw()

    def action_closed(self) -> None:
        """Connections that are over, or not."""
        tab = self.frame.table_tab(CONNS.title)
        tab.view = replace(tab.view, closed=not tab.view.closed)
        self.say(
            "connections that are over are shown" if tab.view.closed else "only open connections are shown"
        )

    def action_interface(self) -> None:
        """One interface after the other, then all."""
        names: list[str | None] = [None, *sorted(one.name for one in self.board.interfaces if one.total)]
        place = names.index(self._interface) if self._interface in names else 0
        self._interface = names[(place + 1) % len(names)]
        tab = self.frame.table_tab(CONNS.title)
        tab.view = replace(tab.view, interface=self._interface)
        self.say(f"connections of {shown(self._interface or 'all interfaces')}")

    # --- the row under the cursor ---

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        if table := self._table:
            table.move(by)

    def action_page(self, by: int) -> None:
        """Moves it by a screenful."""
        if table := self._table:
            table.page(by)

    def action_edge(self, last: int) -> None:
        """Moves it to the first or last row."""
        if table := self._table:
            table.edge(last)

    def action_choose(self) -> None:
        """Opens the row."""
        if table := self._table:
            table.choose()

    @property
    def row(self) -> Any | None:
        """The row under the cursor."""
        return table.row if (table := self._table) else None

    @property
    def _table(self) -> LineTable | None:
        """The table that the cursor is in."""
        return self.frame.tab.table

    def on_line_table_chosen(self, event: LineTable.Chosen) -> None:
        """Opens a row: details, or what is behind it."""
        opening.open_row(self, event.row)

    def action_copy(self) -> None:
        """Puts the row on the clipboard of the terminal."""
        tab, row = self.frame.tab, self.row
        if not isinstance(tab, TableTab) or row is None:
            return
        cells = [column.cell(row)[0].strip() for column in tab.spec.columns(self.scene)]
        self.copy_to_clipboard("\t".join(cells))
        self.say("copied, if this terminal allows it (OSC 52)")

    def action_export(self) -> None:
        """Asks for a file's name and writes what is shown."""
        tab = self.frame.tab
        if not isinstance(tab, TableTab):
            self.say("choose a tab with a table (2-8) to export it", "warn")
            return
        rows: Sequence[Any] = [row for row in tab.rows if records.is_record(row)]

        def take(name: str) -> None:
            path = Path(name.strip()).expanduser()
            count = export.write(path, tab.spec.fields, map(tab.spec.record, rows))
            self.let_go()
            self.say(f"wrote {count:,} {'row' if count == 1 else 'rows'} to {shown(str(path.absolute()))}")

        name = export.suggested(tab.spec.title)
        self.frame.prompt.ask("export to", "a file's name: .csv or .jsonl", name, take, leave=self.let_go)

    # --- alerts and the relay ---

    def action_group_or_acknowledge(self) -> None:
        """Alerts: acknowledges one. Elsewhere: rows together by program, or not."""
        tab = self.frame.tab
        if self.alert_keys.here:
            self.alert_keys.acknowledge()
            return
        if not isinstance(tab, TableTab) or tab.spec not in (CONNS, PROGRAMS):
            tab = self.frame.table_tab(CONNS.title)
        tab.view = replace(tab.view, grouped=not tab.view.grouped)
        what = "programs" if tab.spec is PROGRAMS else "connections"
        ways = ("by name", "one by one") if tab.spec is PROGRAMS else ("by program", "one by one")
        self.say(f"{what} {ways[not tab.view.grouped]}")

    def action_mute(self) -> None:
        """Mutes the rule of an alert for an hour."""
        self.alert_keys.mute()

    def action_end_quiet(self) -> None:
        """Ends a mute or silence."""
        self.alert_keys.end_quiet()

    def action_silence(self) -> None:
        """Asks whom to silence."""
        self.alert_keys.silence()

    def action_up_or_kill(self) -> None:
        """Connections of the relay: asks whether to end one. Elsewhere: the cursor goes up."""
        if self.relay_keys.inside:
            self.relay_keys.kill()
        else:
            self.action_move(-1)

    def action_units_or_release(self) -> None:
        """A rejected address of the relay: lets it in again. Elsewhere: bytes or bits."""
        if not self.relay_keys.release():
            self.action_units()

    def action_reject(self) -> None:
        """Relays: asks which address to reject."""
        if self.relay_keys.here:
            self.relay_keys.reject()

    # --- help and leaving ---

    def action_help(self) -> None:
        """Shows the keys of this tab."""
        tab = self.frame.shows
        self.push_screen(Sheet(f"Help: {tab}", lambda width: help_view.lines(tab, self.look.signs, width)))

    def action_leave(self) -> None:
        """Ends; while recording only when asked twice."""
        now = time.monotonic()
        if self.controls.recording and now - self._leaving > TWICE:
            self._leaving = now
            self.say("packets are being recorded: q again ends watch and recording", "warn")
            return
        self.exit()

    def leave_soon(self) -> None:
        """Ends as soon as possible; from a signal handler, also before it has begun."""
        self._left = True
        if self._running_loop is not None:
            self._running_loop.call_soon_threadsafe(self.exit)
