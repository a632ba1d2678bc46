"""The machine's ports: those of outgoing connections, and one for a listener that nobody should meet."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

Ranges = tuple[tuple[int, int], ...]
"""Ports as (first, last), ascending, none twice."""

SYSTEM = Path("/proc/sys/net/ipv4")
HIGHEST = 65_535
USUAL = ((49_152, HIGHEST),)
"""Where no system says otherwise (RFC 6335)."""
_TRIES = 64


@dataclass(frozen=True)
class Ephemeral:
    """Ports that the system gives to outgoing connections, for IPv4 and IPv6 alike."""

    ranges: Ranges = USUAL
    reserved: Ranges = ()
    """Of these, those that it leaves out."""

    def free(self, taken: Ranges = ()) -> int:
        """How many there are, those that are `taken` not counted."""
        return count(minus(self.ranges, self.reserved + taken))


def ephemeral() -> Ephemeral:
    """What the system says of this network namespace."""
    try:
        first, last = map(int, (SYSTEM / "ip_local_port_range").read_text().split())
    except (OSError, ValueError):
        return Ephemeral()
    try:
        reserved = _read((SYSTEM / "ip_local_reserved_ports").read_text())
    except (OSError, ValueError):
        reserved = ()
    return Ephemeral(((first, last),), reserved)


def unused(asked: Ranges) -> Iterator[int]:
    """Ports for a listener of ours, the best ones first: neither asked for nor ephemeral, then not ephemeral.

    The last one is 0: the system chooses.
    """
    quiet = minus(((1024, HIGHEST),), ephemeral().ranges)
    yield from islice(_downwards(minus(quiet, asked)), _TRIES)
    yield from islice(_downwards(quiet), _TRIES)
    yield 0


def within(port: int, ranges: Ranges) -> bool:
    """Whether it is one of these."""
    return any(first <= port <= last for first, last in ranges)


def count(ranges: Ranges) -> int:
    """How many ports."""
    return sum(last - first + 1 for first, last in ranges)


def joined(ranges: Ranges) -> Ranges:
    """The same ports, ascending and none twice."""
    whole: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(whole[-1][1], last))
        else:
            whole.append((first, last))
    return tuple(whole)


def minus(ranges: Ranges, unwanted: Ranges) -> Ranges:
    """The ports of the first that are not in the second."""
    left = joined(ranges)
    for low, high in unwanted:
        left = tuple(
            (first, last)
            for start, end in left
            for first, last in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if first <= last
        )
    return left


def _downwards(ranges: Ranges) -> Iterator[int]:
    for first, last in reversed(ranges):
        yield from range(last, first - 1, -1)


def _read(text: str) -> Ranges:
    """The system's notation: "8080,9000-9010"."""
    parts = [part.partition("-") for part in text.strip().split(",") if part]
    return joined(tuple((int(first), int(last or first)) for first, _, last in parts))
