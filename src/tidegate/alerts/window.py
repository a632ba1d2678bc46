"""What is counted over time, bounded: sums and distinct values in a sliding window, and a month's total."""

from array import array
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Protocol

from tidegate.alerts.clock import SECOND

SLOTS = 120
"""Steps of a window: what is older than the window never counts, and goes a step at a time."""

Item = str | int


class Series(Protocol):
    """One key's measure."""

    def add(self, now: int, at: int, amount: float, item: Item | None) -> bool:
        """Counts what happened at `at`; False if that is too long ago to count."""

    def value(self, now: int) -> float:
        """The measure now."""


class Sum:
    """How much within the window: a ring of sums."""

    __slots__ = ("_head", "_ring", "_slot", "_total")

    def __init__(self, window: int) -> None:
        self._slot = max(window // SLOTS, 1)
        self._ring = array("d", bytes(8 * SLOTS))
        self._head = 0
        self._total = 0.0

    def add(self, now: int, at: int, amount: float, item: Item | None = None) -> bool:
        """Counts an amount; see Series."""
        self._turn(now)
        slot = at // self._slot
        if not self._head - SLOTS < slot <= self._head:
            return False
        self._ring[slot % SLOTS] += amount
        self._total += amount
        return True

    def value(self, now: int) -> float:
        """The sum over the window."""
        self._turn(now)
        return self._total

    def _turn(self, now: int) -> None:
        head = now // self._slot
        if head - self._head >= SLOTS:
            self._ring = array("d", bytes(8 * SLOTS))
            self._total = 0.0
        else:
            for slot in range(self._head + 1, head + 1):
                self._total -= self._ring[slot % SLOTS]
                self._ring[slot % SLOTS] = 0.0
        self._head = max(head, self._head)


class Distinct:
    """How many different things within the window, up to a bound: beyond it the oldest go."""

    __slots__ = ("_last", "_most", "_slot")

    def __init__(self, window: int, most: int) -> None:
        self._slot = max(window // SLOTS, 1)
        self._most = most
        self._last: OrderedDict[Item, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def add(self, now: int, at: int, amount: float, item: Item | None = None) -> bool:
        """Counts a thing; see Series."""
        head = now // self._slot
        slot = min(at // self._slot, head)
        if item is None or slot <= head - SLOTS:
            return False
        # Kept in the order of time; what comes late stands a little too late, for less than the window.
        self._last[item] = max(slot, self._last.get(item, slot))
        self._last.move_to_end(item)
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        return True

    def value(self, now: int) -> float:
        """How many different ones there are."""
        oldest = now // self._slot - SLOTS
        while self._last:
            item, slot = next(iter(self._last.items()))
            if slot > oldest:
                break
            del self._last[item]
        return float(len(self._last))


class Month:
    """The total of a period that begins anew on a day of each month, at midnight UTC."""

    __slots__ = ("_day", "period", "total")

    def __init__(self, day: int, period: int = 0, total: float = 0.0) -> None:
        self._day = day
        self.period = period
        """When the period began, in nanoseconds."""
        self.total = total

    def add(self, now: int, at: int, amount: float, item: Item | None = None) -> bool:
        """Counts an amount into the period that is now; see Series."""
        self._turn(now)
        self.total += amount
        return True

    def value(self, now: int) -> float:
        """The total so far."""
        self._turn(now)
        return self.total

    def _turn(self, now: int) -> None:
        begun = period_of(now, self._day)
        if begun > self.period:
            self.period, self.total = begun, 0.0


def period_of(now: int, day: int) -> int:
    """When the period began that `now` lies in; days beyond a month's end are its last."""
    moment = datetime.fromtimestamp(now // SECOND, UTC)
    year, month = moment.year, moment.month
    if moment.day < min(day, _days(year, month)):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    begun = datetime(year, month, min(day, _days(year, month)), tzinfo=UTC)
    return int(begun.timestamp()) * SECOND


def _days(year: int, month: int) -> int:
    from calendar import monthrange

    return monthrange(year, month)[1]
