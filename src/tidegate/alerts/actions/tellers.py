"""Those who are told in threads of their own: they outlive the configuration that asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import Send, Teller
from tidegate.model.config import AlertMailSettings, WebhookSettings

DEADLINE = 5.0
"""Seconds that all threads together have to finish."""


@dataclass(frozen=True)
class Way:
    """How somebody is told."""

    settings: AlertMailSettings | WebhookSettings
    send: Send


class Tellers:
    """By name. Whoever made this closes it; a new configuration takes it over with `follow`."""

    def __init__(self) -> None:
        self._ways: dict[str, Way] = {}
        self._tellers: dict[str, Teller] = {}

    def follow(self, ways: Mapping[str, Way], deadline: float = DEADLINE) -> None:
        """Tells these from now on. Whose name stays keeps what waits, what was lost and its thread.

        Those that are gone finish what waits, as at the end, for `deadline` seconds together.
        """
        before, known = self._tellers, self._ways
        tellers: dict[str, Teller] = {}
        for name, way in ways.items():
            retries, timeout = way.settings.retries, way.settings.timeout
            if name in before:
                tellers[name] = before[name]
                # The same settings, too: a file with a password may have another in it.
                tellers[name].renew(way.send, retries, timeout, known[name].settings != way.settings)
            else:
                tellers[name] = Teller(name, way.send, retries, timeout)
                tellers[name].start()
        self._tellers, self._ways = tellers, dict(ways)
        _finish({name: each for name, each in before.items() if name not in tellers}, deadline)

    def tell(self, name: str, notice: Notice) -> None:
        """Tells the one of this name soon; nobody, if there is none."""
        if teller := self._tellers.get(name):
            teller.tell(notice)

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
        _finish(self._tellers, deadline)


def _finish(tellers: Mapping[str, Teller], deadline: float) -> None:
    for teller in tellers.values():
        teller.finish()
    ends = monotonic() + deadline
    for teller in tellers.values():
        teller.join(max(ends - monotonic(), 0.0))
