"""What people do about alerts: acknowledge, mute, silence, look. Safe from any thread.

A running Tidegate has one (`Alerts.desk`, for its control socket); without one, the command line opens the
state file itself (`open_desk`), and the next start knows.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tidegate.alerts.clock import SECOND
from tidegate.alerts.ledger import MOST_SILENCES, Alert, Ledger, Silence
from tidegate.alerts.metrics.metric import key_text
from tidegate.alerts.rules import LONGEST_NAME
from tidegate.alerts.silences import network
from tidegate.alerts.state import StateFile
from tidegate.model.config.alerts import EVERY_RULE
from tidegate.model.errors import UsageError
from tidegate.model.text import clip, one_line, safe_text

LONGEST = 3650 * 86_400.0
"""Seconds of a mute or a silence at most."""


class Desk:
    """Where alerts are looked at and answered. What it gives is plain data for JSON; times are ns UTC."""

    def __init__(
        self,
        ledger: Ledger,
        changed: Callable[[], None],
        now: Callable[[], int] = time.time_ns,
        rules: Sequence[str] | None = None,
        lock: AbstractContextManager[Any] | None = None,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` and `refresh` are called with the lock held, after a change and before a look.

        `rules` are those there are, None if that is not known.
        """
        self._ledger = ledger
        self._changed = changed
        self._now = now
        self._rules = rules
        self._lock = lock or threading.RLock()
        self._refresh = refresh

    def acknowledge(self, alert_id: str, who: str) -> dict[str, Any]:
        """Notes that somebody looks after an open alert; raises UsageError for one that is not open."""
        with self._lock:
            alert = self._ledger.open.get(alert_id)
            if alert is None:
                known = any(alert_id == each.alert_id for each in self._ledger.history)
                reason = "is over already" if known else "is not known; see: tidegate alerts"
                raise UsageError(f'alert "{clip(alert_id, 40)}" {reason}')
            alert.acknowledged_by, alert.acknowledged_at = one_line(who, LONGEST_NAME), self._now()
            self._changed()
            return _shown(alert)

    def mute(self, rule: str | None, seconds: float) -> None:
        """Nobody is told of this rule (None: of any) for so long; 0 ends it. Alerts are kept all the same."""
        with self._lock:
            name = EVERY_RULE if rule is None else self._known(rule)
            until = self._until(seconds)
            if seconds:
                if name not in self._ledger.mutes and len(self._ledger.mutes) >= MOST_SILENCES:
                    raise UsageError(f"there are {MOST_SILENCES} mutes; end one first")
                self._ledger.mutes[name] = until
            else:
                self._ledger.mutes.pop(name, None)
            self._changed()

    def silence(
        self,
        rule: str | None = None,
        key: str | None = None,
        source: str | None = None,
        destination: str | None = None,
        seconds: float | None = None,
        who: str = "",
    ) -> str:
        """Lets nothing be raised by what matches all that is given, for so long or for good; its name."""
        if not (rule or key or source or destination):
            raise UsageError("a silence needs a rule, a key, a source or a destination")
        source, destination = (str(network(each)) if each else None for each in (source, destination))
        with self._lock:
            if len(self._ledger.silences) >= MOST_SILENCES:
                raise UsageError(f"there are {MOST_SILENCES} silences; end one first")
            name = secrets.token_hex(4)
            self._ledger.silences[name] = Silence(
                name,
                self._known(rule) if rule else None,
                key_text(key) if key else None,
                source,
                destination,
                None if seconds is None else self._until(seconds),
                one_line(who, LONGEST_NAME),
            )
            self._changed()
            return name

    def unsilence(self, silence_id: str) -> None:
        """Ends a silence; raises UsageError if there is none of that name."""
        with self._lock:
            if self._ledger.silences.pop(silence_id, None) is None:
                raise UsageError(f'there is no silence "{clip(silence_id, 40)}"; see: tidegate alerts')
            self._changed()

    def open_alerts(self) -> list[dict[str, Any]]:
        """Those that are raised and not over, the latest first."""
        with self._lock:
            self._refresh()
            return [_shown(alert) for alert in reversed(list(self._ledger.open.values()))]

    def history(self) -> list[dict[str, Any]]:
        """The latest that are over, the latest first."""
        with self._lock:
            return [_shown(alert) for alert in reversed(self._ledger.history)]

    def silences(self) -> list[dict[str, Any]]:
        """The silences that people made, with their names."""
        with self._lock:
            return [asdict(each) for each in self._ledger.silences.values()]

    def mutes(self) -> dict[str, int]:
        """Until when nobody is told, by rule; `*` stands for all."""
        with self._lock:
            return dict(self._ledger.mutes)

    def _until(self, seconds: float) -> int:
        if not 0 <= seconds <= LONGEST:
            raise UsageError(f"a time from 0 to {LONGEST / 86400:g}d is needed")
        return self._now() + int(seconds * SECOND)

    def _known(self, rule: str) -> str:
        if self._rules is not None and rule not in self._rules:
            raise UsageError(f'there is no rule "{clip(rule, 40)}"; there are {", ".join(self._rules)}')
        return clip(safe_text(rule), LONGEST_NAME)


@contextmanager
def open_desk(
    path: Path, now: Callable[[], int] = time.time_ns, rules: Sequence[str] | None = None
) -> Iterator[Desk]:
    """A desk over the state file, for when no Tidegate runs; raises StoreError if one does."""
    state = StateFile(path)
    try:
        ledger = state.load()
        yield Desk(ledger, lambda: state.must_save(ledger), now, rules)
    finally:
        state.close()


def _shown(alert: Alert) -> dict[str, Any]:
    return {name: value for name, value in asdict(alert).items() if name not in ("level", "told")}
