"""The one door to the core's relay: what it can do, in plain data."""

import socket
from collections.abc import Sequence
from typing import Any, Protocol

from tidegate.model.batch import Batch
from tidegate.relay.plan import Plan

Listening = tuple[str, int, socket.socket]
"""A listening socket for the door of this address and port."""


class Core(Protocol):
    """A data plane that carries out a plan from its creation on."""

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches since the last call, after at most `timeout` seconds; None when it has stopped."""

    def stats(self) -> dict[str, Any]:
        """Counters, with a list `services`."""

    def connections(self, limit: int) -> list[dict[str, Any]]:
        """Those that are open, at most so many."""

    def reload(self, plan: Plan, sockets: Sequence[Listening]) -> None:
        """Takes another plan; listening sockets are taken over."""

    def reject(self, ip: str) -> None:
        """Refuses an address from now on, and ends its connections."""

    def release(self, ip: str) -> None:
        """Lets it in again."""

    def kill(self, number: int) -> None:
        """Ends a connection, if it is there."""

    def drain(self) -> None:
        """Lets nobody in, gives connections their time, then stops."""

    def stop(self) -> None:
        """Stops at once."""

    def adopt(self, service: str, connected: socket.socket) -> int:
        """Relays a connection that somebody else has accepted; its number."""


def open_core(plan: Plan, sockets: Sequence[Listening]) -> Core:
    """The core's relay; raises UsageError for a plan that it does not take."""
    raise NotImplementedError
