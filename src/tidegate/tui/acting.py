"""Acting on an alert by what the rest of the program lent the screen, and what is said about it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tidegate.model.errors import TidegateError
from tidegate.tui.board.alarms import Alert
from tidegate.tui.cells import shown
from tidegate.tui.controls import DAY, HOUR, AlertControls, Controls
from tidegate.tui.look import clock


@dataclass(frozen=True)
class Deed:
    """Something that can be done about an alert."""

    done: str
    """How it is called when it is done."""
    do: Callable[[AlertControls, Alert, str], object]
    """With who does it."""


def _acknowledge(alerts: AlertControls, alert: Alert, who: str) -> None:
    alerts.acknowledge(alert.alert_id, who)
    alert.acknowledged = who


ACKNOWLEDGE = Deed("acknowledged", _acknowledge)
MUTE = Deed("muted for an hour", lambda alerts, alert, _who: alerts.mute(alert.row["rule"], HOUR))
SILENCE = Deed(
    "silenced for a day", lambda alerts, alert, _who: alerts.silence(alert.row["rule"], alert.row["key"], DAY)
)


def act(controls: Controls, alert: Alert, deed: Deed) -> tuple[str, str]:
    """Does it; the answer and its style."""
    if controls.alerts is None:
        return f"not here: {controls.why_not}", "warn"
    try:
        deed.do(controls.alerts, alert, controls.who or "screen")
    except (TidegateError, OSError) as error:
        return f"not {deed.done}: {shown(str(error))}", "bad"
    alert.notes.append(f"{deed.done} {clock(time.time_ns())}")
    about = f"{alert.row['rule']} {alert.row['key'] or ''}".strip()
    return f"{shown(about)}: {deed.done}", "name"
