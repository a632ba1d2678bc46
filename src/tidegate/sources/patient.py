"""Source: live interfaces of which some may not be there yet; and the counters of all captures so far."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from tidegate.model.batch import Batch
from tidegate.model.config import WatchSettings
from tidegate.model.stats import Counters, Standing, Stats
from tidegate.model.zone import told
from tidegate.sources.live import all_interfaces

LOOK = 1.0
"""Seconds between two looks for interfaces that are missing."""
MOST_NEWS = 32


class Capture(Protocol):
    """A live capture."""

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches; None once it has ended."""

    def stop(self) -> None:
        """Ends it."""

    def interfaces(self) -> list[str]:
        """Those watched so far."""

    def stats(self) -> Stats:
        """The counters so far."""


def names_there() -> list[str]:
    """The interfaces that there are."""
    return [interface.name for interface in all_interfaces()]


class Totals:
    """Counters and interfaces of one capture after the other."""

    def __init__(self) -> None:
        self._before = Counters()
        self._names: dict[str, None] = {}
        self._current: Capture | None = None

    def begin(self, capture: Capture) -> None:
        """From here on this one is counted; the one before is over."""
        self._before, self._names = self.counters().ended(), dict.fromkeys(self.interfaces())
        self._current = capture

    def counters(self) -> Counters:
        """The sums up to now."""
        return self._before.plus(Counters.of(self._current.stats())) if self._current else self._before

    def warnings(self) -> list[str]:
        """What the capture that runs warns of."""
        return list(self._current.stats().warnings) if self._current else []

    def standing(self) -> Standing:
        """What has become of the interfaces of the capture that runs."""
        current = self._current
        return Standing.of(current.interfaces(), current.stats()) if current else Standing()

    def interfaces(self) -> list[str]:
        """Every interface watched so far, gone ones included."""
        return list(self._names | dict.fromkeys(self._current.interfaces() if self._current else ()))


class Patient:
    """Captures on those of the named interfaces that are there, and on the others once they are.

    For one that comes the capture is opened anew: what the old one still holds is handed on before, but
    connections of the others begin anew, and packets of that moment are missing. Once an interface was there,
    the capture itself waits for it.
    """

    def __init__(
        self,
        settings: WatchSettings,
        open: Callable[[WatchSettings], Capture],
        there: Callable[[], Sequence[str]] = names_there,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        zone: tzinfo = UTC,
    ) -> None:
        """`open` gives a capture; what it raises is raised here, or by `poll`. Times are told in `zone`."""
        self._settings = settings
        self._open = open
        self._there = there
        self._clock = clock
        self._wait = wait
        self._zone = zone
        self._capture: Capture | None = None
        self._renewing = self._stopped = False
        self._news: list[str] = []
        self._missing: list[str] = []
        self._looked = clock()
        self._begin()

    @property
    def missing(self) -> list[str]:
        """The interfaces that have not been there yet and are waited for."""
        return list(self._missing)

    def waited(self, gone: Sequence[str]) -> list[str]:
        """The interfaces that are waited for, those of them included that are gone now."""
        return [*self._missing, *(name for name in gone if name in self._settings.interfaces)]

    @property
    def warnings(self) -> list[str]:
        """What the user should know of those that were waited for."""
        return [*self._news, *(f"{name}: no such interface; waiting for it" for name in self._missing)]

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches after at most `timeout` seconds; None after stop(), or when the capture has ended."""
        if self._capture is None:
            return self._without(timeout)
        if self._is_due() and self._came():
            self._renewing = True
            self._capture.stop()
        batches = self._capture.poll(timeout)
        if batches is None and self._renewing and not self._stopped:
            self._capture = None
            return []
        return batches

    def stop(self) -> None:
        """Ends the capture; safe from any thread and from a signal handler."""
        self._stopped = True
        if self._capture:
            self._capture.stop()

    def _without(self, timeout: float) -> list[Batch] | None:
        """Nothing, while there is no interface, or the old capture is over and the new one not begun."""
        if self._stopped:
            return None
        if self._renewing or (self._is_due() and self._came()):
            self._begin()
        else:
            self._wait(min(timeout, LOOK))
        return []

    def _is_due(self) -> bool:
        if not self._missing or self._renewing or self._clock() - self._looked < LOOK:
            return False
        self._looked = self._clock()
        return True

    def _came(self) -> bool:
        there = self._there()
        return any(name in there for name in self._missing)

    def _begin(self) -> None:
        """Opens what is there."""
        names = self._settings.interfaces
        there = self._there() if names else []
        before, wanted = self._missing, [name for name in names if name in there or name == "any"]
        self._missing = [name for name in dict.fromkeys(names) if name not in wanted]
        self._renewing = False
        if names and not wanted:
            return
        self._capture = self._open(replace(self._settings, interfaces=tuple(wanted)))
        for name in before:
            if name not in self._missing:
                self._news.append(f"{name}: came up, watched since {told(datetime.now(UTC), self._zone)}")
        del self._news[:-MOST_NEWS]
