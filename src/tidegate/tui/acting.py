"""Acting on alerts by what the rest of the program lent the screen, and what is said about it."""

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.units import parse_duration
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import Board
from tidegate.tui.board.desk import Quiet, desk_of
from tidegate.tui.cells import shown
from tidegate.tui.controls import HOUR, AlertControls, Controls

WORDS = {
    "rule": "rule",
    "key": "key",
    "source": "source",
    "src": "source",
    "from": "source",
    "destination": "destination",
    "dst": "destination",
    "to": "destination",
    "for": "seconds",
}
"""What can be written in a silence, and what it is called at the control socket."""

HINT = "rule:NAME key:KEY src:10.0.0.7 dst:192.0.2.0/24 for:1d (for good without for)"


@dataclass(frozen=True)
class Deed:
    """Something to be done about alerts: a word of the control socket, with what it takes."""

    word: str
    done: str
    """How it is called when it is done."""
    given: Mapping[str, Any]
    about: str
    """What it is done to."""


def acknowledge(alert: Alert, who: str) -> Deed:
    """Says that somebody looks after it."""
    return Deed("acknowledge", "acknowledged", {"alert_id": alert.alert_id, "who": who}, _name(alert))


def mute(alert: Alert) -> Deed:
    """Tells nobody of its rule for an hour."""
    rule = alert.row["rule"]
    return Deed("mute", "muted for an hour", {"rule": rule, "seconds": HOUR}, str(rule))


def end(row: Alert | Quiet, board: Board) -> Deed:
    """Ends a mute or a silence: the row's, or what covers an alert. Raises UsageError if nothing does."""
    quiet = row if isinstance(row, Quiet) else _covering(row, board)
    if quiet is None:
        raise UsageError("neither muted nor silenced")
    if quiet.kind == "muted":
        return Deed("mute", "told again", {"rule": quiet.rule, "seconds": 0.0}, quiet.whom)
    return Deed("unsilence", "no longer silenced", {"silence_id": quiet.silence_id}, quiet.whom)


def silence(text: str, who: str, alert: Alert | None = None) -> Deed:
    """What was written, as a silence; raises UsageError for what is none."""
    given: dict[str, Any] = {}
    for name, value in _pairs(text):
        if name in given:
            raise UsageError(f"{name} stands there twice")
        given[name] = value
    if alert is not None and given.get("key") == shown(alert.row["key"]):
        given["key"] = alert.row["key"]
    if "seconds" in given:
        given["seconds"] = parse_duration(given["seconds"])
    if not given.keys() - {"seconds"}:
        raise UsageError(f"silence whom? {HINT}")
    about = ", ".join(f"{name} {value}" for name, value in given.items() if name != "seconds")
    return Deed("silence", "silenced", given | {"who": who}, about)


def checked(text: str) -> None:
    """Raises UsageError for what is no silence."""
    silence(text, "")


def suggested(alert: Alert | None) -> str:
    """A silence of just this alert, for a day."""
    if alert is None:
        return ""
    key = f" key:{_quoted(alert.row['key'])}" if alert.row["key"] else ""
    return f"rule:{_quoted(alert.row['rule'])}{key} for:1d"


def act(controls: Controls, board: Board, deed: Deed) -> str:
    """Does it, and looks what came of it; the answer. Raises UsageError with the reason if it cannot be."""
    alerts = allowed(controls)
    try:
        alerts.do(deed.word, **deed.given)
    except (TidegateError, OSError) as error:
        raise UsageError(f"not {deed.done}: {shown(str(error))}") from None
    alert = board.alerts.known.get(str(deed.given.get("alert_id")))
    if alert is not None:
        alert.acknowledged = str(deed.given["who"])
    look(alerts, board)
    said = f"{shown(deed.about)}: {deed.done}"
    board.say(time.time_ns(), "info", said)
    return said


def look(alerts: AlertControls, board: Board) -> None:
    """Shows what lies on the desk now, where that can be told."""
    try:
        board.settle(desk_of(alerts.look()))
    except (TidegateError, OSError):
        return  # it is told again within a second


def allowed(controls: Controls) -> AlertControls:
    """By what alerts are acted on; raises UsageError with the reason if they cannot be."""
    if controls.alerts is None:
        raise UsageError(f"not here: {controls.why_not}")
    return controls.alerts


def _covering(alert: Alert, board: Board) -> Quiet | None:
    about = alert.row["rule"], alert.row["key"]
    return board.desk.about("muted", *about) or board.desk.about("silenced", *about)


def _name(alert: Alert) -> str:
    return f"{alert.row['rule']} {alert.row['key'] or ''}".strip()


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("a quotation mark has no end") from None
    pairs = []
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or name not in WORDS or not value:
            raise UsageError(f'"{word}" is not what is expected: {HINT}')
        pairs.append((WORDS[name], value))
    return pairs


def _quoted(value: object) -> str:
    return shlex.quote(shown(value))
