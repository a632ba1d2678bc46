"""What keys do on the tab of alerts: acknowledge, mute, silence, end a mute or silence."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tidegate.model.errors import UsageError
from tidegate.tui import acting
from tidegate.tui.acting import Deed
from tidegate.tui.board.alarms import Alert
from tidegate.tui.cells import shown
from tidegate.tui.tabs.spec import ALERTS, TABS

if TYPE_CHECKING:
    from tidegate.tui.screen import WatchScreen


class AlertKeys:
    """Acts on the row under the cursor, where that is the tab of alerts."""

    def __init__(self, screen: "WatchScreen") -> None:
        self._screen = screen

    @property
    def here(self) -> bool:
        """Whether that tab is shown."""
        return TABS[self._screen.frame.number] == ALERTS.title

    def acknowledge(self) -> None:
        """Says that somebody looks after an alert."""
        self._act(lambda row: acting.acknowledge(row, self._who) if isinstance(row, Alert) else None)

    def mute(self) -> None:
        """Mutes the rule of an alert for an hour."""
        self._act(lambda row: acting.mute(row) if isinstance(row, Alert) else None)

    def end_quiet(self) -> None:
        """Ends a mute or silence."""
        self._act(lambda row: acting.end(row, self._screen.board))

    def silence(self) -> None:
        """Asks whom to silence."""
        screen = self._screen
        if not self.here:
            return
        alert = screen.row if isinstance(screen.row, Alert) else None

        def take(text: str) -> None:
            said = acting.act(screen.controls, screen.board, acting.silence(text, self._who, alert))
            screen.let_go()
            screen.say(said)

        try:
            acting.allowed(screen.controls)
        except UsageError as error:
            screen.say(str(error), "warn")
            return
        text = acting.suggested(alert)
        screen.frame.prompt.ask("silence", acting.HINT, text, take, acting.checked, leave=screen.let_go)

    @property
    def _who(self) -> str:
        return self._screen.controls.who or "screen"

    def _act(self, choose: Callable[[Any], Deed | None]) -> None:
        """Does what is chosen for the row under the cursor, and says what came of it."""
        screen = self._screen
        if not self.here or (row := screen.row) is None:
            return
        try:
            if deed := choose(row):
                screen.say(acting.act(screen.controls, screen.board, deed))
        except UsageError as error:
            screen.say(shown(str(error)), "warn")
