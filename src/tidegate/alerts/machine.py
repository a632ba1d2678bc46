"""When an alert is raised and when it is over: one small machine for each value that is watched.

    quiet ── above ──▶ pending ── above for `hold` ──▶ raised ── at or below clear for `settle` ──▶ quiet

Pure: it is told the time and the value, and says what has to happen.
"""

from dataclasses import dataclass
from typing import Literal

Step = Literal["raise", "recover"]


@dataclass(frozen=True)
class Limits:
    """What a value is held against; times in nanoseconds."""

    threshold: float
    clear: float
    hold: int
    settle: int


class Machine:
    """One value's state."""

    __slots__ = ("above_since", "below_since", "over_at", "peak", "raised", "ready_at")

    def __init__(self, raised: bool = False, peak: float = 0.0, ready_at: int = 0) -> None:
        self.raised = raised
        self.peak = peak
        """The highest value since it was raised."""
        self.ready_at = ready_at
        """Before this it cannot recover: after a restart a window is full of nothing."""
        self.above_since: int | None = None
        self.below_since: int | None = None
        self.over_at = 0
        """When it recovered: that may have been before it was looked at."""

    @property
    def quiet(self) -> bool:
        """Whether nothing is pending or raised: then a value that falls changes nothing."""
        return not self.raised and self.above_since is None

    def step(self, now: int, value: float, limits: Limits, may_raise: bool = True) -> Step | None:
        """What the value means at this moment."""
        if self.raised:
            return self._recover(now, value, limits)
        if value <= limits.threshold:
            self.above_since = None
            return None
        if self.above_since is None:
            self.above_since = now
        if not may_raise or now - self.above_since < limits.hold:
            return None
        self.raised, self.peak, self.above_since, self.below_since = True, value, None, None
        return "raise"

    def _recover(self, now: int, value: float, limits: Limits) -> Step | None:
        self.peak = max(self.peak, value)
        if value > limits.clear or now < self.ready_at:
            self.below_since = None
            return None
        if self.below_since is None:
            self.below_since = now
        if now - self.below_since < limits.settle:
            return None
        self.over_at = self.below_since + limits.settle
        self.raised, self.below_since = False, None
        return "recover"
