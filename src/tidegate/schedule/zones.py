"""Time zones, and moments of a wall clock that may not exist or exist twice."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tidegate.model.errors import UsageError
from tidegate.model.text import clip, safe_text

_LOCAL = Path("/etc/localtime")
_LONGEST_GAP = 25 * 60
"""Minutes that a wall clock may leave out: Samoa once skipped a day."""


def find_zone(name: str, environment: Mapping[str, str] = os.environ, local: Path = _LOCAL) -> tzinfo:
    """The zone of a name, or the machine's; raises UsageError."""
    if name:
        return _named(name)
    told = environment.get("TZ", "").removeprefix(":")
    if told and not told.startswith("/"):
        try:
            return _named(told)
        except UsageError:
            return UTC
    file = Path(told) if told else local
    try:
        target = file.resolve().as_posix()
        _, found, key = target.partition("zoneinfo/")
        if found:
            return _named(key.removeprefix("posix/").removeprefix("right/"))
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key="local")
    except (OSError, ValueError, UsageError):
        return UTC


def zone_name(zone: tzinfo) -> str:
    """What it is called."""
    return str(getattr(zone, "key", None) or "UTC")


def _named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if not available_timezones():
            raise UsageError("this system knows no time zones; install tzdata") from None
        said = clip(safe_text(name), 40)
        raise UsageError(f'"{said}" is no time zone: write Europe/Berlin, America/New_York or UTC') from None


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
