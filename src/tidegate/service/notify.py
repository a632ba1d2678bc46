"""What systemd is told of a service's state (sd_notify(3)): a few words in a datagram.

Written here: the protocol is one datagram of lines to a socket; libraries for it are as long as this file,
and systemd's own has to be compiled against libsystemd.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from tidegate.model.text import safe_text

LONGEST = 512


class Notifier:
    """Tells who started us how it goes; nothing where nobody wants to know."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`environment` says where to (NOTIFY_SOCKET), and how often a sign of life is wanted."""
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._pause = _pause(environment)
        self._clock = clock
        self._told = float("-inf")
        self._status = ""

    @property
    def wanted(self) -> bool:
        """Whether somebody listens."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """The start, or a reload, is over."""
        self._tell("READY=1", self._said(status))

    def reloading(self) -> None:
        """The configuration is read anew; `ready` ends that."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(time.monotonic() * 1e6)}")

    def stopping(self, seconds: float) -> None:
        """It ends, within so many seconds."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}", self._said("ending"))

    def alive(self, status: Callable[[], str]) -> None:
        """A sign of life, twice as often as it is wanted. `status` gives one line of how it goes."""
        now = self._clock()
        if not self._address or now - self._told < self._pause:
            return
        self._told = now
        self._tell("WATCHDOG=1", self._said(status()))

    def _said(self, status: str) -> str:
        text = safe_text(status)[:LONGEST]
        if text == self._status:
            return ""
        self._status = text
        return f"STATUS={text}"

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(filter(None, lines)).encode(), self._address)


def _address(named: str) -> str:
    """An abstract socket is written with an @."""
    if named.startswith("@"):
        return f"\0{named[1:]}"
    return named if named.startswith("/") else ""


def _pause(environment: Mapping[str, str]) -> float:
    """Seconds between two signs of life; ten where only the status is of interest."""
    wanted, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not wanted.isdecimal() or len(wanted) > 18 or (whose and whose != str(os.getpid())):
        return 10.0
    return min(int(wanted) / 2e6, 10.0)
