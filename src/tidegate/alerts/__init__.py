"""Alerts: what is measured, when it is too much, who is told, and that it is over."""

from tidegate.alerts.desk import Desk, open_desk
from tidegate.alerts.stage import Alerts
from tidegate.alerts.state import NAME

__all__ = ["NAME", "Alerts", "Desk", "open_desk"]
