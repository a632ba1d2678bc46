"""Alerts: what is measured, when it is too much, who is told, and that it is over."""

from tidegate.alerts.actions import Tellers
from tidegate.alerts.commands import commands
from tidegate.alerts.desk import Desk, open_desk
from tidegate.alerts.stage import Alerts, mistakes
from tidegate.alerts.state import NAME, BusyError, read_state

__all__ = [
    "NAME",
    "Alerts",
    "BusyError",
    "Desk",
    "Tellers",
    "commands",
    "mistakes",
    "open_desk",
    "read_state",
]
