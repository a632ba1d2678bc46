"""What the core's relay could not hand over in time, as rows of table health."""

from tidegate.model.batch import Batch, health
from tidegate.model.stats import RELAY


class Late:
    """Tells each loss once. Rows come only when something was lost."""

    def __init__(self, sensor: str) -> None:
        self._sensor = sensor
        self._told = 0

    def rows(self, dropped: int, now: int) -> list[Batch]:
        """What came to it since the last call; `dropped` since the start, `now` in nanoseconds since 1970."""
        lost = dropped - self._told
        if not lost:
            return []
        self._told = dropped
        return [health(now, self._sensor, RELAY, dropped_queue=lost)]
