"""Who is told: the log, mails, webhooks. The screen sees the rows of `alert` anyway."""

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

from tidegate.alerts.actions.log import LogAction
from tidegate.alerts.actions.mailing import mailer
from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import Teller
from tidegate.alerts.actions.webhook import Webhook
from tidegate.model.config import AlertSettings, RuleSettings
from tidegate.model.errors import UsageError
from tidegate.model.text import clip

__all__ = ["Actions", "Notice", "Teller"]

LOG, SCREEN = "log", "screen"
DEADLINE = 5.0
"""Seconds that all threads together have to finish."""


class Actions:
    """All of them, by name. Telling never waits: what takes time has a thread and a queue of its own."""

    def __init__(self, settings: AlertSettings) -> None:
        """Raises UsageError for an action that cannot work: an address, a header, a password file."""
        self._log = LogAction()
        self._tellers: dict[str, Teller] = {}
        for hook in settings.webhooks:
            self._add(hook.name, Teller(hook.name, Webhook(hook), hook.retries, hook.timeout))
        for mail in settings.mails:
            self._add(mail.name, Teller(mail.name, mailer(mail), mail.retries, mail.timeout))

    def check(self, rules: Iterable[RuleSettings]) -> None:
        """Raises UsageError if a rule names an action that is not there."""
        there = [LOG, SCREEN, *self._tellers]
        for rule in rules:
            for name in rule.actions:
                if name not in there:
                    raise UsageError(
                        f'alert rule "{clip(rule.name, 40)}": there is no action "{clip(name, 40)}"; '
                        f"there are {', '.join(there)}"
                    )

    def start(self) -> None:
        """Starts the threads."""
        for teller in self._tellers.values():
            teller.start()

    def tell(self, names: Sequence[str], notice: Notice) -> None:
        """Tells each of these, at once or soon."""
        for name in names:
            if name == LOG:
                self._log.tell(notice)
            elif name in self._tellers:
                self._tellers[name].tell(notice)

    def lost(self) -> dict[str, int]:
        """How many notices each one has lost."""
        return {name: teller.lost for name, teller in self._tellers.items()}

    def standings(self) -> list[dict[str, Any]]:
        """How far each one is."""
        return [
            {"name": each.name, "lost": each.lost, "waiting": each.waiting, "lag": each.lag}
            for each in self._tellers.values()
        ]

    def close(self, deadline: float = DEADLINE) -> None:
        """Lets all of them finish what waits, each by one attempt more, together for `deadline` seconds."""
        for teller in self._tellers.values():
            teller.finish()
        ends = monotonic() + deadline
        for teller in self._tellers.values():
            teller.join(max(ends - monotonic(), 0.0))

    def _add(self, name: str, teller: Teller) -> None:
        if name in (LOG, SCREEN, "") or name in self._tellers:
            raise UsageError(f'alerts: "{clip(name, 40)}" is no name for an action, or taken; give another')
        self._tellers[name] = teller
