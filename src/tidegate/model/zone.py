"""The time zone that people here live in.

Rows and answers have UTC. What is done by the clock (`schedule`, `report list`, what `run` and
`control status` say of it) is told in the zone of the schedule, and a report
in the zone it was asked for, else in that one.
"""

import os
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from tidegate.model.errors import UsageError
from tidegate.model.text import clip, safe_text

LOCALTIME = Path("/etc/localtime")


def find_zone(name: str) -> ZoneInfo:
    """The zone of "Europe/Berlin" or "UTC"; raises UsageError."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        pass
    if not available_timezones():
        raise UsageError("this system knows no time zones; install tzdata")
    said = clip(safe_text(name), 40)
    raise UsageError(f'"{said}" is no time zone: write Europe/Berlin, America/New_York or UTC')


def local_zone(environment: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> ZoneInfo:
    """The zone of TZ, else of the machine, else UTC."""
    told = environment.get("TZ", "").removeprefix(":")
    file = Path(told) if told.startswith("/") else localtime
    for name in ("" if told.startswith("/") else told, _linked(file)):
        if name:
            try:
                return find_zone(name)
            except UsageError:  # "CET-1CEST" and the like: the machine's own is nearer than nothing
                continue
    try:
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key="local time")
    except (OSError, ValueError):
        return ZoneInfo("UTC")


def zone_of(name: str) -> ZoneInfo:
    """The zone that a setting names, that of people here if it is empty; raises UsageError."""
    return find_zone(name) if name else local_zone()


def zone_name(zone: tzinfo) -> str:
    """What it is called."""
    return str(getattr(zone, "key", None) or "UTC")


def told(moment: datetime, zone: tzinfo) -> str:
    """A moment in a sentence: by the clock of the zone, and which that is."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} {zone_name(zone)}"


def _linked(localtime: Path) -> str:
    """The name of the zone that the machine's link leads to, if it is one."""
    try:
        target = localtime.resolve(strict=True).as_posix()
    except (OSError, RuntimeError, ValueError):
        return ""
    _, found, name = target.partition("zoneinfo/")
    return name.removeprefix("posix/").removeprefix("right/") if found else ""
