"""Times as logs write them, as nanoseconds since 1970."""

import re
from datetime import UTC, datetime, tzinfo

_PARTS = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\d*\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def nanoseconds(text: object, zone: tzinfo = UTC) -> int:
    """Of "2026-11-20T10:20:54.176026000Z" and the like; `zone` where it names none. Raises ValueError."""
    parts = _PARTS.fullmatch(text) if isinstance(text, str) else None
    if not parts:
        raise ValueError("no time")
    moment = datetime.fromisoformat(parts[1] + (parts[3] or ""))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        whole = round(moment.timestamp())
    except OverflowError:
        raise ValueError("no time") from None
    return whole * 1_000_000_000 + int((parts[2] or "").ljust(9, "0"))
