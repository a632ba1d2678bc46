"""A cable between two TAP devices, with delay, loss, and a mirror port that may add tags and tunnels."""

import fcntl
import heapq
import os
import select
import struct
import threading
import time
from collections.abc import Callable

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
BIGGEST_FRAME = 65536

Wrap = Callable[[bytes, int], list[bytes]]
"""A frame and its direction (0 from the client, 1 from the server) to the frames the mirror shows."""


def open_tap(name: str) -> int:
    """A new TAP device in this network namespace; its descriptor stays valid when the device is moved."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def as_is(frame: bytes, _direction: int) -> list[bytes]:
    """What is said is what is shown."""
    return [frame]


class Wire:
    """Carries frames between two ends on a thread of its own and shows them on a mirror.

    `delay` holds the seconds from the mirror to each end. `lose` is asked for every frame; a lost
    one is seen by the mirror if `mirror_first` (the mirror stands at the sender), else by nobody.
    """

    def __init__(self, ends: tuple[int, int], mirror: int) -> None:
        self.ends = ends
        self.mirror = mirror
        self.delay = (0.001, 0.003)
        self.wrap: Wrap = as_is
        self.lose: Callable[[bytes, int], bool] = lambda _frame, _direction: False
        self.mirror_first = False
        self._later: list[tuple[float, int, int, bytes]] = []
        self._order = 0
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="wire")
        self._thread.start()

    def plain(self) -> None:
        """Back to a cable that only delays."""
        self.wrap, self.lose, self.mirror_first = as_is, lambda _frame, _direction: False, False

    def close(self) -> None:
        """Pulls the cable."""
        os.write(self._stop_writer, b"x")
        self._thread.join()

    def _carry(self) -> None:
        while True:
            wait = max(0.0, self._later[0][0] - time.monotonic()) if self._later else None
            ready, _, _ = select.select([*self.ends, self._stop_reader], [], [], wait)
            if self._stop_reader in ready:
                return
            for direction, end in enumerate(self.ends):
                if end in ready:
                    self._take(os.read(end, BIGGEST_FRAME), direction)
            self._deliver()

    def _take(self, frame: bytes, direction: int) -> None:
        lost = self.lose(frame, direction)
        if not lost or self.mirror_first:
            for shown in self.wrap(frame, direction):
                os.write(self.mirror, shown)
        if not lost:
            self._order += 1
            to = 1 - direction
            heapq.heappush(self._later, (time.monotonic() + self.delay[to], self._order, to, frame))

    def _deliver(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(self._later)
            os.write(self.ends[to], frame)
