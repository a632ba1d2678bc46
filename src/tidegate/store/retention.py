"""What the store keeps: a total size, an age, and room on the disk for others."""

import logging
import shutil
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tidegate.model.config import StoreSettings
from tidegate.model.units import human_duration
from tidegate.store.layout import Layout, Segment

TRUST = 3600.0
"""Seconds after which a clock is believed that jumped ahead."""
SLACK = 300.0
"""Seconds by which a clock may be set without being said to jump."""

log = logging.getLogger(__name__)


@dataclass
class Removed:
    """What retention has removed since the start."""

    segments: int = 0
    bytes: int = 0


class Today:
    """What time it is for what goes by its age: a clock that jumps ahead is believed after a while only.

    Else a wrong date, which somebody sets right a minute later, would have emptied the store. Held is what
    the clock has been ahead by for all of that while, however often it jumps.
    """

    def __init__(self, wall: float, steady: float) -> None:
        """`wall` is in seconds since 1970, `steady` in seconds by a clock that nobody can set."""
        self._ahead = deque([(steady, wall - steady)])
        """Since when the clock has been ahead of the steady one by so much at least; both grow."""

    def at(self, wall: float, steady: float) -> float:
        """The time that holds, where the clocks show these."""
        since, ahead = steady, wall - steady
        while self._ahead and ahead <= self._ahead[-1][1] + SLACK:
            since, _ = self._ahead.pop()
        self._ahead.append((since, ahead))
        held = self._ahead[0][1]
        if since == steady and len(self._ahead) > 1:
            log.warning(
                "store: the clock went ahead by %s; if it stays so, what is too old by it is removed in %s",
                human_duration(ahead - held),
                human_duration(TRUST),
            )
        while len(self._ahead) > 1 and steady - self._ahead[1][0] >= TRUST:
            self._ahead.popleft()
        return wall if len(self._ahead) == 1 else steady + self._ahead[0][1]


def today(segments: Iterable[Segment], wall: float, steady: float, keep: StoreSettings) -> Today:
    """As it is at the start of a writer: where all there is would go, the clock may be wrong."""
    last = max((segment.opened for segment in segments), default=wall)
    return Today(last if wall - last > keep.keep_age else wall, steady)


Ages = Mapping[str, float]
"""Seconds that tables with an age of their own are kept, where that is less than for all."""

NO_AGES: Ages = MappingProxyType({})


def surplus(
    closed: Sequence[Segment], total: int, free: int, now: float, keep: StoreSettings, ages: Ages = NO_AGES
) -> list[Segment]:
    """The closed segments (oldest first) to remove, so that the limits hold.

    `total` is the store's size and `free` the disk's room, both in bytes. Each table keeps
    its newest segment unless that is too old: a disk filled by others must not empty the store.
    """
    newest = {segment.table: segment.id for segment in closed}
    gone: list[Segment] = []
    for segment in closed:
        crowded = total > keep.keep_bytes or free < keep.keep_free
        too_old = now - segment.opened > min(keep.keep_age, ages.get(segment.table, keep.keep_age))
        if too_old or (crowded and newest[segment.table] != segment.id):
            gone.append(segment)
            total -= segment.size
            free += segment.size
    return gone


def enforce(layout: Layout, keep: StoreSettings, now: float, removed: Removed, ages: Ages = NO_AGES) -> None:
    """Removes what is surplus, and counts it."""
    still_open, closed = layout.segments()
    total = sum(segment.size for segment in [*still_open, *closed])
    disk = shutil.disk_usage(layout.root)
    for segment in surplus(closed, total, disk.free, now, keep, ages):
        segment.path.unlink(missing_ok=True)
        removed.segments += 1
        removed.bytes += segment.size
        if not any(segment.path.parent.iterdir()):
            segment.path.parent.rmdir()
