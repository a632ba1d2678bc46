"""The machine's ports: those of outgoing connections, and one for a listener that nobody should meet."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tidegate.model.ports import HIGHEST, Ranges, count_ports, union, without

SYSTEM = Path("/proc/sys/net/ipv4")
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
        return count_ports(without(self.ranges, self.reserved + taken))


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
    quiet = without(((1024, HIGHEST),), ephemeral().ranges)
    yield from islice(_downwards(without(quiet, asked)), _TRIES)
    yield from islice(_downwards(quiet), _TRIES)
    yield 0


def _downwards(ranges: Ranges) -> Iterator[int]:
    for first, last in reversed(ranges):
        yield from range(last, first - 1, -1)


def _read(text: str) -> Ranges:
    """The system's notation: "8080,9000-9010"."""
    parts = [part.partition("-") for part in text.strip().split(",") if part]
    return union(tuple((int(first), int(last or first)) for first, _, last in parts))
