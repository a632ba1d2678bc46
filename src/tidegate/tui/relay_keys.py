"""What keys do on the tab of the relay: into a service and back; end a connection, reject an address."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tidegate.model.ends import parse_address
from tidegate.model.errors import TidegateError, UsageError
from tidegate.tui.board.carrier import Aside
from tidegate.tui.board.relays import Service, Session
from tidegate.tui.cells import shown
from tidegate.tui.controls import RelayControls
from tidegate.tui.tabs.spec import RELAYS, SESSIONS, TABS
from tidegate.tui.tabs.table_tab import TableTab
from tidegate.tui.views.view import View

if TYPE_CHECKING:
    from tidegate.tui.screen import WatchScreen


class RelayKeys:
    """Acts on the row under the cursor, where that is the tab of the relay."""

    def __init__(self, screen: "WatchScreen") -> None:
        self._screen = screen
        self._before = View()

    @property
    def here(self) -> bool:
        """Whether that tab is shown."""
        return TABS[self._screen.frame.number] == RELAYS.title

    @property
    def inside(self) -> bool:
        """Whether it shows the connections of a service."""
        return self.here and self._tab.spec is SESSIONS

    def enter(self, service: Service) -> None:
        """Shows the connections of a service."""
        self._before = self._tab.view
        self._tab.become(SESSIONS, View(service=service.name))
        self._screen.draw()

    def back(self) -> None:
        """Shows the services again."""
        self._tab.become(RELAYS, self._before)
        self._screen.draw()

    def kill(self) -> None:
        """Asks whether to end the connection of the row."""
        row = self._screen.row
        if not isinstance(row, Session) or row.closed or row["connection_id"] is None:
            self._screen.say("only a connection that is open can be ended", "warn")
            return
        self._ask(
            "end connection",
            "the number of a connection",
            str(row["connection_id"]),
            _number,
            lambda number: self._do("relay_kill", f"connection {number} is ended", connection=number),
        )

    def reject(self) -> None:
        """Asks which address to reject: that of the row, unless another one is written."""
        row = self._screen.row
        address = str(row["client_ip"]) if isinstance(row, Session) else ""

        def done(ip: str) -> str:
            return self._do("relay_reject", f"{ip} is rejected, its connections are ended", address=ip)

        self._ask("reject", "an address", address, parse_address, done)

    def release(self) -> bool:
        """Asks whether to let the address of the row in again; False if it is not rejected."""
        row = self._screen.row
        address = row.what if isinstance(row, Aside) and row.kind == "rejected" else ""
        if isinstance(row, Session) and self._screen.board.relays.rejected(row["client_ip"] or ""):
            address = str(row["client_ip"])

        def done(ip: str) -> str:
            return self._do("relay_release", f"{ip} is let in again", address=ip)

        if self.here and address:
            self._ask("let in again", "an address", address, parse_address, done)
        return self.here and bool(address)

    @property
    def _tab(self) -> TableTab:
        return self._screen.frame.table_tab(RELAYS.title)

    def _ask(
        self, label: str, hint: str, text: str, check: Callable[[str], Any], done: Callable[[Any], str]
    ) -> None:
        """Enter does it, Esc does nothing."""
        screen = self._screen
        try:
            self._allowed()
        except UsageError as error:
            screen.say(str(error), "warn")
            return

        def take(written: str) -> None:
            said = done(check(written.strip()))
            screen.let_go()
            screen.say(said)

        def checked(written: str) -> None:
            check(written.strip())

        words = f"{label} (Enter does it, Esc leaves it)"
        screen.frame.prompt.ask(words, hint, shown(text), take, checked, screen.let_go)

    def _do(self, word: str, said: str, **given: Any) -> str:
        """Does it, and looks what came of it."""
        relay, board = self._allowed(), self._screen.board
        try:
            relay.do(word, **given)
            board.relays.settle(relay.look(True), time.time_ns())
        except (TidegateError, OSError) as error:
            raise UsageError(f"not done: {shown(str(error))}") from None
        board.say(time.time_ns(), "info", f"relay: {said}")
        return said

    def _allowed(self) -> RelayControls:
        """By what the relay is acted on; raises UsageError if it cannot be."""
        controls = self._screen.controls
        if controls.relay is None:
            raise UsageError("not here: a capture that is played relays nothing")
        if not self._screen.board.relays.running:
            raise UsageError("no relay answers: nothing can be ended or rejected")
        return controls.relay


def _number(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f'"{text}" is no number of a connection')
    return int(text)
