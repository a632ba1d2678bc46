"""What `tidegate run` does by the clock: reports, their mail, and recordings; put together and exchanged."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tidegate.app import posting
from tidegate.app.paths import schedule_path, store_root
from tidegate.app.schedule_part import Scheduler
from tidegate.app.windows_part import Open, Window, Windows, window_of
from tidegate.mail import Account, open_account
from tidegate.mail.outbox import Outbox
from tidegate.mail.postman import Postman
from tidegate.model.config import Config
from tidegate.model.document import Document
from tidegate.model.durable import make_folder, write_whole
from tidegate.model.errors import TidegateError, UsageError, keyed
from tidegate.model.text import safe_text
from tidegate.schedule import plans as planned
from tidegate.schedule.planner import MOST_TRIES, Due, Plan
from tidegate.schedule.spans import Interval, in_utc

_log = logging.getLogger("tidegate.schedule")


class Reports(Protocol):
    """Makes reports; see `report_child.py`."""

    def build(self, name: str, begin: datetime, end: datetime) -> Document:
        """The report of a name over a span of time; raises TidegateError."""

    def covers(self, name: str, moment: datetime) -> tuple[datetime, datetime] | None:
        """What it, made at this time, covers by itself; None leaves it to the schedule. Raises UsageError."""

    def broken(self, config: Config) -> Mapping[str, str]:
        """What is wrong with the file of each scheduled report, by its name in the schedule."""


@dataclass(frozen=True)
class Wanted:
    """What a configuration asks for, looked at."""

    config: Config
    root: Path
    plans: list[Plan]
    windows: list[Window]
    account: Account | None
    """Who mail is sent as; None where nobody is written to."""


def wanted(config: Config, root: Path | None) -> Wanted:
    """Looks at all that is needed; raises SettingError."""
    place = store_root(config, root)
    with keyed("schedule"):
        plans = planned.plans(config.schedule)
        windows = [window_of(settings, span, place) for settings, span in planned.windows(config.schedule)]
    with keyed("mail"):
        mailed = config.mail.to or any(each.mail for each in config.schedule.reports)
        account = open_account(config.mail, "") if mailed else None
    return Wanted(config, place, plans, windows, account)


class Timetable:
    """None of its parts runs where nothing asks for it. Used by one thread, but for `parts` and `reports`."""

    def __init__(
        self,
        open: Open,
        reports: Reports,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`open` gives a capture, `reports` makes reports."""
        self._open = open
        self._reports = reports
        self._clock = clock
        self._wanted: Wanted | None = None
        self._scheduler: Scheduler | None = None
        self._postman: Postman | None = None
        self._windows: Windows | None = None

    def follow(self, wanted: Wanted) -> None:
        """Goes by these settings from now on; raises TidegateError where a directory cannot be used."""
        if wanted is self._wanted:  # only the outputs were opened anew
            return
        self._follow_mail(wanted)
        self._follow_reports(wanted)
        self._follow_windows(wanted)
        self._wanted = wanted

    def parts(self) -> list[dict[str, Any]]:
        """How they stand."""
        windows = self._windows.facts() if self._windows else []
        return [each.facts() for each in (self._scheduler, self._postman) if each] + windows

    def reports(self) -> list[dict[str, Any]]:
        """When each report was made last."""
        return self._scheduler.reports() if self._scheduler else []

    def close(self) -> None:
        """Ends all of them; what is not sent stays for the next start."""
        for each in (self._windows, self._scheduler, self._postman):
            if each:
                each.close()
        self._windows = self._scheduler = self._postman = self._wanted = None

    def _follow_mail(self, wanted: Wanted) -> None:
        if wanted.account is None:
            before, self._postman = self._postman, None
            if before:
                before.close()
            return
        outbox, keep = posting.open_outbox(wanted.config, wanted.root), wanted.config.mail.keep
        if self._postman:
            self._postman.renew(outbox, wanted.account, keep)
            return
        self._postman = Postman(outbox, wanted.account, keep, self._clock)
        self._postman.start()

    def _follow_reports(self, wanted: Wanted) -> None:
        make = _Maker(wanted, self._reports, self._postman, self._clock)
        broken = self._reports.broken(wanted.config)
        for name, wrong in broken.items():
            _log.error("schedule: %s cannot be made as its file is: %s", name, safe_text(wrong))
        if self._scheduler:
            self._scheduler.renew(wanted.plans, make, broken)
        elif wanted.plans:
            path = schedule_path(wanted.config, wanted.root)
            self._scheduler = Scheduler(path, wanted.plans, make, self._clock, broken)
            self._scheduler.start()

    def _follow_windows(self, wanted: Wanted) -> None:
        if self._windows is None and wanted.windows:
            self._windows = Windows(self._open, self._clock)
            self._windows.start()
        if self._windows:
            self._windows.follow(wanted.windows)


