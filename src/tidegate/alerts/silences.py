"""Silences (rows that do not count, rules that raise nothing) and mutes (nobody is told for a time)."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from tidegate.alerts.ledger import Ledger, Silence
from tidegate.alerts.metrics.metric import key_text
from tidegate.model.config import SilenceSettings
from tidegate.model.config.alerts import EVERY_RULE
from tidegate.model.errors import SettingError, UsageError, tried
from tidegate.model.filter import Row
from tidegate.model.text import clip

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Matcher:
    """A silence, ready to be asked."""

    rule: str | None
    key: str | None
    source: Network | None
    destination: Network | None
    until: int | None

    def over(self, now: int) -> bool:
        """Whether its time is up."""
        return self.until is not None and now >= self.until

    def of_rule(self, rule: str) -> bool:
        """Whether it is meant for this rule."""
        return self.rule is None or self.rule == rule


class Silences:
    """All that are in force; built anew when one changes, asked for every row."""

    def __init__(self, settings: Iterable[SilenceSettings], ledger: Ledger) -> None:
        self._fixed = [_matcher(_from_file(each)) for each in settings]
        self._ledger = ledger
        self._by_rule: dict[str, list[Matcher]] = {}
        self._of_keys: list[Matcher] = []
        self.of_rows: list[Matcher] = []
        """Those that look at rows; while there are none, no row has to be asked about."""
        self.renew()

    def renew(self) -> None:
        """Takes what the ledger holds now."""
        every = [*self._fixed, *map(_matcher, self._ledger.silences.values())]
        self.of_rows = [each for each in every if each.source or each.destination]
        self._of_keys = [each for each in every if not (each.source or each.destination)]
        self._by_rule = {}

    def expire(self, now: int) -> bool:
        """Forgets what is over; whether there was anything."""
        over = [name for name, each in self._ledger.silences.items() if each.until and now >= each.until]
        for name in over:
            del self._ledger.silences[name]
        loud = [rule for rule, until in self._ledger.mutes.items() if now >= until]
        for rule in loud:
            del self._ledger.mutes[rule]
        if over:
            self.renew()
        return bool(over or loud)

    def row(self, rule: str, key: str | None, row: Row, now: int) -> bool:
        """Whether a row does not count for this rule, because of where it comes from or goes to."""
        mine = self._by_rule.get(rule)
        if mine is None:
            mine = self._by_rule[rule] = [each for each in self.of_rows if each.of_rule(rule)]
        return any(
            (each.key is None or each.key == key)
            and not each.over(now)
            and _within(each.source, row, "src_ip")
            and _within(each.destination, row, "dst_ip")
            for each in mine
        )

    def raising(self, rule: str, key: str | None, now: int) -> bool:
        """Whether this rule may not raise an alert for this key."""
        return any(
            each.of_rule(rule) and (each.key is None or each.key == key) and not each.over(now)
            for each in self._of_keys
        )

    def muted(self, rule: str, now: int) -> bool:
        """Whether nobody is told of this rule now."""
        mutes = self._ledger.mutes
        return now < max(mutes.get(rule, 0), mutes.get(EVERY_RULE, 0))


def network(text: str) -> Network:
    """An address or a network; raises UsageError."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UsageError(
            f'"{clip(text, 40)}" is no address: write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32'
        ) from None


def mistakes(settings: SilenceSettings) -> Iterator[SettingError]:
    """Everything that is wrong with a silence of the configuration, with its key."""
    if not (settings.rule or settings.key or settings.source or settings.destination):
        yield SettingError("a silence needs a rule, a key, a source or a destination")
    for name in ("source", "destination"):
        if text := getattr(settings, name):
            yield from tried(partial(network, text), name)


def _from_file(settings: SilenceSettings) -> Silence:
    for error in mistakes(settings):
        raise SettingError(error.text, *error.key, of="alerts: silences")
    return Silence(
        silence_id="",
        rule=settings.rule or None,
        key=key_text(settings.key) if settings.key else None,
        source=settings.source or None,
        destination=settings.destination or None,
    )


def _matcher(silence: Silence) -> Matcher:
    return Matcher(
        silence.rule,
        silence.key,
        network(silence.source) if silence.source else None,
        network(silence.destination) if silence.destination else None,
        silence.until,
    )


def _within(wanted: Network | None, row: Row, column: str) -> bool:
    if wanted is None:
        return True
    try:
        return ipaddress.ip_address(row.get(column) or "") in wanted
    except ValueError:
        return False
