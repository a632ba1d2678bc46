"""Windows of time as people mean them: by the clock on the wall, whatever daylight saving does to it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.model.units import parse_duration

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_RANGE = re.compile(r"(\d{1,2}:\d{2})\s*(?:-|\u2013|to)\s*(\d{1,2}:\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_LONGEST = timedelta(days=400)
_FIRST, _LAST = 1700, 2199
"""Years."""

WINDOW_LIKE = "22:00-06:00, last 24h, today, yesterday, 2026-11-20 or month"


@dataclass(frozen=True)
class Window:
    """From `begin` to before `end`, and the same stretch before it; all of them know their zone."""

    begin: datetime
    end: datetime
    before: datetime
    """Where the period before begins."""
    before_end: datetime
    """Where it ends: at `begin`, or where a period that is not over now stood then."""
    zone: ZoneInfo
    whole_end: datetime | None = None
    """Of a month that is not over: when it will be."""

    @property
    def seconds(self) -> float:
        """How long it is, really."""
        return self.end.timestamp() - self.begin.timestamp()


def parse_window(text: str, now: datetime, zone: ZoneInfo, reset_day: int = 1) -> Window:
    """The latest window that these words mean; raises UsageError. `now` knows its zone."""
    words = text.strip().lower()
    if match := _RANGE.fullmatch(words):
        return between(match[1], match[2], now, zone)
    if words.startswith("last "):
        return last(words[5:], now, zone)
    if words == "month":
        return month(now, zone, reset_day)
    if words in _DAYS or _DATE.fullmatch(words):
        return of_day(words, now, zone)
    raise UsageError(f'"{clip(text, 40)}" is no window: write {WINDOW_LIKE}')


def last(text: str, now: datetime, zone: ZoneInfo) -> Window:
    """The time before now: "24h"; raises UsageError."""
    length = timedelta(seconds=parse_duration(text))
    if not timedelta(0) < length <= _LONGEST:
        raise UsageError(f'"{clip(text, 20)}" cannot be reported on: 1s to 400d')
    end = _to(now, zone)
    return Window(_back(end, length), end, _back(end, 2 * length), _back(end, length), zone)


def of_day(text: str, now: datetime, zone: ZoneInfo) -> Window:
    """A day from midnight to midnight: "today" (so far), "yesterday", "2026-11-20"; raises UsageError."""
    today = _to(now, zone).date()
    named = {name: today + timedelta(days) for name, days in _DAYS.items()}
    try:
        day = named.get(text.strip().lower()) or date.fromisoformat(text.strip())
        if not _FIRST <= day.year <= _LAST:
            raise ValueError
        window = _days(_wall(day, time(), zone), _wall(day + timedelta(1), time(), zone), zone)
    except (ValueError, OverflowError):
        raise UsageError(f'"{clip(text, 30)}" is no day: write today, yesterday or 2026-11-20') from None
    if _is_after(window.begin, now):
        raise UsageError(f'"{clip(text, 30)}" is yet to come')
    if not _is_after(window.end, window.begin):  # one that was left out when the zone changed its date
        raise UsageError(f'"{clip(text, 30)}" is no day: {zone.key} had none of that date')
    return _so_far(window, now) if _is_after(window.end, now) else window


def between(begin: str | None, end: str | None, now: datetime, zone: ZoneInfo) -> Window:
    """From one moment to another: "22:00", "06:00", "2026-11-20", "2026-11-20 14:00"; raises UsageError.

    Of clock times the latest window that is over. Without a beginning a day before the end; without an end
    until now.
    """
    given_end = _moment(end, zone, last=True) if end else _to(now, zone)
    until = given_end if isinstance(given_end, datetime) else None
    given = _moment(begin, zone) if begin else None
    if until is None and isinstance(given, datetime):  # "2026-11-19 22:00" to "06:00"
        until = _after(given, _clock(end or ""), zone)
    if until is None:
        until = _latest(_clock(end or ""), _to(now, zone), zone)
    since = given or _shifted(until, -1, zone)
    if isinstance(since, time):
        since = _before(since, until, zone)
    if not _is_after(until, since):
        raise UsageError(f'"{clip(begin or "", 30)}" is not before "{clip(end or "now", 30)}"')
    if until.timestamp() - since.timestamp() > _LONGEST.total_seconds():
        raise UsageError("a report covers 400 days at most")
    return _days(since, until, zone)


def month(now: datetime, zone: ZoneInfo, reset_day: int) -> Window:
    """The month that began at the last reset day, as far as it is; the month before up to the same moment.

    In the moment in which it begins it is the one that is over.
    """
    here = _to(now, zone)
    begin = _reset(here.year, here.month, reset_day, zone)
    if not _is_after(here, begin):
        begin = _reset(*_month(here, -1), reset_day, zone)
    end = _reset(*_month(begin, 1), reset_day, zone)
    before = _reset(*_month(begin, -1), reset_day, zone)
    if not _is_after(end, here):
        return Window(begin, here, before, begin, zone, end)
    as_far = before.timestamp() + here.timestamp() - begin.timestamp()
    before_end = datetime.fromtimestamp(min(as_far, begin.timestamp()), zone)
    return Window(begin, here, before, before_end, zone, end)


def made_at(text: str, moment: datetime, zone: ZoneInfo, reset_day: int = 1) -> Window:
    """What a report covers that the schedule makes then: on a reset day the month that is over."""
    window = parse_window(text, moment, zone, reset_day)
    if window.whole_end and window.seconds < 86400:
        return parse_window(text, window.begin, zone, reset_day)
    return window


def spanned(begin: datetime, end: datetime, words: str, zone: ZoneInfo, reset_day: int = 1) -> Window:
    """From one moment to another; as a report's own window in `words`, where it is that."""
    own = parse_window(words, end, zone, reset_day)
    if own.begin.timestamp() == begin.timestamp() and own.end.timestamp() == end.timestamp():
        return own
    if not _is_after(end, begin):
        raise UsageError("a report covers some time: its end is after its beginning")
    return _days(_to(begin, zone), _to(end, zone), zone)


