"""What parts have lost since the program began, also those that a reload has ended."""

from collections.abc import Callable

Count = Callable[[], int]


class Losses:
    """Sums by name. Parts end and begin with each line; sums go on. Safe to read from any thread."""

    def __init__(self) -> None:
        self._state: tuple[dict[str, int], list[tuple[str, Count]]] = ({}, [])

    def begin(self) -> None:
        """The parts so far have ended: what they counted stays."""
        before, now = self._state
        sums = dict(before)
        for name, count in now:
            sums[name] = sums.get(name, 0) + count()
        self._state = (sums, [])

    def add(self, name: str, count: Count) -> None:
        """Counts this part, too, from now on."""
        before, now = self._state
        self._state = (before, [*now, (name, count)])

    def of(self, name: str) -> int:
        """What parts of this name have counted."""
        before, now = self._state
        return before.get(name, 0) + sum(count() for each, count in now if each == name)
