"""Wide doors for tests: opened, and met from the other end of the street."""

import socket
import subprocess

from streets import Street
from tidegate.relay.plan import Address, Backend, Door, Service
from tidegate.relay.steering import Arranged, Doors, Rights

WIDE = ((1, 21), (23, 2221), (2223, 65_535))
"""All ports but 22 and 2222."""
SO_ORIGINAL_DST = 80


def service(method: str, ip: str, ports: tuple[tuple[int, int], ...] = WIDE, *backends: Address) -> Service:
    behind = tuple(Backend(f"b{n}", ((one, 1),)) for n, one in enumerate(backends))
    return Service("wide", (Door(ip, ports, method),), behind, None)  # type: ignore[arg-type]


class House:
    """Doors, and the sockets that came of them."""

    def __init__(self, rights: Rights) -> None:
        self.doors = Doors(rights)
        self._sockets: list[socket.socket] = []

    def arrange(self, *services: Service) -> Arranged:
        arranged = self.doors.arrange(services)
        self._sockets += [one.socket for one in arranged.opened]
        for one in arranged.opened:
            one.socket.settimeout(10)
        return arranged

    def opened(self, *services: Service) -> list[socket.socket]:
        """Sockets that were opened, without a problem."""
        arranged = self.arrange(*services)
        assert not arranged.problems
        return [one.socket for one in arranged.opened]

    def close(self) -> None:
        self.doors.close()
        for one in self._sockets:
            one.close()


def arrives(street: Street, listener: socket.socket, ip: str, port: int, method: str, far: bool) -> None:
    """A connection comes to the listener, which knows where it was going, and carries bytes."""
    with street.connect(ip, port, far) as client, listener.accept()[0] as accepted:
        assert original(accepted, method) == (ip, port)
        client.sendall(b"ping")
        accepted.settimeout(10)
        assert accepted.recv(10) == b"ping"
        accepted.sendall(b"pong")
        assert client.recv(10) == b"pong"


def original(accepted: socket.socket, method: str) -> tuple[str, int]:
    """As the relay finds it out."""
    if method != "redirect":
        return accepted.getsockname()[:2]  # type: ignore[no-any-return]
    six = accepted.family == socket.AF_INET6
    level, at = (socket.IPPROTO_IPV6, slice(8, 24)) if six else (socket.IPPROTO_IP, slice(4, 8))
    address = accepted.getsockopt(level, SO_ORIGINAL_DST, 28)
    return socket.inet_ntop(accepted.family, address[at]), int.from_bytes(address[2:4], "big")


def tables() -> str:
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
