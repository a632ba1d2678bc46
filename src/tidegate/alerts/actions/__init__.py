"""Who is told: the log, mails, webhooks. The screen sees the rows of `alert` anyway."""

from collections.abc import Iterable, Sequence
from typing import Any

from tidegate.alerts.actions.log import LogAction
from tidegate.alerts.actions.mailing import mailer
from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import Teller
from tidegate.alerts.actions.tellers import DEADLINE, Tellers, Way
from tidegate.alerts.actions.webhook import Webhook
from tidegate.model.config import AlertSettings, RuleSettings
from tidegate.model.errors import UsageError
from tidegate.model.text import clip

__all__ = ["Actions", "Notice", "Teller", "Tellers"]

LOG, SCREEN = "log", "screen"


class Actions:
    """All of them, by name. Telling never waits: what takes time has a thread and a queue of its own."""

    def __init__(self, settings: AlertSettings, tellers: Tellers | None = None) -> None:
        """Raises UsageError for an action that cannot work: an address, a header, a password file.

        `tellers` stay their owner's to close, with what waits; without, they end with the actions.
        """
        self._log = LogAction()
        self._own = tellers is None
        self._tellers = tellers or Tellers()
        self._ways: dict[str, Way] = {}
        for hook in settings.webhooks:
            self._add(hook.name, Way(hook, Webhook(hook)))
        for mail in settings.mails:
            self._add(mail.name, Way(mail, mailer(mail)))

    def check(self, rules: Iterable[RuleSettings]) -> None:
        """Raises UsageError if a rule names an action that is not there."""
        there = [LOG, SCREEN, *self._ways]
        for rule in rules:
            for name in rule.actions:
                if name not in there:
                    raise UsageError(
                        f'alert rule "{clip(rule.name, 40)}": there is no action "{clip(name, 40)}"; '
                        f"there are {', '.join(there)}"
                    )

    def start(self) -> None:
        """Starts the threads, or takes over those that run."""
        self._tellers.follow(self._ways)

    def tell(self, names: Sequence[str], notice: Notice) -> None:
        """Tells each of these, at once or soon."""
        for name in names:
            if name == LOG:
                self._log.tell(notice)
            else:
                self._tellers.tell(name, notice)

    def lost(self) -> dict[str, int]:
        """How many notices each one has lost."""
        return self._tellers.lost()

    def standings(self) -> list[dict[str, Any]]:
        """How far each one is."""
        return self._tellers.standings()

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """Of the last alerts by alert_id: who was told when, and what went wrong."""
        return self._tellers.told()

    def close(self, deadline: float = DEADLINE) -> None:
        """Lets all of them finish what waits, unless they belong to somebody else."""
        if self._own:
            self._tellers.close(deadline)

    def _add(self, name: str, way: Way) -> None:
        if name in (LOG, SCREEN, "") or name in self._ways:
            raise UsageError(f'alerts: "{clip(name, 40)}" is no name for an action, or taken; give another')
        self._ways[name] = way
