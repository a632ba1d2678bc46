"""Moments of a wall clock that may not exist or exist twice."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from tidegate.model.errors import UsageError
from tidegate.model.zone import zone_name

_LONGEST_GAP = 25 * 60
"""Minutes that a wall clock may leave out: Samoa once skipped a day."""


def moment(day: date, at: time, zone: tzinfo, late: bool = False) -> datetime:
    """When a wall clock shows this, in UTC.

    What it leaves out in spring is the first moment after the gap; what it shows twice in autumn is the first
    of both, or the second if `late`.
    """
    shown = datetime.combine(day, at)
    for _ in range(_LONGEST_GAP):
        found = shown.replace(tzinfo=zone, fold=int(late)).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) == shown:
            return found
        shown += timedelta(minutes=1)
    raise UsageError(f"{zone_name(zone)} has no {at:%H:%M} on {day}")


def by_clock(begin: datetime, end: datetime, zone: tzinfo) -> timedelta:
    """How long it is from one moment to another by what the clocks show, whatever was changed in between."""
    first, last = (each.astimezone(zone).replace(tzinfo=None) for each in (begin, end))
    return last - first
