"""Alerts: rows and columns."""

from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.rows import WANTED
from tidegate.tui.cells import shown
from tidegate.tui.look import clock, lasting
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset(WANTED["alert"])
STYLES = {"critical": "bad", "warning": "warn", "info": ""}


def rows(scene: Scene, view: View) -> list[Alert]:
    """The alerts asked for, those that stand first."""
    return view.in_order(
        matching(scene.board.alerts.newest(), view.filter, lambda alert: alert.row), columns(scene)
    )


def identity(alert: Alert) -> object:
    """What tells two apart."""
    return alert.alert_id


def state(scene: Scene, alert: Alert) -> tuple[str, str]:
    """Whether it stands, how bad it is, and what was done about it."""
    signs = scene.look.signs
    done = " ack" if alert.acknowledged else ""
    if not alert.open:
        return f"{signs.good} recovered{done}", "good"
    severity = alert.row["severity"]
    return f"{signs.alert} {shown(severity).upper()}{done}", STYLES.get(severity, "warn")


def duration(scene: Scene, alert: Alert) -> float:
    """Seconds it has lasted."""
    end = alert.recovered if alert.recovered is not None else scene.board.now
    return max(end - alert.raised, 0) / SECOND


def number(value: float | None) -> str:
    """A measured value in few letters."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def columns(scene: Scene) -> list[Column]:
    """The columns of alerts."""
    signs = scene.look.signs
    return [
        Column("State", 14, lambda a: state(scene, a), lambda a: a.open, descending=True),
        Column("Rule", 12, lambda a: (shown(a.row["rule"]), "bold"), lambda a: a.row["rule"], grow=1,
               descending=False),
        Column("Key", 10, lambda a: (shown(a.row["key"]), ""), lambda a: a.row["key"] or "", grow=1,
               descending=False, need=84),
        Column("Value", 7, lambda a: (number(a.row["value"]), ""), lambda a: a.row["value"] or 0,
               side="right"),
        Column("Limit", 7, lambda a: (number(a.row["threshold"]), ""), lambda a: a.row["threshold"] or 0,
               side="right"),
        Column("Peak", 8, lambda a: (number(a.row["peak"]), ""), lambda a: a.row["peak"] or 0, side="right",
               need=110),
        Column("Since", 8, lambda a: (clock(a.raised), ""), lambda a: a.raised),
        Column("Lasted", 6, lambda a: (lasting(duration(scene, a)), ""), lambda a: duration(scene, a),
               side="right"),
        Column("Over", 8, lambda a: (clock(a.recovered) or signs.dash, ""), lambda a: a.recovered or 0,
               need=110),
        Column("Message", 10, lambda a: (shown(a.row["message"]), ""), grow=3, need=76),
    ]  # fmt: skip
