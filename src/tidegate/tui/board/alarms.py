"""Alerts of the picture: those that stand, and those that are over."""

from dataclasses import dataclass
from typing import Any

MOST = 500


@dataclass
class Alert:
    """One alert from raising to recovery; a mapping from column to value, as filters want it."""

    alert_id: str
    row: dict[str, Any]
    """The last row told of it."""
    raised: int
    recovered: int | None = None
    acknowledged: str | None = None
    """By whom."""

    @property
    def open(self) -> bool:
        """Whether it still stands."""
        return self.recovered is None

    def __contains__(self, name: str) -> bool:
        return name in self.row

    def __getitem__(self, name: str) -> Any:
        return self.row[name]


class Alerts:
    """The last few hundred alerts, the newest first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.known: dict[str, Alert] = {}
        self.forgotten = 0

    def take(self, row: dict[str, Any]) -> bool:
        """Notes that an alert was raised or has recovered; whether that is news."""
        alert = self.known.get(row["alert_id"])
        over = row["state"] == "recovered"
        if alert is None:
            self._make_room()
            alert = self.known[row["alert_id"]] = Alert(row["alert_id"], row, row["since"] or row["ts"])
        elif over != alert.open:
            return False
        alert.row = row
        if over:
            alert.recovered = row["ts"]
        return True

    @property
    def open(self) -> list[Alert]:
        """Those that stand, the newest first."""
        return [alert for alert in self.newest() if alert.open]

    def newest(self) -> list[Alert]:
        """All, those that stand first, the newest first."""
        return sorted(self.known.values(), key=lambda alert: (alert.open, alert.raised), reverse=True)

    def _make_room(self) -> None:
        if len(self.known) >= self._most:
            oldest = min(self.known.values(), key=lambda alert: (alert.open, alert.raised))
            del self.known[oldest.alert_id]
            self.forgotten += 1
