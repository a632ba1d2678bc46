"""A good client and its server, for tests in which others behave badly: nothing of that may harm it."""

import socket
import threading
import time
from typing import Self

from helpers import wait_for

LOCAL = "127.0.0.1"
PAGE = b"x" * 1400
BAD = "127.0.0.66"
"""Where bad guests come from, so that they are told from the good one."""


def answer(connection: socket.socket) -> None:
    """A good backend: a page for each line."""
    while connection.recv(4096):
        connection.sendall(PAGE)


def guest(port: int) -> socket.socket:
    """A bad client."""
    client = socket.socket()
    # Its port is chosen as it connects: one that is bound before keeps good clients from that port,
    # and beside thousands of others each takes milliseconds to find.
    client.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
    client.settimeout(20)
    try:
        client.bind((BAD, 0))
        client.connect((LOCAL, port))
    except OSError:
        client.close()
        raise
    return client


class Bystander:
    """A good client: asks on a kept connection and on new ones, until it is left."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="bystander")
        self.failed: list[str] = []
        self.slowest = 0.0
        self.rounds = 0

    def _page(self, client: socket.socket) -> None:
        began = time.monotonic()
        client.sendall(b"page please\n")
        got = 0
        while got < len(PAGE):
            piece = client.recv(4096)
            if not piece:
                raise ConnectionError("ended in the middle")
            got += len(piece)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def _ask(self) -> None:
        try:
            with socket.create_connection((LOCAL, self._port), 20) as kept:
                while not self._stop.is_set():
                    self._page(kept)
                    with socket.create_connection((LOCAL, self._port), 20) as other:
                        self._page(other)
                    self.rounds += 1
                    time.sleep(0.001)  # or it runs out of ports where a test takes its time
        except OSError as error:
            self.failed.append(str(error))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self.failed, self.failed
        # As long as a peer let it wait on a machine that was quiet; those that test are busy.
        assert self.rounds > 0 and self.slowest < 8, (self.rounds, self.slowest)

    def goes_on(self, rounds: int = 20) -> None:
        """Until it was served so many times more."""
        wanted = self.rounds + rounds
        wait_for(lambda: self.failed or self.rounds >= wanted)
