"""What the helper does for a worker, for a process that has the rights itself and no helper beside it."""

import socket

from tidegate.helper.messages import Alter, Steer
from tidegate.helper.steering import Steered, Steerings


class OwnRights:
    """Low ports and steering with this process's own rights; where it lacks them the system says so."""

    def __init__(self) -> None:
        self._steerings = Steerings()

    def steer(self, asked: Steer) -> Steered:
        """As Helper.steer."""
        return self._steerings.steer(asked)

    def alter(self, asked: Alter) -> None:
        """As Helper.alter."""
        self._steerings.alter(asked)

    def release(self, steering: int) -> None:
        """As Helper.release."""
        self._steerings.release(steering)

    def bind(self, protocol: str, address: str, port: int) -> socket.socket:
        """As Helper.bind."""
        return bound(protocol, address, port)

    def close(self) -> None:
        """Ends all steering."""
        self._steerings.close()


def bound(protocol: str, address: str, port: int) -> socket.socket:
    """A socket bound to a port; of IPv6 it takes no IPv4. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    form = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    made = socket.socket(family, form)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if form == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made
