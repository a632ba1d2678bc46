"""Sends what is due in an outbox, one letter after the other; one process at a time, nothing twice."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tidegate.mail.account import Account
from tidegate.mail.errors import TooLargeError
from tidegate.mail.line import Line, limited
from tidegate.mail.outbox import DamagedError, Outbox, OutboxError
from tidegate.mail.server import Delivery, deliver
from tidegate.mail.shrink import shrink
from tidegate.mail.slip import Slip, after_delivery, after_failure

SLOWEST = 20_000
"""Bytes a second that a line should manage, beside the time a server may be silent."""

_log = logging.getLogger("tidegate.mail")


@dataclass
class Sender:
    """Who sends; what is wrong now stands in `error`."""

    outbox: Outbox
    account: Account
    keep: float
    """Seconds for which a letter is tried."""
    clock: Callable[[], float]
    """Seconds since 1970."""
    line: Line = field(default_factory=Line)
    error: str = ""
    tells: bool = True
    """Whether the log is told what became of letters; who sends by hand says it himself."""
    stopped: bool = False
    _unwritten: dict[str, Slip] = field(default_factory=dict)
    """What the disk did not take yet. Until it does, nothing is sent, or it would be sent again."""

    def send_due(self, only: str = "") -> bool:
        """Tries each letter that is due (`only` the one of this Message-ID, due or not).

        False if another process is sending. Raises OutboxError where the outbox cannot be used.
        """
        with self.outbox.sending() as ours:
            if not ours:
                return False
            for known in list(self._unwritten.values()):
                self._write(known)
            for slip in self.outbox.waiting():
                if self.stopped:
                    break
                if slip.message_id == only or (not only and slip.is_due(self.clock())):
                    self._try(slip)
        return True

    def stop(self) -> None:
        """No letter is begun any more, and what is under way is cut off."""
        self.stopped = True
        self.line.cut()

    def _try(self, slip: Slip) -> None:
        try:
            known = self._tried(slip)
        except DamagedError as error:
            known = replace(slip, state="given up", said=str(error), finished=self.clock())
            self.outbox.set_aside(known)
            if self.tells:
                _tell(slip, known)
            return
        if self.stopped and known.finished is None and not known.taken:
            return  # we cut it off ourselves: no fault of the server's
        self._write(known)
        self.error = known.said if known.finished is None else ""
        if self.tells:
            _tell(slip, known)

    def _write(self, known: Slip) -> None:
        self._unwritten[known.message_id] = known
        self.outbox.update(known)
        del self._unwritten[known.message_id]

    def _tried(self, slip: Slip) -> Slip:
        seconds = 2 * self.account.timeout + slip.size / SLOWEST
        try:
            letter = self.outbox.letter(slip)
            self.outbox.prepare(slip)
            with limited(self.line, seconds):
                delivery = self._deliver(slip, letter)
        except (OutboxError, DamagedError):
            raise
        except Exception as error:  # noqa: BLE001 - what a library makes of an answer must not end the thread
            return after_failure(slip, error, self.keep, self.clock())
        return after_delivery(slip, delivery, self.clock())

    def _deliver(self, slip: Slip, letter: bytes) -> Delivery:
        """Hands it in; once more with less in it where it is too large for the server."""
        try:
            return deliver(self.account, letter, slip.left, self.line.opened)
        except TooLargeError as error:
            smaller = shrink(letter, error.limit, slip.report)
            if smaller is None:
                raise
        return deliver(self.account, smaller, slip.left, self.line.opened)


def _tell(before: Slip, slip: Slip) -> None:
    if slip.state == "sent":
        _log.info("mail: sent: %s, to %s", slip.subject, ", ".join(slip.to))
    elif slip.finished is not None:
        _log.warning("mail: %s: %s: %s", slip.state, slip.subject, slip.said)
    elif not before.tries or before.said != slip.said:
        _log.warning("mail: not sent yet, trying again: %s: %s", slip.subject, slip.said)
