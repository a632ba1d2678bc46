"""A thread that empties an outbox as letters become due."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from tidegate.mail.account import Account
from tidegate.mail.outbox import Outbox, OutboxError
from tidegate.mail.sending import Sender
from tidegate.model.text import safe_text

LOOK = 5.0
"""Seconds between two looks: other processes put letters in, and clocks jump."""
DEADLINE = 5.0
"""Seconds a letter under way has to be finished at the end."""

_log = logging.getLogger("tidegate.mail")


class Postman:
    """Works from start() to close(), on its thread tidegate-mail."""

    def __init__(
        self, outbox: Outbox, account: Account, keep: float, clock: Callable[[], float], look: float = LOOK
    ) -> None:
        self._wanted: tuple[Outbox, Account, float] | None = None
        self._sender = Sender(outbox, account, keep, clock)
        self._clock = clock
        self._look = look
        self._changed = threading.Condition()
        self._woken = self._stopping = False
        self._broken = ""
        self._standing: tuple[int, float | None] = (0, None)
        self._thread = threading.Thread(target=self._work, name="tidegate-mail")

    def start(self) -> None:
        """Begins; what waits is tried at once, as something may have been mended."""
        self._thread.start()

    def renew(self, outbox: Outbox, account: Account, keep: float) -> None:
        """Sends from there as this one from now on, all that waits at once."""
        with self._changed:
            self._wanted = (outbox, account, keep)
            self._woken = True
            self._changed.notify()

    def wake(self) -> None:
        """There is a new letter."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def close(self, deadline: float = DEADLINE) -> None:
        """Finishes the letter under way, or cuts it off after so many seconds; what waits stays."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident:
            self._sender.stopped = True
            self._thread.join(deadline)
            while self._thread.is_alive():
                self._sender.stop()
                self._thread.join(0.1)

    @property
    def error(self) -> str:
        """What is wrong now; empty while all goes well."""
        return self._broken or self._sender.error

    def facts(self) -> dict[str, Any]:
        """How it stands, as a part of a running Tidegate."""
        waiting, oldest = self._standing
        lag = max(self._clock() - oldest, 0.0) if oldest is not None else 0.0
        said = f"{waiting} to be sent" if waiting else "nothing to be sent"
        error = self.error if waiting or self._broken else ""
        return {"name": "mail", "waiting": waiting, "lag": lag, "error": safe_text(error), "said": said}

    def _work(self) -> None:
        mended = True
        while not self._stopping:
            wanted, self._wanted = self._wanted, None
            if wanted:
                outbox, self._sender.account, self._sender.keep = wanted
                self._sender.outbox = outbox
            mended = not self._guarded(mended or wanted is not None)
            with self._changed:
                self._changed.wait_for(lambda: self._woken or self._stopping, self._look)
                self._woken = False

    def _guarded(self, mended: bool) -> bool:
        """Sends what is due, all if something may have been mended; False if the outbox cannot be used."""
        outbox = self._sender.outbox
        try:
            if mended:
                outbox.hurry()
            self._sender.send_due()
            waiting = outbox.waiting()
            self._standing = len(waiting), waiting[0].created if waiting else None
            self._broken = ""
        except (OutboxError, OSError) as error:
            if not self._broken:
                _log.warning("mail: %s", error)
            self._broken = str(error)
            return False
        return True
