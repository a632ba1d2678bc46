"""The time zone that people here live in."""

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from tidegate.model.errors import UsageError
from tidegate.model.text import clip

LOCALTIME = Path("/etc/localtime")


def find_zone(name: str) -> ZoneInfo:
    """The zone of "Europe/Berlin" or "UTC"; raises UsageError."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    raise UsageError(f'"{clip(name, 40)}" is no time zone: write one such as Europe/Berlin or UTC')


def local_zone(environment: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> ZoneInfo:
    """The zone of TZ, else of the machine, else UTC."""
    for name in (environment.get("TZ", "").removeprefix(":"), _linked(localtime)):
        if name and not name.startswith("/"):
            try:
                return find_zone(name)
            except UsageError:  # "CET-1CEST" and the like: the machine's own is nearer than nothing
                continue
    try:
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key="local time")
    except (OSError, ValueError):
        return ZoneInfo("UTC")


def _linked(localtime: Path) -> str:
    """The name of the zone that the machine's link leads to, if it is one."""
    try:
        target = str(localtime.resolve(strict=True))
    except (OSError, RuntimeError):
        return ""
    _, found, name = target.partition("zoneinfo/")
    return name if found else ""
