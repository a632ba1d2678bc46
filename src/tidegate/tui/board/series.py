"""Bytes and counts over time: a ring of seconds, and sliding windows over keys."""

from collections.abc import Hashable
from typing import Generic, TypeVar

SECONDS = 64
_MASK = SECONDS - 1
MINUTE = 60
RATE_SPAN = 4
"""Seconds over which a rate is taken: two rows of a connection that gives one every two seconds."""

K = TypeVar("K", bound=Hashable)


class Series:
    """Two numbers for each of the last 64 seconds: received and sent. Also their sums since the start."""

    __slots__ = ("_held", "down", "newest", "total_down", "total_up", "up")

    def __init__(self) -> None:
        self.down = [0.0] * SECONDS
        self.up = [0.0] * SECONDS
        self.newest = 0
        self.total_down = self.total_up = 0
        self._held = 0.0
        """What lies in the ring, both ways."""

    def __copy__(self) -> "Series":
        twin = Series.__new__(Series)
        twin.down, twin.up, twin.newest, twin._held = self.down[:], self.up[:], self.newest, self._held
        twin.total_down, twin.total_up = self.total_down, self.total_up
        return twin

    def recent(self, edge: int) -> float:
        """About what came in the last minute, both ways; quick, to put many in order."""
        return self._held if self.newest >= edge - MINUTE else 0.0

    def add(self, first: int, last: int, down: float, up: float) -> None:
        """Spreads what came between two seconds (both included) evenly over them."""
        self.total_down += int(down)
        self.total_up += int(up)
        if last > self.newest:
            self._advance(last)
        spread = last - first + 1
        down, up = down / spread, up / spread
        start = max(first, self.newest - _MASK)
        self._held += (down + up) * max(last + 1 - start, 0)
        for second in range(start, last + 1):
            self.down[second & _MASK] += down
            self.up[second & _MASK] += up

    def rate(self, edge: int) -> tuple[float, float]:
        """A second's share of the last few that were complete at `edge`.

        Or of those and the one that is not: what has just come is seen at once, and a rate that goes on does
        not fall because its last second is not over.
        """
        before, now = self.over(edge - RATE_SPAN, edge), self.over(edge + 1 - RATE_SPAN, edge + 1)
        return max(before[0], now[0]) / RATE_SPAN, max(before[1], now[1]) / RATE_SPAN

    def minute(self, edge: int) -> tuple[float, float]:
        """The sums of the last 60 complete seconds."""
        return self.over(edge - MINUTE, edge)

    def over(self, start: int, end: int) -> tuple[float, float]:
        """The sums from second `start` up to `end`."""
        seconds = self._known(start, end)
        return sum(self.down[s & _MASK] for s in seconds), sum(self.up[s & _MASK] for s in seconds)

    def history(self, edge: int, length: int = MINUTE) -> tuple[list[float], list[float]]:
        """Each of the last complete seconds, the oldest first; with the one that is not if that is higher."""
        newest, before = self.over(edge, edge + 1), self.over(edge - 1, edge)
        edge += sum(newest) > sum(before)
        known = self._known(edge - length, edge)
        seconds = range(edge - length, edge)
        return (
            [self.down[s & _MASK] if s in known else 0.0 for s in seconds],
            [self.up[s & _MASK] if s in known else 0.0 for s in seconds],
        )

    def _known(self, start: int, end: int) -> range:
        return range(max(start, self.newest - _MASK), min(end, self.newest + 1))

    def _advance(self, second: int) -> None:
        for passed in range(max(self.newest + 1, second - _MASK), second + 1):
            self._held -= self.down[passed & _MASK] + self.up[passed & _MASK]
            self.down[passed & _MASK] = self.up[passed & _MASK] = 0.0
        self.newest = second


class Window(Generic[K]):
    """Counts by key over a sliding span; a key that was not counted within it is forgotten."""

    def __init__(self, span: int, slots: int = 12) -> None:
        """`span` seconds, in so many steps."""
        self._width = span / slots
        self._length = slots
        self._slots: dict[int, dict[K, float]] = {}
        self._newest = 0
        self.sums: dict[K, float] = {}
        """What was counted within the span."""

    def add(self, key: K, second: float, count: float = 1) -> None:
        """Counts at that time; what lies before the span is let pass."""
        number = int(second / self._width)
        if number > self._newest:
            self.roll(second)
        elif number <= self._newest - self._length:
            return
        slot = self._slots.setdefault(number, {})
        slot[key] = slot.get(key, 0) + count
        self.sums[key] = self.sums.get(key, 0) + count

    def roll(self, second: float) -> None:
        """Forgets what lies before the span that ends now."""
        number = int(second / self._width)
        if number <= self._newest:
            return
        self._newest = number
        for old in [slot for slot in self._slots if slot <= number - self._length]:
            for key, count in self._slots.pop(old).items():
                self.sums[key] -= count
                if self.sums[key] <= 1e-9:
                    del self.sums[key]

    def get(self, key: K) -> float:
        """What was counted of a key."""
        return self.sums.get(key, 0)
