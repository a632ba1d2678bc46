"""Gives alerts their names, keeps the open ones, pairs each recovery with its alert, and has people told."""

from collections.abc import Mapping
from hashlib import blake2s
from typing import Any

from tidegate.alerts.actions import Actions, Notice
from tidegate.alerts.book import Book, Change
from tidegate.alerts.clock import SECOND, Clock
from tidegate.alerts.ledger import Alert, Ledger
from tidegate.alerts.rules import Rule
from tidegate.alerts.silences import Silences
from tidegate.model.units import human_amount, human_duration

Place = tuple[str, str | None, int]


class Register:
    """The open alerts by rule, key and level."""

    def __init__(
        self, ledger: Ledger, clock: Clock, silences: Silences, actions: Actions, sensor: str
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._silences = silences
        self._actions = actions
        self._sensor = sensor
        self._open: dict[Place, Alert] = {}
        self._began: dict[str, int] = {}
        self._untold = {alert.alert_id for alert in ledger.open.values() if not alert.told}

    def restore(self, books: Mapping[str, Book]) -> list[dict[str, Any]]:
        """Gives open alerts from before back to their rules. Those that no rule knows any more are over."""
        now = self._clock.now
        rows = []
        for alert in list(self._ledger.open.values()):
            book = books.get(alert.rule)
            # Half a window says nothing about whether the value is back: a month's total always does.
            wait = 0 if book is None or book.rule.settings.metric == "quota" else book.rule.window
            self._open[alert.rule, alert.key, alert.level] = alert
            if book is None or not book.restore(alert, now + wait):
                gone = Change("recover", now, alert.key, alert.level, alert.value, alert.peak)
                rows.append(self._recover(alert, gone, None, "its rule was changed or removed"))
        return rows

    def refresh(self, books: Mapping[str, Book]) -> None:
        """Brings the values and peaks of open alerts up to this moment."""
        for (rule, key, level), alert in self._open.items():
            book = books.get(rule)
            if book and (measured := book.measure(self._clock.now, key, level)):
                alert.value, alert.peak = measured[0], max(alert.peak, measured[1])

    def change(self, rule: Rule, change: Change) -> dict[str, Any] | None:
        """The row of an alert that begins or is over."""
        if change.step == "raise":
            return self._raise(rule, change)
        alert = self._open.get((rule.name, change.key, change.level))
        return self._recover(alert, change, rule) if alert else None

    def tell_late(self, rules: Mapping[str, Rule]) -> bool:
        """Tells of what was raised while nobody was to be told, and is still open; whether there was any."""
        told = False
        for alert_id in list(self._untold):
            alert = self._ledger.open.get(alert_id)
            rule = rules.get(alert.rule) if alert else None
            if alert is None or rule is None:
                self._untold.discard(alert_id)
            elif not self._silences.muted(rule.name, self._now()):
                self._tell(rule, alert)
                told = True
        return told

    def _raise(self, rule: Rule, change: Change) -> dict[str, Any]:
        limits = rule.levels[change.level]
        since = self._clock.shown(change.at)
        self._ledger.serial += 1
        alert = Alert(
            alert_id=_name(self._sensor, rule.name, change.key, since, self._ledger.serial),
            rule=rule.name,
            key=change.key,
            level=change.level,
            state="raised",
            severity=rule.settings.severity,
            metric=rule.settings.metric,
            value=change.value,
            threshold=limits.threshold,
            clear=limits.clear,
            peak=change.peak,
            since=since,
            until=None,
            duration=None,
            message=rule.message(change.value, limits.threshold, change.key),
        )
        self._ledger.open[alert.alert_id] = alert
        self._open[rule.name, change.key, change.level] = alert
        self._began[alert.alert_id] = change.at
        if self._silences.muted(rule.name, self._now()):
            self._untold.add(alert.alert_id)
        else:
            self._tell(rule, alert)
        return alert.row(self._sensor)

    def _recover(self, alert: Alert, change: Change, rule: Rule | None, why: str = "") -> dict[str, Any]:
        began = self._began.pop(alert.alert_id, alert.since)
        alert.state, alert.value, alert.peak = "recovered", change.value, change.peak
        alert.until = self._clock.shown(change.at)
        alert.duration = max(change.at - began, 0) / SECOND
        over = f"over after {human_duration(alert.duration)}{f', as {why}' if why else ''}"
        alert.message = f"{over}, peak {human_amount(alert.metric, alert.peak)}: {alert.message}"
        del self._open[alert.rule, alert.key, alert.level]
        del self._ledger.open[alert.alert_id]
        self._untold.discard(alert.alert_id)
        self._ledger.history.append(alert)
        # Who heard of an alert hears of its end, muted or not; who did not, does not.
        if rule and alert.told and rule.settings.tell_recovery:
            self._actions.tell(rule.settings.actions, Notice.of(alert.row(self._sensor)))
        return alert.row(self._sensor)

    def _tell(self, rule: Rule, alert: Alert) -> None:
        alert.told = True
        self._untold.discard(alert.alert_id)
        self._actions.tell(rule.settings.actions, Notice.of(alert.row(self._sensor)))

    def _now(self) -> int:
        return self._clock.shown(self._clock.now)


def _name(sensor: str, rule: str, key: str | None, since: int, serial: int) -> str:
    """The same traffic gives the same name."""
    text = "\0".join([sensor, rule, key or "", str(since), str(serial)])
    return blake2s(text.encode(errors="backslashreplace"), digest_size=8).hexdigest()
