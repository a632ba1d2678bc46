"""Source: live interfaces of this machine."""

from collections.abc import Sequence

from tidegate import _core
from tidegate.model.batch import Batch
from tidegate.model.config import RecordSettings, WatchSettings
from tidegate.model.errors import TidegateError, from_core
from tidegate.sources.engine import engine_config


class Live:
    """A capture that runs from creation to stop()."""

    def __init__(self, settings: WatchSettings, tables: Sequence[str], helper_fd: int | None = None) -> None:
        """Opens the interfaces, all that are up (now or later) if none is named.

        `helper_fd` leads to the privileged helper, which opens packet sockets for us.
        Raises CaptureError or UsageError.
        """
        record = settings.record or RecordSettings("")
        with from_core():
            self._watcher = _core.Watcher(
                list(settings.interfaces),
                filter=settings.filter,
                tables=list(tables),
                config=engine_config(settings.engine),
                snaplen=settings.snaplen,
                promiscuous=settings.promiscuous,
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
        return None if batches is None else list(batches)

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
