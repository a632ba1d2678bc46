"""One rule at work: what each of its keys has counted, and when alerts are raised and are over."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from tidegate.alerts.clock import Clock
from tidegate.alerts.ledger import Alert, Quota
from tidegate.alerts.machine import Machine, Step
from tidegate.alerts.metrics import Event
from tidegate.alerts.rules import Rule
from tidegate.alerts.window import SLOTS, Distinct, Month, Series

MOST_OPEN = 1000
"""Alerts of one rule that are open at once; further keys wait."""
MOST_ITEMS = 200_000
"""Different values that one rule remembers over all its keys."""

Silenced = Callable[[str | None], bool]
"""Whether a key may raise nothing."""

Counter = Literal["late", "keys_evicted", "keys_refused"]


class Change(NamedTuple):
    """An alert begins, or is over."""

    step: Step
    at: int
    key: str | None
    level: int
    value: float
    peak: float


class Entry:
    """One key: its series, and a machine for each level."""

    __slots__ = ("items", "machines", "series")

    def __init__(self, series: Series, machines: list[Machine]) -> None:
        self.series = series
        self.machines = machines
        self.items = 0

    @property
    def quiet(self) -> bool:
        """Whether time alone can change nothing about it."""
        return all(machine.quiet for machine in self.machines)


class Book:
    """All keys of a rule. Those that are quiet may be forgotten; those with an alert never are."""

    def __init__(self, rule: Rule, most_keys: int) -> None:
        self.rule = rule
        self.counts: dict[Counter, int] = {"late": 0, "keys_evicted": 0, "keys_refused": 0}
        """Events too old to count, keys forgotten because there were too many, keys not taken at all."""
        self.withheld = 0
        """Keys that are above, and wait because too many alerts are open."""
        self._most = most_keys
        self._lowest = min(limits.threshold for limits in rule.levels)
        self._weighs = isinstance(rule.metric.series(), Distinct)
        self._quiet: OrderedDict[str | None, Entry] = OrderedDict()
        self._active: dict[str | None, Entry] = {}
        self._items = 0
        self._open = 0
        self._checked = 0

    def __len__(self) -> int:
        return len(self._quiet) + len(self._active)

    def restore(self, alert: Alert, ready_at: int) -> bool:
        """Takes up an alert from before a restart; False if it cannot be one of this rule's."""
        if alert.metric != self.rule.settings.metric or not 0 <= alert.level < len(self.rule.levels):
            return False
        if (alert.key is not None) != self.rule.keyed:
            return False
        entry = self._active.get(alert.key) or self._quiet.pop(alert.key, None) or self._entry()
        entry.machines[alert.level] = Machine(True, alert.peak, ready_at)
        self._active[alert.key] = entry
        self._open += 1
        return True

    def restore_quota(self, quota: Quota) -> None:
        """Takes up a month's totals."""
        for key, total in list(quota.totals.items())[: self._most]:
            series = Month(self.rule.settings.reset_day, quota.period, total)
            entry = self._entry()
            entry.series = series
            self._quiet[key if self.rule.keyed else None] = entry

    def quota(self, now: int) -> Quota | None:
        """A month's totals, to be kept; None for what is no quota."""
        period, totals = 0, {}
        for key, entry in [*self._quiet.items(), *self._active.items()]:
            if not isinstance(entry.series, Month):
                return None
            totals[key or ""] = entry.series.value(now)
            period = entry.series.period
        return Quota(period, totals) if totals else None

    def add(self, clock: Clock, key: str | None, events: Iterable[Event], silenced: Silenced) -> list[Change]:
        """Counts, and says what comes of it."""
        changes: list[Change] = []
        for event in events:
            at, now = clock.row(event.at), clock.now
            name = key if event.key is None else event.key
            entry = self._find(name)
            if entry is None:
                self.counts["keys_refused"] += 1
                continue
            if not entry.series.add(now, at, event.amount, event.item):
                self.counts["late"] += 1
            if self._weighs:
                self._weigh(entry)
            if entry.series.value(now) > self._lowest or name in self._active:
                changes += self._step(now, name, entry, silenced)
        return changes

    def check(self, now: int, silenced: Silenced) -> Iterator[Change]:
        """What time alone has changed since the last call, step by step of the window."""
        self._prune(now)
        if not self._active:
            self._checked = now
            self.withheld = 0
            return
        for moment in self._moments(now):
            self.withheld = 0
            for key, entry in list(self._active.items()):
                yield from self._step(moment, key, entry, silenced)
            if not self._active:
                break
        self._checked = now

    def measure(self, now: int, key: str | None, level: int) -> tuple[float, float] | None:
        """The value now and the highest of an alert that is open."""
        entry = self._active.get(key)
        return (entry.series.value(now), entry.machines[level].peak) if entry else None

    def standing(self, now: int) -> dict[str, Any]:
        """The highest value of any key now, beside the threshold."""
        entries = [*self._quiet.items(), *self._active.items()]
        best = max(((entry.series.value(now), key or "") for key, entry in entries), default=(0.0, ""))
        return {
            "rule": self.rule.name,
            "metric": self.rule.settings.metric,
            "window": self.rule.settings.window,
            "threshold": self.rule.levels[-1].threshold,
            "value": best[0],
            "key": best[1] or None,
            "open": self._open,
        }

    def _moments(self, now: int) -> Iterator[int]:
        """The steps from the last check to now. When a window has passed without rows, all is still."""
        step = max(self.rule.window // SLOTS, 1)
        if self._checked:
            for number in range(1, SLOTS + 2):
                if self._checked + number * step >= now:
                    break
                yield self._checked + number * step
        yield now

    def _step(self, now: int, key: str | None, entry: Entry, silenced: Silenced) -> Iterator[Change]:
        value = entry.series.value(now)
        for level, limits in enumerate(self.rule.levels):
            machine = entry.machines[level]
            above = not machine.raised and value > limits.threshold
            may_raise = above and self._open < MOST_OPEN and not silenced(key)
            self.withheld += above and self._open >= MOST_OPEN
            step = machine.step(now, value, limits, may_raise)
            if step:
                self._open += 1 if step == "raise" else -1
                at = machine.over_at if step == "recover" else now
                yield Change(step, at, key, level, value, machine.peak)
        self._place(key, entry)

    def _find(self, key: str | None) -> Entry | None:
        """The key's entry; a new one where there is room, or where a quiet one can go."""
        entry = self._active.get(key)
        if entry:
            return entry
        entry = self._quiet.get(key)
        if entry:
            self._quiet.move_to_end(key)
            return entry
        if len(self) >= self._most:
            if not self._quiet:
                return None
            self._forget_oldest()
        entry = self._quiet[key] = self._entry()
        return entry

    def _place(self, key: str | None, entry: Entry) -> None:
        """Among the quiet, or among those that have to be looked at as time goes by."""
        if entry.quiet:
            if self._active.pop(key, None):
                self._quiet[key] = entry
        elif key not in self._active:
            self._quiet.pop(key, None)
            self._active[key] = entry

    def _weigh(self, entry: Entry) -> None:
        """Keeps the different values of all keys within their bound."""
        items = len(entry.series) if isinstance(entry.series, Distinct) else 0
        self._items += items - entry.items
        entry.items = items
        while self._items > MOST_ITEMS and len(self._quiet) > 1:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, gone = self._quiet.popitem(last=False)
        self._items -= gone.items
        self.counts["keys_evicted"] += 1

    def _prune(self, now: int) -> None:
        """Lets go of keys of which nothing is left."""
        while self._quiet:
            key, entry = next(iter(self._quiet.items()))
            if entry.series.value(now) > 0:
                return
            del self._quiet[key]
            self._items -= entry.items

    def _entry(self) -> Entry:
        return Entry(self.rule.metric.series(), [Machine() for _ in self.rule.levels])
