"""The axis of time: ticks on round local times, right where clocks are changed."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tidegate.reports.pictures.canvas import INK, SMALL, Canvas

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS = (
    *(1, 5, 15, 30),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14, 30, 90)),
)
MOST = 6
"""Ticks, so that their labels have room."""

MOST_BINS = 96
"""Stretches of a window."""
BINS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def step_of(seconds: float) -> int:
    """Seconds of a stretch, a day at most, so that a window has no more than MOST_BINS of them."""
    return next((step for step in BINS if seconds / step <= MOST_BINS), BINS[-1])


def ticks(begin: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Moments (seconds since 1970) with what clocks show then."""
    first, last = begin.timestamp(), end.timestamp()
    step = next((step for step in _STEPS if (last - first) / step <= MOST), _STEPS[-1])
    stride = math.gcd(step, 15 * _MINUTE)  # zones lie quarters of an hour apart
    at = -(-first // stride) * stride
    found: list[tuple[float, str]] = []
    while at <= last:
        here = datetime.fromtimestamp(at, UTC).astimezone(zone)
        if _is_round(here, step):
            # The hour that is there twice is named once where there is no room for more.
            is_near = bool(found) and at - found[-1][0] < 0.75 * step
            found.append((at, "" if is_near else _label(here, step, found)))
        at += stride
    return found


def _is_round(here: datetime, step: int) -> bool:
    if step > _DAY:
        return here.hour == here.minute == 0 and (here.date().toordinal() * _DAY) % step == 0
    midnight = here.replace(tzinfo=None) - timedelta(
        hours=here.hour, minutes=here.minute, seconds=here.second
    )
    return (here.replace(tzinfo=None) - midnight).total_seconds() % step == 0


def _label(here: datetime, step: int, found: list[tuple[float, str]]) -> str:
    if step >= _DAY:
        return f"{here:%b} {here.day}"
    clock = f"{here:%H:%M:%S}" if step < _MINUTE else f"{here:%H:%M}"
    new_day = not found or (here.hour == 0 and here.minute == 0 and here.second == 0)
    return f"{clock}\n{here:%b} {here.day}" if new_day else clock


def set_axis(canvas: Canvas, begin: datetime, end: datetime, zone: ZoneInfo) -> None:
    """Puts the ticks and the zone's name on the axis below."""
    placed = ticks(begin, end, zone)
    axes = canvas.axes
    axes.set_xlim(begin.timestamp(), end.timestamp())
    axes.set_xticks([at for at, _ in placed], [label for _, label in placed])
    axes.set_xlabel(f"Local time ({zone_words(begin, end, zone)})", fontsize=SMALL, color=INK)


def zone_words(begin: datetime, end: datetime, zone: ZoneInfo) -> str:
    """ "Europe/Berlin, CEST to CET"."""
    names = [moment.astimezone(zone).tzname() or "" for moment in (begin, end)]
    abbreviations = " to ".join(dict.fromkeys(names))
    name = str(zone.key or "local time")
    return abbreviations if abbreviations == name.rpartition("/")[2] else f"{name}, {abbreviations}"
