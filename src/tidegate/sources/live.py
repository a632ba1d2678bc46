"""Source: live interfaces of this machine."""

import time
from collections.abc import Callable, Sequence

from tidegate import _core
from tidegate.model.batch import Batch, health
from tidegate.model.config import RecordSettings, WatchSettings
from tidegate.model.errors import TidegateError, from_core
from tidegate.sources.engine import engine_config

SIGN_OF_LIFE = 60_000_000_000
"""Nanoseconds without a row of health after which one is made that says nothing but that we look."""


class Live:
    """A capture that runs from creation to stop()."""

    def __init__(
        self,
        settings: WatchSettings,
        tables: Sequence[str],
        helper_fd: int | None = None,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        """Opens the interfaces, all that are up (now or later) if none is named.

        `helper_fd` leads to the privileged helper, which opens packet sockets for us.
        Raises CaptureError or UsageError.
        """
        record = settings.record or RecordSettings("")
        self._wall = wall
        self._sensor = settings.engine.sensor
        self._wants_health = "health" in tables
        # The first row comes at once: from here on somebody looks.
        self._told = wall() - SIGN_OF_LIFE
        self._silent = True
        with from_core():
            self._watcher = _core.Watcher(
                list(settings.interfaces),
                filter=settings.filter,
                tables=list(tables),
                config=engine_config(settings.engine),
                snaplen=settings.snaplen,
                promiscuous=settings.promiscuous,
                ring_bytes=settings.buffer,
                count=settings.count,
                record=record.path or None,
                record_bytes=record.rotate_size,
                record_seconds=record.rotate_time,
                record_total=record.total,
                helper_fd=helper_fd,
            )

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches made since the last call; None after stop() when all is handed over."""
        with from_core():
            batches = self._watcher.poll(timeout)
        if batches is not None:
            return [*batches, *self._sign_of_life(batches)]
        if self._silent and self._wants_health:  # it was a short one: say that there was one
            self._silent = False
            return [health(self._wall(), self._sensor)]
        return None

    def _sign_of_life(self, batches: Sequence[Batch]) -> list[Batch]:
        """A row of health where there was none for a while: no packets are no gap in the capture."""
        now = self._wall()
        if any(batch.table == "health" for batch in batches):
            self._told, self._silent = now, False
        if not self._wants_health or 0 <= now - self._told < SIGN_OF_LIFE:
            return []
        self._told, self._silent = now, False
        return [health(now, self._sensor)]

    def stop(self) -> None:
        """Ends the capture; safe from any thread and from a signal handler."""
        self._watcher.stop()

    def interfaces(self) -> list[str]:
        """The interfaces watched so far."""
        return self._watcher.interfaces()

    def stats(self) -> _core.Stats:
        """The counters so far."""
        return self._watcher.stats()


def all_interfaces() -> list[_core.InterfaceInfo]:
    """Every network interface of this machine."""
    with from_core():
        return _core.interfaces()


def own_addresses() -> tuple[str, ...]:
    """The addresses of this machine."""
    found = (address for interface in all_interfaces() for address in interface.addresses)
    return tuple(address.partition("/")[0].partition("%")[0] for address in found)


def filter_problem(expression: str) -> str:
    """Why a BPF expression does not compile here; empty if it does."""
    try:
        with from_core():
            _core.check_filter(expression)
    except TidegateError as error:
        return str(error)
    return ""
