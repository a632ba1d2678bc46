"""Alerts, and what keeps them quiet: rows and columns."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tidegate.model.units import IN_BYTES, human_amount
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.desk import Quiet, Told
from tidegate.tui.board.rows import WANTED
from tidegate.tui.cells import shown
from tidegate.tui.look import clock, lasting, when
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset(WANTED["alert"])
STYLES = {"critical": "bad", "warning": "warn", "info": ""}


Row = Alert | Quiet


def rows(scene: Scene, view: View) -> list[Row]:
    """The alerts asked for, those that stand first, then mutes and silences, then those that are over."""
    alerts: list[Row] = list(scene.board.alerts.newest())
    stand = len(scene.board.alerts.open)
    every = [*alerts[:stand], *scene.board.desk.quiets, *alerts[stand:]]
    found = matching(every, view.filter, lambda row: cast(Mapping[str, Any], row))
    return view.in_order(found, columns(scene))


def identity(row: Row) -> object:
    """What tells two apart."""
    return row.alert_id if isinstance(row, Alert) else (row.kind, row.rule, row.silence_id)


def dimmed(row: Row) -> bool:
    """Whether it is over."""
    return isinstance(row, Alert) and not row.open


def state(scene: Scene, alert: Row) -> tuple[str, str]:
    """Whether it stands, how bad it is, and whether somebody looks after it; or muted, silenced."""
    if isinstance(alert, Quiet):
        return alert.kind, "name"
    signs = scene.look.signs
    muted = alert.open and scene.board.desk.about("muted", alert["rule"], alert["key"])
    done = (" ack" if alert.acknowledged else "") + (" mute" if muted else "")
    if not alert.open:
        return f"{signs.good} recovered{done}", "good"
    severity = alert.row["severity"]
    return f"{signs.alert} {shown(severity).upper()}{done}", STYLES.get(severity, "warn")


def done(scene: Scene, row: Row) -> str:
    """What was done about it, wherever that was: acknowledged by whom, muted or silenced until when."""
    if isinstance(row, Quiet):
        return until(scene, row)
    parts = [f"ack {shown(row.acknowledged)}"] if row.acknowledged else []
    parts += [
        f"{shown(each.name)} {'ok' if each.ok else 'FAILED'}"
        for each in scene.board.desk.told.get(row.alert_id, ())
    ]
    for kind in ("muted", "silenced") if row.open else ():
        if quiet := scene.board.desk.about(kind, row.row["rule"], row.row["key"]):
            parts.append(f"{kind} {until(scene, quiet)}")
    return ", ".join(parts)


def told(scene: Scene, each: Told) -> str:
    """Whether one of those who are told was, when, and why not."""
    error = f": {shown(each.error)}" if each.error else ""
    sign = f"{scene.look.signs.good} told" if each.ok else "FAILED"
    return f"{sign} {clock(each.at)}{error}"


def until(scene: Scene, quiet: Quiet) -> str:
    """When it ends; with the day, if that is not within one."""
    if not quiet.until:
        return "for good"
    far = quiet.until - scene.board.now > 86_400 * SECOND
    return f"until {when(quiet.until) if far else clock(quiet.until)}"


def message(row: Row) -> str:
    """What it says of itself."""
    if isinstance(row, Alert):
        return shown(row.row["message"])
    given = {"key": row.key, "from": row.source, "to": row.destination, "by": row.by}
    parts = ", ".join(f"{name} {shown(value)}" for name, value in given.items() if value)
    return f"{parts or 'nobody is told'}; x ends it"


def duration(scene: Scene, alert: Row) -> float:
    """Seconds it has lasted; of a mute or silence the seconds that are left."""
    if isinstance(alert, Quiet):
        return max((alert.until or scene.board.now) - scene.board.now, 0) / SECOND
    end = alert.recovered if alert.recovered is not None else scene.board.now
    return max(end - alert.raised, 0) / SECOND


def number(metric: str | None, value: float | None) -> str:
    """A measured value in few letters; bytes as sizes, as everywhere."""
    if value is None:
        return ""
    if metric in IN_BYTES:
        return human_amount(metric, value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def columns(scene: Scene) -> list[Column]:
    """The columns of alerts; of mutes and silences only those that say something."""

    def said(name: str) -> Callable[[Row], str]:
        return lambda row: shown(row[name])

    def counted(name: str) -> Callable[[Row], tuple[str, str]]:
        return lambda row: (number(row["metric"], row[name]), "")

    def lasted(row: Row) -> tuple[str, str]:
        endless = isinstance(row, Quiet) and row.until is None
        return "" if endless else lasting(duration(scene, row)), ""

    def long(alert: Alert) -> bool:
        return len(state(scene, alert)[0]) > 15

    return [
        Column(
            "State", 20 if any(map(long, scene.board.alerts.open)) else 15, lambda a: state(scene, a), dimmed
        ),
        Column("Rule", 10, lambda a: (whose(a), "bold"), whose, grow=1, descending=False),
        Column("Key", 10, lambda a: (said("key")(a), ""), said("key"), grow=1, descending=False, need=84),
        Column("Value", 7, counted("value"), lambda a: a["value"] or 0, side="right"),
        Column("Limit", 7, counted("threshold"), lambda a: a["threshold"] or 0, side="right"),
        Column("Peak", 8, counted("peak"), lambda a: a["peak"] or 0, side="right", need=110),
        Column("Since", 8, lambda a: (clock(since(a)), ""), since),
        Column("Lasted", 6, lasted, lambda a: duration(scene, a), side="right"),
        Column("Over", 8, lambda a: (over(scene, a), ""), lambda a: over(scene, a), need=110),
        Column("Done", 10, lambda a: (done(scene, a), "name"), lambda a: done(scene, a), grow=2, need=116),
        Column("Message", 10, lambda a: (message(a), ""), grow=3, need=76),
    ]


def whose(row: Row) -> str:
    """The rule; of a mute or silence also the ends it looks at."""
    if isinstance(row, Alert):
        return shown(row["rule"])
    ends = (row.source, row.destination)
    return " ".join(shown(part) for part in (row.rule or ("any" if not any(ends) else ""), *ends) if part)


def since(row: Row) -> int:
    """When it was raised."""
    return row.raised if isinstance(row, Alert) else 0


def over(scene: Scene, row: Row) -> str:
    """When it recovered."""
    if isinstance(row, Quiet):
        return ""
    return clock(row.recovered) or scene.look.signs.dash
