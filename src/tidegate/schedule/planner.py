"""Which reports are due. Pure: what was served stands in the book, the time is an argument.

Each time is served once. Of several that were missed (the machine slept, or was off) the latest is made up; a
clock that jumps ahead does no more than that, and one that is set back repeats nothing that is remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tidegate.model.config import ReportTimeSettings
from tidegate.model.retry import is_time, wait_after
from tidegate.schedule.book import FAILED, MADE, RUNNING, Book, Entry, Run
from tidegate.schedule.moments import by_clock
from tidegate.schedule.spans import Interval, Span, in_utc
from tidegate.schedule.when import When

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows less was not set yet, as on a small machine that has just started."""
MOST_TRIES = 5
LATE = 120.0
"""Seconds after which a report was made up, and says so."""


@dataclass(frozen=True)
class Plan:
    """One report, and when it is made."""

    name: str
    report: str
    when: When
    span: Span | None
    """What it covers, where that is a span of the day."""
    settings: ReportTimeSettings

    def period(self, slot: datetime) -> Interval:
        """What the report made at this time covers."""
        if self.span:
            return self.span.last(slot)
        if self.settings.last:
            return self.joined(Interval(in_utc(slot.timestamp() - self.settings.last), slot))
        return Interval(self._before(slot) or in_utc(slot.timestamp() - 86400), slot)

    def joined(self, period: Interval) -> Interval:
        """From the time before on, where that is as long ago by the clock on the wall.

        Else an hour would be in no report, or in two, on the days on which clocks are changed.
        """
        before = self._before(period.end)
        zone = self.when.zone
        if before and by_clock(before, period.end, zone) == period.end - period.begin:
            return Interval(before, period.end)
        return period

    def _before(self, slot: datetime) -> datetime | None:
        return self.when.latest(in_utc(slot.timestamp() - 1))


@dataclass(frozen=True)
class Due:
    """A report that is to be made now."""

    plan: Plan
    slot: datetime
    tries: int
    """How often it was tried before."""


def follow(book: Book, plans: Sequence[Plan], now: datetime) -> bool:
    """Gives each plan its entry, anew where it is timed otherwise now; whether that changed the book."""
    changed = False
    for plan in plans:
        at = f"{plan.when.cron} {plan.when.zone}"
        entry = book.entries.get(plan.name)
        if entry is None:
            book.entries[plan.name] = Entry(at, now.timestamp())
        elif entry.at != at:
            entry.at, entry.since = at, now.timestamp()
        elif now.timestamp() < entry.since:  # the clock was wrong when it was written
            entry.since = now.timestamp()
        else:
            continue
        changed = True
    return changed


def due(book: Book, plans: Sequence[Plan], now: datetime) -> list[Due]:
    """What is to be made now, in the order of its times."""
    if now < EARLIEST:
        return []
    found = [each for plan in plans if (each := _due(book.entries[plan.name], plan, now))]
    return sorted(found, key=lambda each: each.slot)


def _due(entry: Entry, plan: Plan, now: datetime) -> Due | None:
    slot = plan.when.latest(now)
    if slot is None or slot.timestamp() <= entry.since:
        return None
    run = entry.run_of(slot.timestamp())
    if run is None:
        return Due(plan, slot, 0)
    if run.state == RUNNING:  # whoever made it is gone
        return Due(plan, slot, run.tries) if run.tries < MOST_TRIES else None
    if run.state == FAILED and run.tries < MOST_TRIES and is_time(run.again, now.timestamp()):
        return Due(plan, slot, run.tries)
    return None


def begun(book: Book, each: Due, message_id: str, now: datetime) -> None:
    """Notes that it is being made."""
    run = Run(each.slot.timestamp(), RUNNING, each.tries + 1, now.timestamp(), message_id=message_id)
    book.entries[each.plan.name].put(run)


def ended(book: Book, each: Due, failed: bool, said: str, now: datetime) -> None:
    """Notes what became of it."""
    run = book.entries[each.plan.name].run_of(each.slot.timestamp())
    if run is None:
        return
    run.state, run.said, run.finished = FAILED if failed else MADE, said, now.timestamp()
    if failed:
        run.again = run.finished + wait_after(run.tries)


def upcoming(plans: Sequence[Plan], book: Book, now: datetime) -> datetime | None:
    """When something is due next, if the clock goes on as it does."""
    times = [plan.when.next(now) for plan in plans]
    times += [
        in_utc(run.again)
        for plan in plans
        for run in book.entries[plan.name].runs[-1:]
        if run.state == FAILED and run.tries < MOST_TRIES and run.again > now.timestamp()
    ]
    return min(times, default=None)
