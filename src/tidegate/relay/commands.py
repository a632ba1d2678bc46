"""What the control socket can be asked about the relay: words, what they take, and plain data back."""

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.model.ends import parse_address
from tidegate.model.errors import UsageError
from tidegate.relay.service import Relay

Command = Callable[..., Mapping[str, Any]]


def commands(current: Callable[[], Relay], drain: Callable[[], None]) -> dict[str, Command]:
    """The words. `current` gives the relay that runs now; it raises UsageError where none does."""

    def relay() -> dict[str, Any]:
        return {"relay": current().status()}

    def relay_connections() -> dict[str, Any]:
        return {"connections": current().connections()}

    def relay_picture(connections: bool) -> dict[str, Any]:
        return current().picture(connections)

    def relay_reject(address: str) -> dict[str, Any]:
        ip = parse_address(address)
        return {"address": ip, "changed": current().reject(ip)}

    def relay_release(address: str) -> dict[str, Any]:
        ip = parse_address(address)
        return {"address": ip, "changed": current().release(ip)}

    def relay_kill(connection: int) -> dict[str, Any]:
        if not current().kill(connection):
            raise UsageError(f"there is no connection {connection}; see tidegate relay status")
        return {}

    def relay_drain() -> dict[str, Any]:
        drain()
        return {}

    return {
        "relay": relay,
        "relay_connections": relay_connections,
        "relay_picture": relay_picture,
        "relay_reject": relay_reject,
        "relay_release": relay_release,
        "relay_kill": relay_kill,
        "relay_drain": relay_drain,
    }
