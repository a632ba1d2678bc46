"""Times as log formats write them, of nanoseconds since 1970; all in UTC."""

from datetime import UTC, datetime
from functools import lru_cache

_SECOND = 1_000_000_000


def second(ts: int) -> str:
    """`2026-11-20T10:20:54`."""
    return _second(ts // _SECOND)


def iso(ts: int) -> str:
    """`2026-11-20T10:20:54.176026123Z`."""
    whole, part = divmod(ts, _SECOND)
    return f"{_second(whole)}.{part:09d}Z"


def micros(ts: int, zone: str = "Z") -> str:
    """`2026-11-20T10:20:54.176026Z`."""
    whole, part = divmod(ts, _SECOND)
    return f"{_second(whole)}.{part // 1000:06d}{zone}"


def eve(ts: int) -> str:
    """`2026-11-20T10:20:54.176026+0000`, as Suricata writes it."""
    return micros(ts, "+0000")


def epoch(ts: int) -> str:
    """`1795170054.176026`, as Zeek writes it."""
    whole, part = divmod(ts, _SECOND)
    return f"{whole}.{part // 1000:06d}"


@lru_cache(4096)
def _second(number: int) -> str:
    """Of seconds since 1970: rows of one moment share it."""
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%dT%H:%M:%S")
