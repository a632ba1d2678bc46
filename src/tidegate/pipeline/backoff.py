"""How long a part that failed waits before it is tried again."""

FIRST = 1.0
LONGEST = 60.0
STEADY = 60.0
"""Seconds a part has to work before its failures are forgotten."""


class Backoff:
    """Doubles from one second to a minute; time (seconds, any beginning) is an argument."""

    def __init__(self) -> None:
        self.failures = 0
        self._until = 0.0
        self._started = 0.0

    def start(self, now: float) -> None:
        """The part was started."""
        self._started = now

    def fail(self, now: float) -> float:
        """The part failed; the seconds until it may be started again."""
        if self.failures and now - self._started >= STEADY:
            self.failures = 0
        delay: float = min(FIRST * 2.0**self.failures, LONGEST)
        self.failures = min(self.failures + 1, 32)
        self._until = now + delay
        return delay

    def left(self, now: float) -> float:
        """Seconds until it may be started again."""
        return max(self._until - now, 0.0)

    def is_due(self, now: float) -> bool:
        """Whether it may be started again."""
        return now >= self._until
