"""Spans of the day, such as 22:00 to 06:00, on some days of the week."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from tidegate.model.errors import UsageError, keyed
from tidegate.model.text import clip, safe_text
from tidegate.schedule.moments import moment
from tidegate.schedule.when import day_range

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True)
class Interval:
    """From `begin` to before `end`, in UTC."""

    begin: datetime
    end: datetime

    def holds(self, now: datetime) -> bool:
        """Whether `now` lies in it."""
        return self.begin <= now < self.end


@dataclass(frozen=True)
class Span:
    """Begins on these days (0 is Sunday); one that ends at or before its beginning ends on the next day."""

    begin: time
    end: time
    days: frozenset[int]
    zone: tzinfo

    def current(self, now: datetime) -> Interval | None:
        """The one that `now` lies in."""
        return next((each for each in self._around(now, -2, 1) if each.holds(now)), None)

    def next(self, now: datetime) -> Interval:
        """The first that begins after `now`."""
        return next(each for each in self._around(now, -1, 16) if each.begin > now)

    def last(self, now: datetime) -> Interval:
        """The last that is over at `now`."""
        return [each for each in self._around(now, -16, 1) if each.end <= now][-1]

    def _around(self, now: datetime, first: int, last: int) -> Iterator[Interval]:
        """Those that begin on these days, counted from today."""
        today = now.astimezone(self.zone).date()
        for day in (today + timedelta(days=number) for number in range(first, last + 1)):
            if (day.weekday() + 1) % 7 in self.days and (found := self._on(day)):
                yield found

    def _on(self, day: date) -> Interval | None:
        """An hour that the clock shows twice belongs to it whole; None where it lies in one left out."""
        over = day if self.end > self.begin else day + timedelta(days=1)
        begin, end = moment(day, self.begin, self.zone), moment(over, self.end, self.zone, late=True)
        return Interval(begin, end) if begin < end else None


def parse_span(begin: str, end: str, days: str, zone: tzinfo) -> Span:
    """Of "22:00", "06:00", "weekdays"; raises SettingError with the key `from`, `to` or `days`."""
    with keyed("from"):
        first = parse_clock(begin)
    with keyed("to"):
        last = parse_clock(end)
    with keyed("days"):
        return Span(first, last, parse_days(days), zone)


def parse_clock(text: str) -> time:
    """A time of day; raises UsageError."""
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        raise UsageError(f'"{clip(safe_text(text), 20)}" is no time of day: write 22:00')
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def parse_days(text: str) -> frozenset[int]:
    """Of "daily", "weekdays", "weekends", "mon, wed-fri"; 0 is Sunday. Raises UsageError."""
    known = {"daily": _EVERY_DAY, "weekdays": frozenset(range(1, 6)), "weekends": frozenset({0, 6})}
    found: set[int] = set()
    for word in text.lower().replace(",", " ").split():
        days = known.get(word) or day_range(word)
        if days is None:
            said = clip(safe_text(word), 20)
            raise UsageError(f'"{said}" is no day: write daily, weekdays, weekends or "mon, wed-fri"')
        found |= set(days)
    if not found:
        raise UsageError('no day: write daily, weekdays, weekends or "mon, wed-fri"')
    return frozenset(found)


def in_utc(seconds: float) -> datetime:
    """The moment of so many seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
