"""The one door to the core's relay."""

from typing import Any, Protocol

from tidegate import _core
from tidegate.model.batch import Batch
from tidegate.model.errors import from_core
from tidegate.relay.plan import Plan


class Core(Protocol):
    """A data plane that carries out a plan from its creation on."""

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches since the last call, after at most `timeout` seconds; None when it has stopped."""

    def stats(self) -> dict[str, Any]:
        """Counters since the start."""

    def dropped(self) -> int:
        """Rows that could not be handed over because poll() came too late."""

    def connections(self, limit: int) -> list[dict[str, Any]]:
        """Those that are open, at most so many."""

    def reload(self, plan: Plan) -> None:
        """Takes another plan."""

    def reject(self, ip: str) -> bool:
        """Refuses an address from now on, and ends its connections; False if it did already."""

    def release(self, ip: str) -> bool:
        """Lets it in again; False if it was not rejected."""

    def rejected(self) -> list[str]:
        """Addresses that are refused."""

    def kill(self, number: int) -> None:
        """Ends a connection, if it is there."""

    def drain(self) -> None:
        """Lets nobody in, gives connections their time, then stops."""

    def stop(self) -> None:
        """Stops at once."""

    def adopt(self, service: str, fd: int) -> int:
        """Relays a connection that somebody else has accepted; its number. The descriptor is copied."""


class Carrier:
    """The core's relay, its errors as ours."""

    def __init__(self, plan: Plan) -> None:
        """Starts what the plan asks for; raises UsageError for one that cannot be."""
        with from_core():
            self._relay = _core.Relay(plan)

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches since the last call; raises CaptureError if the core has failed."""
        with from_core():
            batches = self._relay.poll(timeout)
        return None if batches is None else list(batches)

    def stats(self) -> dict[str, Any]:
        """Counters since the start."""
        return self._relay.stats()

    def dropped(self) -> int:
        """Rows that could not be handed over because poll() came too late."""
        return self._relay.dropped()

    def connections(self, limit: int) -> list[dict[str, Any]]:
        """Those that are open, at most so many."""
        return self._relay.connections(limit)

    def reload(self, plan: Plan) -> None:
        """Takes another plan; raises UsageError, and then nothing has changed."""
        with from_core():
            self._relay.reload(plan)

    def reject(self, ip: str) -> bool:
        """Refuses an address from now on, and ends its connections."""
        with from_core():
            return self._relay.reject(ip)

    def release(self, ip: str) -> bool:
        """Lets it in again."""
        with from_core():
            return self._relay.release(ip)

    def rejected(self) -> list[str]:
        """Addresses that are refused."""
        return self._relay.rejected()

    def kill(self, number: int) -> None:
        """Ends a connection, if it is there."""
        self._relay.kill(number)

    def drain(self) -> None:
        """Lets nobody in, gives connections their time, then stops."""
        self._relay.drain()

    def stop(self) -> None:
        """Stops at once."""
        self._relay.stop()

    def adopt(self, service: str, fd: int) -> int:
        """Relays a connection that somebody else has accepted; raises UsageError if it is not let in."""
        with from_core():
            return self._relay.adopt(service, fd)
