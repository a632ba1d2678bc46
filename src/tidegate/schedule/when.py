"""When something happens: plain words and cron expressions. The one door to cronsim."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tidegate.model.errors import UsageError
from tidegate.model.text import clip, safe_text

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_EVERY = re.compile(r"(\d{1,4})\s*(m|min|minutes|h|hours?)")
_SAFE = timedelta(hours=26)
"""Further back than any change of a clock reaches."""
_PARTS = (
    "it has to be part of an hour: every 5m, 10m, 15m, 20m or 30m",
    "it has to be part of a day: every 2h, 3h, 4h, 6h, 8h or 12h",
)
_EXAMPLES = '"daily 06:30", "weekdays 07:00", "monthly 1st", "30 6 * * *"'


@dataclass(frozen=True)
class When:
    """Points in time of a wall clock, each of which happens once."""

    text: str
    cron: str
    """Five fields."""
    zone: tzinfo

    def after(self, now: datetime) -> Iterator[datetime]:
        """The ones after `now`, in UTC."""
        last = now
        for found in _forward(self.cron, self._before(now), self.zone):
            if found > last:
                last = found
                yield found

    def next(self, now: datetime) -> datetime:
        """The first one after `now`."""
        return next(self.after(now))

    def latest(self, now: datetime) -> datetime | None:
        """The last one up to `now`; None if there was none in fifty years."""
        start = self._before(now)
        before = _backward(self.cron, start, self.zone) or start
        found = None
        for each in _forward(self.cron, before - timedelta(seconds=1), self.zone):
            if each > now:
                break
            found = each if found is None else max(found, each)
        return found

    def _before(self, now: datetime) -> datetime:
        """Where the search begins: no change of the clock lies between it and `now`, or a whole one."""
        early = now - _SAFE
        changed = early.astimezone(self.zone).utcoffset() != now.astimezone(self.zone).utcoffset()
        return early if changed else now - timedelta(seconds=1)


def parse_when(text: str, zone: tzinfo) -> When:
    """Of words or of an expression; raises UsageError."""
    fields = text.split()
    is_cron = len(fields) == 5 and _is_cron(fields[0])
    cron = " ".join(fields) if is_cron else _of_words(text.lower().replace(",", " ").split())
    if cron is None and (odd := _EVERY.fullmatch(text.lower().removeprefix("every").strip())):
        raise UsageError(f'"{clip(safe_text(text), 40)}" is no time: {_PARTS["mh".index(odd[2][0])]}')
    if cron is None:
        raise UsageError(f'"{clip(safe_text(text), 40)}" is no time: write {_EXAMPLES}')
    when = When(text, cron, zone)
    from cronsim import CronSimError

    try:
        when.next(datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, StopIteration, RuntimeError) as error:
        why = f": {error}" if isinstance(error, CronSimError) else ", and never comes"
        raise UsageError(f'"{clip(safe_text(text), 40)}" is no time{why}; write {_EXAMPLES}') from None
    return when


def _is_cron(word: str) -> bool:
    return bool(re.fullmatch(r"[\d*/,-]+", word))


def _of_words(words: list[str]) -> str | None:
    """The expression of "daily 06:30" and such; None if it is not understood."""
    words = [word for word in words if word not in ("at", "on", "the", "every", "and")] or [""]
    hour, minute = 0, 0
    if clock := _CLOCK.fullmatch(words[-1]):
        hour, minute = int(clock[1]), int(clock[2])
        words = words[:-1]
    elif words[0] == "hourly" and len(words) == 2 and (past := re.fullmatch(r":([0-5]\d)", words[1])):
        return f"{int(past[1])} * * * *"
    if not words:
        return None
    first, rest = words[0], words[1:]
    if first == "monthly":
        day = _day_of_month(rest)
        return None if day is None else f"{minute} {hour} {day} * *"
    if not rest and first in ("hourly", "hour") and not clock:
        return "0 * * * *"
    if not clock and (every := _EVERY.fullmatch("".join(words))):
        return _every(int(every[1]), every[2][0])
    days = _days_of_week(words)
    return None if days is None else f"{minute} {hour} * * {days}"


def _every(count: int, unit: str) -> str | None:
    """Parts of an hour or a day, so that it comes at the same times each day."""
    if unit == "m":
        return f"*/{count} * * * *" if count and 60 % count == 0 else None
    return f"0 */{count} * * *" if count and 24 % count == 0 else None


def _day_of_month(words: list[str]) -> str | None:
    if not words:
        return "1"
    if words == ["last"]:
        return "L"
    nth = _NTH.fullmatch(words[0]) if len(words) == 1 else None
    return nth[1] if nth and 1 <= int(nth[1]) <= 31 else None


def _days_of_week(words: list[str]) -> str | None:
    """ "1-5" of "weekdays", "1,4" of "monday thursday"."""
    known = {"daily": "*", "day": "*", "weekdays": "1-5", "weekends": "0,6"}
    if len(words) == 1 and words[0] in known:
        return known[words[0]]
    if words[0] == "weekly":
        words = words[1:] or ["monday"]
    numbers = [day_range(word) for word in words]
    found = sorted({number for each in numbers if each for number in each})
    return None if None in numbers else ",".join(map(str, found))


def day_range(word: str) -> list[int] | None:
    """The numbers of "mon", or of "fri-mon", in their order; None for what is neither."""
    first, dash, last = word.partition("-")
    begin, end = day_number(first), day_number(last if dash else first)
    if begin is None or end is None:
        return None
    return [(begin + number) % 7 for number in range((end - begin) % 7 + 1)]


def day_number(word: str) -> int | None:
    """0 for "sunday", "sundays", "sun"; None for what is no day."""
    for number, day in enumerate(_DAYS):
        if word in (day, f"{day}s", day[:3]):
            return number
    return None


def _forward(cron: str, start: datetime, zone: tzinfo) -> Iterator[datetime]:
    from cronsim import CronSim

    for found in CronSim(cron, start.astimezone(zone)):
        yield found.astimezone(UTC)


def _backward(cron: str, start: datetime, zone: tzinfo) -> datetime | None:
    from cronsim import CronSim

    found = next(CronSim(cron, start.astimezone(zone), reverse=True), None)
    return found.astimezone(UTC) if found else None
