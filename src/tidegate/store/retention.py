"""What the store keeps: a total size, an age, and room on the disk for others."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tidegate.model.config import StoreSettings
from tidegate.store.layout import Layout, Segment


@dataclass
class Removed:
    """What retention has removed since the start."""

    segments: int = 0
    bytes: int = 0


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