def whole(begin: datetime, end: datetime, zone: ZoneInfo) -> Window:
    """What a capture spans, in whole seconds, its last row included."""
    first = _to(begin.replace(microsecond=0), zone)
    last = _to(end.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1), zone)
    return Window(first, last, first, first, zone)


def _days(begin: datetime, end: datetime, zone: ZoneInfo) -> Window:
    """A window by the clock: the one before has the same clock times, as many days earlier as it covers."""
    days = -((begin.replace(tzinfo=None) - end.replace(tzinfo=None)) // timedelta(1))
    return Window(begin, end, _shifted(begin, -days, zone), _shifted(end, -days, zone), zone)


def _so_far(window: Window, now: datetime) -> Window:
    here = _to(now, window.zone)
    days = (window.begin.date() - window.before.date()).days
    return Window(window.begin, here, window.before, _shifted(here, -days, window.zone), window.zone)


def _moment(text: str, zone: ZoneInfo, last: bool = False) -> datetime | time:
    """A moment, or a time of any day."""
    if _CLOCK.fullmatch(text.strip()):
        return _clock(text)
    try:
        moment = datetime.fromisoformat(text.strip())
        if not _FIRST <= moment.year <= _LAST:
            raise ValueError
        return _to(moment, zone) if moment.tzinfo else _wall(moment.date(), moment.time(), zone, last)
    except (ValueError, OverflowError):
        raise UsageError(
            f'"{clip(text, 30)}" is no time: write 22:00, 2026-11-20 or "2026-11-20 14:00"'
        ) from None


def _clock(text: str) -> time:
    match = _CLOCK.fullmatch(text.strip())
    try:
        return time(int(match[1]), int(match[2])) if match else time()
    except ValueError:
        raise UsageError(f'"{clip(text, 20)}" is no time of day: write 22:00') from None


def _latest(clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The last time the clock showed this."""
    day = now.date()
    while _is_after(moment := _wall(day, clock, zone, last=True), now):
        day -= timedelta(1)
    return moment


def _before(clock: time, end: datetime, zone: ZoneInfo) -> datetime:
    """The last time the clock showed this before the end."""
    day = end.date()
    while not _is_after(end, moment := _wall(day, clock, zone)):
        day -= timedelta(1)
    return moment


def _after(begin: datetime, clock: time, zone: ZoneInfo) -> datetime:
    """The first time the clock shows this after the beginning."""
    day = begin.date()
    while not _is_after(moment := _wall(day, clock, zone, last=True), begin):
        day += timedelta(1)
    return moment


def _wall(day: date, clock: time, zone: ZoneInfo, last: bool = False) -> datetime:
    """What the clock says on that day. Of an hour that is there twice a window begins in the first and ends
    in the second; what is not there at all (02:30 in spring) is as long after midnight as on other days.
    """
    moment = datetime.combine(day, clock, zone).replace(fold=int(last))
    is_shown = _to(moment, zone).replace(tzinfo=None) == moment.replace(tzinfo=None, fold=0)
    return _to(moment if is_shown else moment.replace(fold=0), zone)


def _shifted(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of day, days later."""
    return _wall(moment.date() + timedelta(days), moment.time(), zone, last=bool(moment.fold))


def _reset(year: int, month_: int, day: int, zone: ZoneInfo) -> datetime:
    """Midnight of that day of the month; of the last one of a month that is shorter."""
    following = date(year + month_ // 12, month_ % 12 + 1, 1)
    return _wall(min(date(year, month_, 1) + timedelta(day - 1), following - timedelta(1)), time(), zone)


def _month(moment: datetime, months: int) -> tuple[int, int]:
    """Year and month, so many months later."""
    count = moment.year * 12 + moment.month - 1 + months
    return count // 12, count % 12 + 1


def _is_after(one: datetime, other: datetime) -> bool:
    """By real time: Python compares two moments of one zone by what the clocks show."""
    return one.timestamp() > other.timestamp()


def _back(moment: datetime, by: timedelta) -> datetime:
    """So much time earlier, really."""
    return (moment.astimezone(UTC) - by).astimezone(moment.tzinfo)


def _to(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same moment as clocks show it there; a time that no clock shows becomes one that they do."""
    return moment.astimezone(UTC).astimezone(zone)
