"""A thread with a bounded queue that tells somebody, and tries again; what is lost is counted and said."""

import logging
import threading
import time
from collections import OrderedDict, deque
from typing import Protocol

from tidegate.alerts.actions.notice import Notice
from tidegate.mail.line import Line, limited
from tidegate.model.errors import TidegateError
from tidegate.model.locks import lock_and_condition
from tidegate.model.text import one_line

MOST_WAITING = 1000
"""Notices that wait for one action; further ones are lost."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Seconds before the second attempt, which double with each further one, up to this."""

LAST_WAIT = 1.0
"""Seconds a thread has to end once its connection was cut."""

MOST_OUTCOMES = 500
"""Alerts of which is remembered whether somebody was told."""

LONGEST_REASON = 300
"""Characters of what is said of a failure."""

_log = logging.getLogger("tidegate.alerts")


class RefusedError(TidegateError):
    """It will never work: trying again is of no use."""


class Send(Protocol):
    """One attempt."""

    def __call__(self, notice: Notice, line: Line) -> None:
        """Raises OSError or TidegateError if it did not work, RefusedError if it never will."""


class Teller:
    """Tells in the order of the alerts. One that cannot be told holds up the next, never anybody else."""

    def __init__(
        self, name: str, send: Send, retries: int, timeout: float, first_wait: float = FIRST_WAIT
    ) -> None:
        self.name = name
        self.lost = 0
        """Notices that nobody was told."""
        self._send = send
        self._retries = retries
        self._timeout = timeout
        self._first_wait = first_wait
        self._line = Line()
        self._queue: deque[tuple[float, Notice]] = deque()
        self._outcomes: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._begun: float | None = None
        self._version = 0
        self._lock, self._changed = lock_and_condition()
        self._finishing = threading.Event()
        self._given_up = False
        self._full = False
        self._thread = threading.Thread(target=self._work, name=f"tidegate-alert-{name}")

    @property
    def waiting(self) -> int:
        """Notices that are not told yet."""
        return len(self._queue) + (self._begun is not None)

    @property
    def lag(self) -> float:
        """Seconds for which the oldest of them has been waiting."""
        with self._lock:
            since = self._begun if self._begun is not None or not self._queue else self._queue[0][0]
        return 0.0 if since is None else time.monotonic() - since

    def outcomes(self) -> dict[str, tuple[int, str]]:
        """Of the last alerts by alert_id: when it was tried last, and what went wrong, if anything."""
        with self._lock:
            return dict(self._outcomes)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def tell(self, notice: Notice) -> None:
        """Takes a notice; one that finds no room is lost."""
        with self._lock:
            if len(self._queue) < MOST_WAITING and not self._finishing.is_set():
                self._full = False
                self._queue.append((time.monotonic(), notice))
                self._changed.notify()
                return
            first, self._full = not self._full, True
        self._lose(f"{MOST_WAITING} alerts wait already" if first else "")

    def renew(self, send: Send, retries: int, timeout: float, anew: bool) -> None:
        """Tells this way from now on, also what waits; `anew`: at once, with all retries."""
        with self._lock:
            self._send, self._retries, self._timeout = send, retries, timeout
            self._version += anew
            self._changed.notify()

    def finish(self) -> None:
        """From now on nothing is waited for: what is in the queue is tried once, then the thread ends."""
        with self._lock:
            self._finishing.set()
            self._changed.notify()

    def join(self, deadline: float) -> None:
        """Waits for the end so long, then cuts the connection; what was not told is lost."""
        if not self._thread.ident:
            return
        self._thread.join(deadline)
        if self._thread.is_alive():
            self._given_up = True
            self._line.cut()
            self._thread.join(LAST_WAIT)
            _log.warning("alerts: %s was not told all before the end (%d lost)", self.name, self.lost)

    def _work(self) -> None:
        while (notice := self._next()) is not None:
            self._tell(notice)

    def _next(self) -> Notice | None:
        with self._lock:
            self._begun = None
            self._changed.wait_for(lambda: self._queue or self._finishing.is_set())
            if not self._queue:
                return None
            self._begun, notice = self._queue.popleft()
            return notice

    def _tell(self, notice: Notice) -> None:
        reason, wait, attempt, version = "", self._first_wait, 0, self._version
        while not self._given_up:
            last = self._finishing.is_set()
            try:
                self._attempt(notice)
                self._note(notice, "")
                return
            except RefusedError as error:
                reason, last = str(error), True
            except (OSError, TidegateError) as error:
                words = error.strerror if isinstance(error, OSError) else None
                reason = words or str(error) or type(error).__name__
            except Exception as error:  # noqa: BLE001 - what a library makes of an answer must not end the thread
                reason = f"{type(error).__name__}: {error}"
            self._note(notice, reason)
            if version == self._version:
                if last or attempt >= self._retries:
                    break
                if attempt == 0:
                    _log.info("alerts: %s: %s; trying again", self.name, one_line(reason, LONGEST_REASON))
                self._wait(wait, version)
                wait, attempt = min(2 * wait, LONGEST_WAIT), attempt + 1
            if version != self._version:  # other settings: what was wrong may be right now
                wait, attempt, version = self._first_wait, 0, self._version
        self._lose("" if self._given_up else reason)

    def _note(self, notice: Notice, reason: str) -> None:
        with self._lock:
            name = str(notice.data["alert_id"])
            self._outcomes.pop(name, None)
            self._outcomes[name] = time.time_ns(), one_line(reason, LONGEST_REASON)
            if len(self._outcomes) > MOST_OUTCOMES:
                self._outcomes.popitem(last=False)

    def _wait(self, seconds: float, version: int) -> None:
        """Waits before the next attempt; the end and other settings cut it short."""
        with self._lock:
            self._changed.wait_for(lambda: self._finishing.is_set() or self._version != version, seconds)

    def _attempt(self, notice: Notice) -> None:
        """One attempt, cut when its time is over, however the other side drips."""
        with self._lock:
            send, timeout = self._send, self._timeout
        with limited(self._line, timeout, f"tidegate-alert-{self.name}-cut"):
            send(notice, self._line)

    def _lose(self, reason: str) -> None:
        with self._lock:
            self.lost += 1
            lost = self.lost
        if reason:
            said = one_line(reason, LONGEST_REASON)
            _log.warning("alerts: %s was not told: %s (%d lost so far)", self.name, said, lost)
