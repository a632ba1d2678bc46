"""The connection of an attempt, so that another thread can cut it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tidegate.mail.errors import MailError, at_step

Opened = Callable[[Callable[[], socket.socket | None] | None], None]
"""Is told where the connection's socket is found, for who wants to cut it; None once all is done."""


class Line:
    """Knows where the socket is, and can end what it is doing."""

    def __init__(self) -> None:
        self._socket: Callable[[], socket.socket | None] | None = None
        self.done = False
        """Whether what was wanted is had: being late with a farewell undoes nothing."""

    def opened(self, current: Callable[[], socket.socket | None] | None) -> None:
        """Says where the socket is found from now on; None: all is done, and nothing is to be cut."""
        self._socket = current
        self.done = current is None

    def cut(self) -> None:
        """Ends what the connection is doing, at once."""
        found = self._socket() if self._socket else None
        if found is not None:
            try:
                socket.socket.shutdown(found, socket.SHUT_RDWR)
            except OSError:  # it is closed already, or not connected yet
                return


@contextmanager
def limited(line: Line, seconds: float, name: str = "tidegate-mail-cut") -> Iterator[None]:
    """Cuts the line when the time is over, however the other side drips; raises TimeoutError then.

    `name` is that of the thread which does.
    """
    over, line.done = threading.Event(), False

    def cut() -> None:
        over.set()
        line.cut()

    cutter = threading.Timer(seconds, cut)
    cutter.name = name
    cutter.start()
    step = ""
    try:
        yield
    except Exception as error:
        if not over.is_set():
            raise
        step = at_step(error.phase) if isinstance(error, MailError) else ""
    finally:
        cutter.cancel()
        cutter.join()
    if over.is_set() and not line.done:  # half an answer is none, even if it begins well
        raise TimeoutError(f"the server was too slow: cut off after {seconds:.0f} s{step}")
