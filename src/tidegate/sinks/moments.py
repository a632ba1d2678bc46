"""Times as log formats write them; all in UTC."""

from datetime import UTC, datetime
from functools import lru_cache

_SECOND = 1_000_000_000


@lru_cache(4096)
def second(number: int) -> str:
    """`2026-11-20T10:20:54`, of seconds since 1970: rows of one moment share it."""
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def iso(ts: int) -> str:
    """`2026-11-20T10:20:54.176026123Z`, of nanoseconds since 1970."""
    whole, part = divmod(ts, _SECOND)
    return f"{second(whole)}.{part:09d}Z"


def iso_micros(ts: int) -> str:
    """`2026-11-20T10:20:54.176026Z`, of nanoseconds since 1970."""
    whole, part = divmod(ts, _SECOND)
    return f"{second(whole)}.{part // 1000:06d}Z"


def eve(ts: int) -> str:
    """`2026-11-20T10:20:54.176026+0000`, as Suricata writes it, of nanoseconds since 1970."""
    whole, part = divmod(ts, _SECOND)
    return f"{second(whole)}.{part // 1000:06d}+0000"


def epoch(ts: int) -> str:
    """`1795170054.176026`, as Zeek writes it, of nanoseconds since 1970."""
    whole, part = divmod(ts, _SECOND)
    return f"{whole}.{part // 1000:06d}"
