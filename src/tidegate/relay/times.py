"""Times as the relay's library and status say them."""

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """`2026-11-20T10:20:54Z` of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
