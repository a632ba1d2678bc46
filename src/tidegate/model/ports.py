"""Ranges of ports, and what can be done with them. Pure."""

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""Ports as (first, last), ascending, none twice."""

HIGHEST = 65_535


def within(port: int, ranges: Ranges) -> bool:
    """Whether it is one of these."""
    return any(first <= port <= last for first, last in ranges)


def count_ports(ranges: Ranges) -> int:
    """How many ports."""
    return sum(last - first + 1 for first, last in ranges)


def say_ports(ranges: Ranges) -> str:
    """ "22,80-89"."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same ports, ascending and none twice."""
    whole: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(whole[-1][1], last))
        else:
            whole.append((first, last))
    return tuple(whole)


def without(ranges: Ranges, unwanted: Iterable[tuple[int, int]]) -> Ranges:
    """The ports of the first that are not in the second."""
    left = union(ranges)
    for low, high in unwanted:
        left = tuple(
            (first, last)
            for start, end in left
            for first, last in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if first <= last
        )
    return left


def overlap(one: Ranges, other: Ranges) -> int | None:
    """A port that both have, if there is one."""
    for first, last in one:
        for low, high in other:
            if max(first, low) <= min(last, high):
                return max(first, low)
    return None
