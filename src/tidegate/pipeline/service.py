"""A Tidegate that goes on: its source restarts when it fails, and its parts follow the configuration."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from tidegate.model.batch import Batch
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import safe_text
from tidegate.pipeline.backoff import Backoff
from tidegate.pipeline.pipeline import Line, Source
from tidegate.pipeline.supervisor import POLL

_log = logging.getLogger("tidegate")


class LostError(TidegateError):
    """Something is gone that only a new process can bring back (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


@dataclass
class Parts:
    """What a configuration asks for. Nothing is open before `line` and `source` are called."""

    capture: object
    """What the source is made of: it is made anew only where this differs."""
    source: Callable[[], Source]
    line: Callable[[], Line]
    facts: Callable[[], dict[str, Any]] = field(default=dict)
    """What the parts have to say of themselves, for `status`."""


class Beside(Protocol):
    """A further source, whose beginnings and failures are its own affair."""

    def poll(self) -> list[Batch]:
        """What it has, at once."""

    def end(self, at_once: Callable[[], bool]) -> Iterable[list[Batch]]:
        """Ends it; what it has until then. `at_once` says whether nobody waits any more."""


class Service:
    """Runs parts until it is stopped. `build` gives them, now and at each reload; it raises TidegateError."""

    def __init__(
        self,
        build: Callable[[], Parts],
        clock: Callable[[], float] = time.monotonic,
        lost: Callable[[], str] = lambda: "",
        name: str = "capture",
        beside: Beside | None = None,
    ) -> None:
        """`lost` says what is gone that only a new process can bring back; empty while nothing is.

        `name` is what the source is called in messages, `beside` a further source.
        """
        self._name = name
        self._beside = beside
        self._stops = 0
        self._build = build
        self._lost = lost
        self._clock = clock
        self._stop = Event()
        self._reload = Event()
        self._started = clock()
        self._backoff = Backoff()
        self._source: Source | None = None
        self._parts: Parts | None = None
        self.error = ""
        """Why there is no capture; empty while there is one."""
        self.reload_error = ""
        """Why the last reload changed nothing."""
        self.reloads = 0
        self.sink_error = ""
        """Why an output is left out; empty while all work."""
        self.missed_rows = 0
        """Rows that outputs did not get while they were left out."""
        self._sinks = Backoff()

    def stop(self) -> None:
        """Asks it to end; a second time waits for nobody. Safe from signal handlers and threads."""
        self._stops += 1
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def reloading(self) -> bool:
        """Whether it was asked to read its configuration anew, and has not yet."""
        return self._reload.is_set()

    def reload(self) -> None:
        """Asks it to read its configuration anew; safe from signal handlers and threads."""
        self._reload.set()

    def reload_if_right(self, load: Callable[[], object]) -> None:
        """The same, if `load` finds it right; raises its UsageError if not, and `status` tells of it."""
        try:
            load()
        except UsageError as error:
            self.reload_error = str(error)
            raise
        self.reload()

    def status(self) -> dict[str, Any]:
        """How it goes."""
        return {
            "uptime": self._clock() - self._started,
            "capturing": self._source is not None,
            "error": self.error,
            "reloads": self.reloads,
            "reload_error": self.reload_error,
            "output_error": self.sink_error,
            "missed_rows": self.missed_rows,
            **(self._parts.facts() if self._parts else {}),
        }

    def capture(self) -> dict[str, Any]:
        """Why there is no capture, where there is none, and when the next one is tried."""
        retry_in = 0.0 if self._source else self._backoff.left(self._clock())
        return {"error": self.error, "retry_in": retry_in, "failures": self._backoff.failures}

    def run(self) -> None:
        """Runs until stop(); raises TidegateError if it cannot even start."""
        parts = self._parts = self._build()
        self._source = parts.source()
        self._backoff.start(self._clock())
        line = parts.line()
        try:
            while not self._stop.is_set():
                if self._reload.is_set():
                    line = self._exchange(line)
                elif line.error:
                    line = self._mend(line)
                line.process(self._poll() or [])
                if self._beside:
                    line.process(self._beside.poll())
                if reason := self._lost():
                    raise LostError(reason)
            self._end_source(line)
            for batches in self._beside.end(lambda: self._stops > 1) if self._beside else ():
                line.process(batches)
        finally:
            line.close()

    def _poll(self) -> list[Batch] | None:
        if self._source is None and not self._restart():
            self._stop.wait(POLL)
            return None
        try:
            batches = self._source.poll(POLL) if self._source else None
        except TidegateError as error:
            self._failed(str(error))
            return None
        if batches is None:
            self._failed(f"the {self._name} ended")
        return batches

    def _restart(self) -> bool:
        if self._parts is None or not self._backoff.is_due(self._clock()):
            return False
        self._backoff.start(self._clock())
        try:
            self._source = self._parts.source()
        except TidegateError as error:
            self._failed(str(error))
            return False
        if self.error:
            _log.info("%s: working again", self._name)
            self.error = ""
        return True

    def _failed(self, reason: str) -> None:
        self._source = None
        self.error = safe_text(reason)
        delay = self._backoff.fail(self._clock())
        _log.warning("%s: failed; next try in %.0f s: %s", self._name, delay, self.error)

    def _end_source(self, line: Line) -> None:
        """Stops the capture and hands on what it still holds."""
        source, self._source = self._source, None
        if source is None:
            return
        source.stop()
        try:
            while (batches := source.poll(POLL)) is not None:
                line.process(batches)
        except TidegateError as error:
            _log.warning("%s: %s", self._name, safe_text(str(error)))

    def _exchange(self, line: Line) -> Line:
        """The line of the new configuration; the old one, its files opened anew, if the new one is wrong."""
        self._reload.clear()
        old = self._parts
        try:
            new = self._build()
        except (TidegateError, OSError) as error:
            self._refuse(error)
            line.reopen()
            return line
        if old is None or new.capture != old.capture:
            self._end_source(line)
            self._backoff = Backoff()
        line.close()
        try:
            opened = new.line()
        except (TidegateError, OSError) as error:
            if old is None:
                raise
            self._refuse(error)
            return old.line()
        self._parts = new
        self.reloads += 1
        self.reload_error = ""
        _log.info("reload: done")
        return opened

    def _mend(self, line: Line) -> Line:
        """A line with all its sinks again, when it is time to try; until then the others go on."""
        if not self.sink_error:
            self.sink_error = safe_text(str(line.error))
            delay = self._sinks.fail(self._clock())
            _log.warning("output: failed and left out; next try in %.0f s: %s", delay, self.sink_error)
        if self._parts is None or not self._sinks.is_due(self._clock()):
            return line
        line.close()
        self.missed_rows += line.missed
        self._sinks.start(self._clock())
        self.sink_error = ""
        try:
            opened = self._parts.line()
        except (TidegateError, OSError) as error:
            opened = Line([])
            opened.fail(error)
            return opened
        _log.info("output: working again; %d rows were not written", line.missed)
        return opened

    def _refuse(self, error: Exception) -> None:
        self.reload_error = safe_text(str(error))
        _log.warning("reload: nothing changed: %s", self.reload_error)
