"""What the core's relay could not hand over in time, as rows of table health."""

from typing import Any

from tidegate.model.batch import Batch, make
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
        counters = dict.fromkeys(("packets", "bytes", "dropped_kernel", "dropped_table", "duplicates"), 0)
        row = {"ts": now, "sensor": self._sensor, "source": RELAY, "dropped_queue": lost}
        none: dict[str, Any] = {"malformed": {}, "not_ip": {}}
        return [make("health", {name: [value] for name, value in (row | counters | none).items()})]