class _Maker:
    """Makes a report, keeps its page and puts it into the outbox."""

    def __init__(
        self,
        wanted: Wanted,
        reports: Reports,
        postman: Postman | None,
        clock: Callable[[], float],
    ) -> None:
        self._wanted = wanted
        self._reports = reports
        self._postman = postman
        self._clock = clock

    def __call__(self, due: Due, message_id: str) -> str:
        try:
            return self._made(due, message_id)
        except (TidegateError, OSError) as error:
            if due.tries + 1 >= MOST_TRIES:
                self._tell(due, message_id, error)
            raise

    def _tell(self, due: Due, message_id: str, error: Exception) -> None:
        """Says by mail that a report could not be made and is tried no more; at most the log knows if not."""
        plan = due.plan
        when = due.slot.astimezone(plan.when.zone)
        text = (
            f"The report {plan.report} of {when:%Y-%m-%d %H:%M} could not be made. It was tried {MOST_TRIES} "
            f"times, and is not tried again before its next time:\n\n{error}\n\n"
            f"By hand, once that is mended: tidegate report {plan.report} --mail\n"
        )
        title = f"{plan.name} could not be made"
        document = Document(plan.report, title, when, when, text, html="", pictures=(), sheets=())
        try:
            if outbox := self._outbox(due):
                self._post(document, outbox, due, f"{message_id}.failed", "[{host}] {title}")
        except (TidegateError, OSError) as failure:
            _log.warning("schedule: %s: nobody could be told: %s", plan.name, failure)

    def _made(self, due: Due, message_id: str) -> str:
        outbox = self._outbox(due)
        if outbox and (known := outbox.known(message_id)):
            # It was made before a crash, or before the clock was set back.
            return posting.TO_BE_SENT + ", ".join(known.to)
        document = self._document(due)
        for fault in document.faults:
            _log.warning("schedule: %s: %s", due.plan.name, fault)
        done = [self._keep(due, document)] if due.plan.settings.folder else []
        if outbox:
            done.append(self._post(document, outbox, due, message_id, due.plan.settings.subject))
        done += ["there was nothing to report"] if document.nothing else []
        return "; ".join([*done, *document.faults])

    def _document(self, due: Due) -> Document:
        zone = due.plan.when.zone
        begin, end = self._span(due)
        return self._reports.build(due.plan.report, begin.astimezone(zone), end.astimezone(zone))

    def _span(self, due: Due) -> tuple[datetime, datetime]:
        """What the schedule says, else what the report says, else since the time before."""
        plan = due.plan
        if plan.span is None and plan.settings.last is None:
            shown = due.slot.astimezone(plan.when.zone)
            if own := self._reports.covers(plan.report, shown):
                period = plan.joined(Interval(in_utc(own[0].timestamp()), in_utc(own[1].timestamp())))
                return period.begin, period.end
        period = plan.period(due.slot)
        return period.begin, period.end

    def _keep(self, due: Due, document: Document) -> str:
        folder = Path(due.plan.settings.folder)
        make_folder(folder, 0o750)
        when = due.slot.astimezone(due.plan.when.zone)
        path = folder / f"{due.plan.name}-{when:%Y%m%d-%H%M}.html"
        write_whole(path, document.standalone().encode(errors="replace"), 0o640)
        return f"written to {path}"

    def _outbox(self, due: Due) -> Outbox | None:
        """Where its letter goes; None where nobody is written to."""
        config = self._wanted.config
        people = posting.people_of(due.plan.settings, config)
        return posting.open_outbox(config, self._wanted.root) if people else None

    def _post(self, document: Document, outbox: Outbox, due: Due, message_id: str, subject: str) -> str:
        people = posting.people_of(due.plan.settings, self._wanted.config)
        account = self._wanted.account
        if account is None:
            raise UsageError("nobody is written to")
        asked = posting.Posting(people, message_id, subject)
        posting.put(document, self._wanted.config, account, outbox, asked, self._clock())
        if self._postman:
            self._postman.wake()
        return posting.TO_BE_SENT + ", ".join(people)
