"""Numbers as people write and read them: durations, sizes, counts."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tidegate.model.errors import UsageError
from tidegate.model.text import clip

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: dict[str, int] = {"": 1, "b": 1} | {
    unit: base**power
    for power, letter in enumerate("kmgt", 1)
    for base, units in ((1000, (letter, f"{letter}b")), (1024, (f"{letter}i", f"{letter}ib")))
    for unit in units
}
_LONGEST = 36_500 * 86_400.0
_LARGEST = 10**18
_FIRST, _LAST = datetime(1700, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of "90", "200s", "5m", "2h", "1d" or "500ms"; raises UsageError."""
    number, unit = _split(text)
    if unit not in _SECONDS:
        raise UsageError(f'"{text}" is no duration: write 90, 200s, 5m, 2h or 1d')
    if number * _SECONDS[unit] > _LONGEST:
        raise UsageError(f'"{clip(text, 20)}" is too long: 36500d at most')
    return number * _SECONDS[unit]


def parse_size(text: str) -> int:
    """Bytes of "1000", "64K", "10GB" (powers of 1000), "64Ki", "10GiB" (of 1024); raises UsageError."""
    number, unit = _split(text)
    if unit not in _BYTES:
        raise UsageError(f'"{text}" is no size: write 1000, 64K, 100M or 10G (64Ki, 100Mi, 10Gi: by 1024)')
    if number * _BYTES[unit] > _LARGEST:
        raise UsageError(f'"{clip(text, 20)}" is too large: 1000000T at most')
    return round(number * _BYTES[unit])


def parse_loopback(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:9700", "[::1]:9700" or "localhost:9700"; raises UsageError."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f'"{clip(text, 40)}" is no address and port: write 127.0.0.1:9700')
    if not is_loopback(host):
        raise UsageError(f'"{clip(text, 40)}" is no loopback address: write 127.0.0.1:{port}')
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its address or the name localhost."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment of "2026-11-20", "2026-11-20 14:00", "2026-11-20T14:00:05+01:00", or "2h" before `now`.

    Without a zone it is UTC, and the result always is, without saying so; raises UsageError.
    """
    try:
        if "-" not in text:
            return (now - timedelta(seconds=parse_duration(text))).replace(tzinfo=None)
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, UsageError):
        raise UsageError(
            f'"{clip(text, 30)}" is no time: write 2h (ago), 2026-11-20 or 2026-11-20 14:00 (UTC)'
        ) from None
    if not _FIRST <= moment <= _LAST:
        raise UsageError(f'"{clip(text, 30)}" is out of range: write a year from 1700 to 2199')
    return moment.replace(tzinfo=None)


def _split(text: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(text)
    return (float(match[1]), match[2].lower()) if match else (0.0, "?")


def human_bytes(count: float) -> str:
    """ "1.5 MB": powers of 1000, as networks count."""
    return f"{int(count)} B" if count < 1000 else _scaled(count, ("kB", "MB", "GB", "TB", "PB"))


IN_BYTES = frozenset({"bytes", "quota"})
"""Metrics of alerts that are bytes."""


def human_amount(metric: str, value: float) -> str:
    """A value or a limit of an alert's metric: bytes as sizes, all else as counts."""
    return human_bytes(value) if metric in IN_BYTES else f"{value:,.10g}"


def human_count(count: float) -> str:
    """A count with thousands separated: "12,345"."""
    return f"{int(count):,}"


def counted(count: int, what: str) -> str:
    """ "1 packet", "12,345 packets"."""
    return f"{human_count(count)} {what}{'' if count == 1 else 's'}"


def human_rate(per_second: float) -> str:
    """A rate without its unit: "812" or "2.5 M"."""
    return f"{per_second:.0f}" if per_second < 1000 else _scaled(per_second, ("k", "M", "G"))


def human_duration(seconds: float) -> str:
    """ "35 µs", "1.2 ms", "3.40 s", "5m 07s", "2h 05m", "3d 04h"."""
    if 0 < seconds < 0.0001:
        return f"{seconds * 1_000_000:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def _scaled(value: float, units: tuple[str, ...]) -> str:
    for unit in units:
        value /= 1000
        if value < 999.95 or unit == units[-1]:
            break
    return f"{value:.1f} {unit}"
