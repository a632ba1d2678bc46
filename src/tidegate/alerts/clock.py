"""The time alerts live in: that of rows and ticks, which only goes forward, whatever clocks do."""

SECOND = 1_000_000_000
TOLERANCE = 2 * SECOND
"""A wall clock that goes back by less is not put right."""
MOST_AHEAD = 60 * SECOND
"""A row may lead the last tick by this much; one from the far future must not end all windows."""


class Clock:
    """Nanoseconds, in two forms: `now` never goes back, `shown` is what the wall says at that moment.

    A wall clock that is set back stops nothing and repeats nothing: from then on it is read with an offset.
    One that is set forward looks like time in which nothing happened.
    """

    def __init__(self) -> None:
        self.now = 0
        """The latest moment; 0 while none is known."""
        self._offset = 0
        self._wall: int | None = None

    def row(self, ts: int) -> int:
        """The moment of a row, which may be earlier than now."""
        at = ts + self._offset
        if self._wall is not None:
            at = min(at, self._wall + self._offset + MOST_AHEAD)
        self.now = max(self.now, at)
        return at

    def tick(self, wall: int) -> int:
        """The wall clock was read; now."""
        if self._wall is not None and wall < self._wall - TOLERANCE:
            self._offset += self._wall - wall
        self._wall = wall
        self.now = max(self.now, wall + self._offset)
        return self.now

    def shown(self, at: int) -> int:
        """A moment as it is written down."""
        return at - self._offset
