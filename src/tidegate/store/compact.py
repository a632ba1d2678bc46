"""Closing a segment: from Arrow IPC to Parquet, long connections thinned on the way."""

import logging
from pathlib import Path

from tidegate.model.batch import Arrow
from tidegate.model.errors import CaptureError
from tidegate.store.layout import Layout, Segment
from tidegate.store.segments import read_segment, write_parquet

log = logging.getLogger(__name__)

_MEMORY = "256MB"

_THIN_CONN = """
    SELECT * FROM segment
    QUALIFY state = 'closed' OR row_number() OVER (
        PARTITION BY uid, date_trunc('minute', last_ts)
        ORDER BY state = 'closed' DESC, last_ts DESC,
            coalesce(up_packets + down_packets, up_payload + down_payload) DESC
    ) = 1
"""
"""All final rows; of the interim ones, the last of each connection and minute that has no final one."""


def close_segment(layout: Layout, segment: Segment) -> None:
    """Rewrites an open segment as Parquet, then removes it.

    Parquet is synced and renamed into place before the open file goes: at any moment one
    of them is whole, and readers prefer Parquet where they find both.
    """
    target = layout.closed_path(segment.table, segment.id)
    if not target.exists():
        try:
            rows = read_segment(segment.path)
        except CaptureError as error:
            set_aside(segment.path, str(error))
            return
        if rows is None:
            set_aside(segment.path, f"{segment.path}: damaged from its start, nothing can be read of it")
            return
        _rewrite(segment.table, rows, target)
    segment.path.unlink(missing_ok=True)


def set_aside(path: Path, why: str) -> None:
    """Keeps what cannot be read where nobody stumbles over it."""
    if path.exists():
        aside = path.replace(path.with_suffix(".unreadable"))
        log.warning("store: %s; set aside as %s", why, aside)


def _rewrite(table: str, rows: Arrow, target: Path) -> None:
    if table != "conn":
        write_parquet(target, rows)
        return
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": _MEMORY, "threads": 1}) as database:
        database.register("segment", rows)
        write_parquet(target, database.sql(_THIN_CONN))
