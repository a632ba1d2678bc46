"""Which targets of backends are there: each is connected to now and then, by a thread of its own."""

import errno
import logging
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Event, Lock, Thread

from tidegate.model.config import BackendSettings
from tidegate.model.ends import Target, is_address, parse_target
from tidegate.model.text import safe_text

_log = logging.getLogger("tidegate")

_POLL = 0.25

_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What keeps us from looking says nothing of a target."""


@dataclass
class Check:
    """A target, how it is looked after, and how it stands. Seconds, on the caller's clock."""

    target: Target
    backend: str
    every: float
    timeout: float
    fall: int
    rise: int
    due: float = 0.0
    up: bool = True
    run: int = 0
    """Results in a row that speak against how it stands."""
    error: str = ""

    def heard(self, error: str, now: float) -> bool:
        """Takes the result of an attempt, empty for success; whether the target has fallen or risen by it."""
        self.due = now + self.every
        self.error = error
        self.run = self.run + 1 if (error == "") != self.up else 0
        if self.run < (self.fall if self.up else self.rise):
            return False
        self.up, self.run = not self.up, 0
        return True


def checks_of(backends: Iterable[BackendSettings]) -> list[Check]:
    """What is to be looked at; several backends may share a target, each looks at it as it likes."""
    return [
        Check(
            parse_target(text),
            backend.name,
            backend.check,
            backend.check_timeout,
            backend.check_fall,
            backend.check_rise,
        )
        for backend in backends
        if backend.check is not None
        for text in backend.targets
    ]


Resolve = Callable[[str], tuple[str, ...]]
"""Addresses of a name, as they are known; nothing is asked."""


class Health:
    """Looks at targets until it is closed. `changed` is set when one falls or rises."""

    def __init__(
        self,
        backends: Iterable[BackendSettings],
        resolve: Resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks_of(backends)
        self._resolve = resolve
        self._clock = clock
        self._lock = Lock()
        self.changed = Event()
        self._over = Event()
        self._thread = Thread(target=self._run, name="tidegate-relay-health")
        if self._checks:
            self._thread.start()

    def missing(self) -> frozenset[str]:
        """Targets that do not answer, as people write them."""
        with self._lock:
            return frozenset(str(check.target) for check in self._checks if not check.up)

    def standings(self) -> list[dict[str, object]]:
        """How each target stands."""
        with self._lock:
            return [
                {"backend": check.backend, "target": str(check.target), "up": check.up, "error": check.error}
                for check in self._checks
            ]

    def close(self) -> None:
        """Ends the thread."""
        self._over.set()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        short = False
        while not self._over.wait(_POLL):
            now = self._clock()
            if not (due := [check for check in self._checks if check.due <= now]):
                continue
            try:
                for check, error in attempt(due, self._resolve, self._over.is_set):
                    self._take(check, error)
                short = False
            except OSError as error:
                if not short:
                    _log.warning(
                        "backends are not looked at for now, they stand as they stood: %s", error.strerror
                    )
                short = True

    def _take(self, check: Check, error: str) -> None:
        with self._lock:
            turned = check.heard(error, self._clock())
        if not turned:
            return
        said = "is back" if check.up else f"is left out: {error}"
        _log.warning("backend %s: %s %s", safe_text(check.backend), check.target, safe_text(said))
        self.changed.set()


def attempt(
    checks: Iterable[Check], resolve: Resolve, over: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Check, str]]:
    """Connects to all of them at once; each with its error, empty for success, as it comes.

    Raises OSError when it is we who have no files or memory left to look with.
    """
    with selectors.DefaultSelector() as selector:
        until: dict[socket.socket, float] = {}
        try:
            for check in checks:
                caller, error = _begin(check.target, resolve)
                if caller is None:
                    yield check, error
                    continue
                until[caller] = time.monotonic() + check.timeout
                selector.register(caller, selectors.EVENT_WRITE, check)
            while until and not over():
                yield from _results(selector, until)
        finally:
            for caller in until:
                caller.close()


def _results(
    selector: selectors.BaseSelector, until: dict[socket.socket, float]
) -> Iterator[tuple[Check, str]]:
    done = {key.fileobj for key, _ in selector.select(_POLL)}
    now = time.monotonic()
    for caller in list(until):
        if caller not in done and until[caller] > now:
            continue
        code = caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if caller in done else errno.ETIMEDOUT
        check: Check = selector.unregister(caller).data
        del until[caller]
        caller.close()
        yield check, os.strerror(code) if code else ""


def _begin(target: Target, resolve: Resolve) -> tuple[socket.socket | None, str]:
    """A socket that connects; or why the target has none. Raises OSError where it is our own fault."""
    host = target.host
    if not target.path and not is_address(host):
        host = next(iter(resolve(host)), "")
        if not host:
            return None, "no address"
    family = socket.AF_UNIX if target.path else socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        caller = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno in _OURS:
            raise
        return None, error.strerror or str(error)
    caller.setblocking(False)
    try:
        code = caller.connect_ex(target.path or (host, target.port))
    except OSError as error:
        caller.close()
        return None, error.strerror or str(error)
    if code not in (0, errno.EINPROGRESS):
        caller.close()
        return None, os.strerror(code)
    return caller, ""
