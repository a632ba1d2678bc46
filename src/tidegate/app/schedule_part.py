"""The schedule of `tidegate run`: makes reports when they are due, one after the other, in one thread."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate.model.errors import StoreError, TidegateError
from tidegate.model.text import one_line
from tidegate.model.zone import told
from tidegate.schedule.book import FAILED, BookFile
from tidegate.schedule.planner import EARLIEST, LATE, Due, Plan, begun, due, ended, follow, upcoming
from tidegate.schedule.spans import in_utc

LOOK = 10.0
"""Seconds between two looks at the clock, which may jump."""
LONGEST_SAID = 300

Make = Callable[[Due, str], str]
"""Makes a report and has it sent under this Message-ID; what there is to say of it. Raises TidegateError."""

_log = logging.getLogger("tidegate.schedule")


class Scheduler:
    """Works from start() to close(), on its thread tidegate-schedule."""

    def __init__(
        self,
        path: Path,
        plans: Sequence[Plan],
        make: Make,
        clock: Callable[[], float] = time.time,
        broken: Mapping[str, str] | None = None,
    ) -> None:
        """Takes the book at `path`; raises StoreError where another process has it.

        `broken` says what is wrong with reports' files, by their names; they are tried all the same.
        """
        self._file = BookFile(path)
        self._plans = tuple(plans)
        self._make = make
        self._broken = dict(broken or {})
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = self._renewed = self._unsaved = False
        self._seen: datetime | None = None
        self._next: datetime | None = None
        self._busy = ""
        self.error = ""
        """What keeps it from working; empty while nothing does."""
        self.failures = 0
        """Reports that could not be made, counting every try."""
        self._thread = threading.Thread(target=self._work, name="tidegate-schedule")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def renew(self, plans: Sequence[Plan], make: Make, broken: Mapping[str, str] | None = None) -> None:
        """Goes by these from now on; a report under way is finished."""
        with self._changed:
            self._broken = dict(broken or {})
            self._plans, self._make, self._renewed = tuple(plans), make, True
            self._changed.notify()

    def close(self) -> None:
        """Ends it. A report under way is finished: what was half made would be made again."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident:
            self._thread.join()
        self._file.close()

    def look(self) -> None:
        """One look at the clock; makes what is due."""
        now = in_utc(self._clock())
        if not self._may_be_due(now):
            return
        plans, book = self._plans, self._file.book
        if follow(book, plans, now) or self._unsaved:
            self._save()
        self.error = "" if now >= EARLIEST else "the clock is not set yet"
        for each in due(book, plans, now):
            if self._stopping:
                return
            self._serve(each)
        # From the beginning of this look: what became due while reports were made is due now.
        self._seen, self._next = now, upcoming(plans, book, now)

    def facts(self) -> dict[str, Any]:
        """How it stands, as a part of a running Tidegate."""
        coming = "nothing to come"
        if self._next and self._plans:
            coming = f"next at {told(self._next, self._plans[0].when.zone)}"
        said = f"making {self._busy}" if self._busy else coming
        wrong = "; ".join(f"{name}: {text}" for name, text in self._broken.items())
        error = self.error or one_line(wrong, LONGEST_SAID)
        return {"name": "schedule", "error": error, "failures": self.failures, "said": said}

    def reports(self) -> list[dict[str, Any]]:
        """Each report: when it was made last, and whether that went wrong."""
        found = []
        for plan in self._plans:
            entry = self._file.book.entries.get(plan.name)
            made = [run for run in list(entry.runs) if run.finished] if entry else []
            good = [run.finished for run in made if run.state != FAILED]
            failed = bool(made) and made[-1].state == FAILED
            found.append({"name": plan.name, "made": good[-1] if good else None, "failed": failed})
        return found

    def _may_be_due(self, now: datetime) -> bool:
        """Whether it is worth to look: nothing can be due between two known times."""
        renewed, self._renewed = self._renewed, False
        return renewed or self._seen is None or now < self._seen or self._next is None or now >= self._next

    def _serve(self, each: Due) -> None:
        book, plan = self._file.book, each.plan
        message_id = f"report.{plan.name}.{each.slot:%Y%m%dT%H%M%SZ}.{book.identity}"
        entry = book.entries[plan.name]
        before = list(entry.runs)
        begun(book, each, message_id, in_utc(self._clock()))
        try:
            self._save()
        except StoreError:  # nothing is made that could not be known of after a crash; it stays due
            entry.runs = before
            raise
        self._busy = plan.name
        try:
            failed, said = self._attempt(each, message_id)
        finally:
            self._busy = ""
        self.failures += failed
        ended(book, each, failed, said, in_utc(self._clock()))
        self._save()
        if failed:
            _log.warning("schedule: %s could not be made: %s", plan.name, said)
        else:
            self._broken = {name: text for name, text in self._broken.items() if name != plan.name}
            _log.info("schedule: %s: %s", plan.name, said)

    def _save(self) -> None:
        self._unsaved = True
        self._file.save()
        self._unsaved = False

    def _attempt(self, each: Due, message_id: str) -> tuple[bool, str]:
        late = self._clock() - each.slot.timestamp() > LATE and not each.tries
        try:
            said = self._make(each, message_id)
        except (TidegateError, OSError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            return True, one_line(words or str(error) or type(error).__name__, LONGEST_SAID)
        except Exception as error:  # noqa: BLE001 - no report may end the thread that makes them all
            return True, one_line(f"{type(error).__name__}: {error}", LONGEST_SAID)
        made_up = f"made up for {told(each.slot, each.plan.when.zone)}; " if late else ""
        return False, one_line(made_up + said, LONGEST_SAID)

    def _work(self) -> None:
        while not self._stopping:
            try:
                self.look()
            except StoreError as error:
                if self.error != str(error):
                    _log.warning("schedule: %s", error)
                self.error = str(error)
                self._seen = None
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._renewed, self._patience())

    def _patience(self) -> float:
        """Seconds until the next look: at the next time, or as long as clocks are trusted."""
        left = self._next.timestamp() - self._clock() if self._next and not self.error else LOOK
        return min(max(left, 0.01), LOOK)
