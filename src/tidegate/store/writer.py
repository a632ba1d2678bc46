"""The one writer of a store: rows in, segments out, nothing lost that was written.

Rows are handed to the system as they come, so a killed writer loses none of them; every
`sync_interval` they are forced to disk, which is what a power cut can cost at most. On a
full disk the writer drops and counts rows, and tries again every `retry_interval`.
"""

import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tidegate.model.batch import Batch
from tidegate.model.config import StoreSettings
from tidegate.model.errors import TidegateError
from tidegate.store.compact import close_segment
from tidegate.store.layout import Layout, Segment, new_segment_id
from tidegate.store.lock import StoreLock
from tidegate.store.retention import NO_AGES, Ages, Removed, enforce, today
from tidegate.store.segments import OpenSegment

log = logging.getLogger(__name__)

_HOUSEKEEPING = 60.0


def since_boot() -> float:
    """Seconds by a clock that nobody can set; on Linux it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


@dataclass
class _Current:
    """The open segment of a table."""

    id: str
    opened: float
    file: OpenSegment

    @property
    def day(self) -> str:
        return self.id[:8]


class StoreWriter:
    """Appends batches to a store. Call `tick` about once a second, and `close` at the end."""

    def __init__(
        self,
        root: Path,
        settings: StoreSettings | None = None,
        clock: Callable[[], float] = time.time,
        ages: Ages = NO_AGES,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        """Opens or makes the store and closes what a killed writer left open; raises StoreError.

        `ages` are tables that are kept for a shorter time than the others. Their segments are closed the
        sooner, so that a row lives for at least three quarters of its time. `clock` tells the time of day,
        `steady` is one that nobody can set: what happens every so often goes by it.
        """
        self.layout = Layout(root)
        self.layout.create()
        self._lock = StoreLock(self.layout)
        self._settings = settings or StoreSettings()
        self._clock = clock
        self._steady = steady
        self._ages = ages
        self._current: dict[str, _Current] = {}
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="tidegate-store")
        self._closing: dict[Segment, Future[None]] = {}
        self._synced = self._kept = steady()
        self._today = today(chain(*self.layout.segments()), clock(), steady(), self._settings)
        self._paused_until: float | None = None
        self.lost_rows = 0
        """Rows dropped because the disk took none."""
        self.removed = Removed()
        """What retention has removed."""
        self._recover()

    def write(self, batch: Batch) -> None:
        """Appends the rows to their table's open segment; never raises for a full disk."""
        if self._paused_until is not None and self._steady() < self._paused_until:
            self.lost_rows += batch.num_rows
            return
        try:
            self._segment_for(batch).file.write(batch)
        except (OSError, TidegateError) as error:
            self._pause(batch, error)
        else:
            self._resume()

    def tick(self) -> None:
        """Syncs, rotates and tidies up, as far as each is due."""
        now, steady = self._clock(), self._steady()
        for table, current in list(self._current.items()):
            if self._is_full(table, current, now):
                self._rotate(table)
        if steady - self._synced >= self._settings.sync_interval:
            self._sync(steady)
        if steady - self._kept >= _HOUSEKEEPING:
            self._tidy()

    def close(self) -> None:
        """Closes all segments into Parquet and lets another writer in. A second call does nothing."""
        for table in list(self._current):
            self._rotate(table)
        self._closer.shutdown(wait=True)
        self._collect()
        self._lock.close()

    def _recover(self) -> None:
        self.layout.remove_unfinished()
        for segment in self.layout.open_segments():
            self._close_later(segment)
        self._tidy()

    def _segment_for(self, batch: Batch) -> _Current:
        current = self._current.get(batch.table)
        if current is None:
            now = self._clock()
            segment_id = new_segment_id(now)
            file = OpenSegment(self.layout.open_path(batch.table, segment_id), batch)
            current = self._current[batch.table] = _Current(segment_id, now, file)
        return current

    def _is_full(self, table: str, current: _Current, now: float) -> bool:
        age = self._settings.segment_age
        if table in self._ages:
            age = min(age, self._ages[table] / 4)
        return (
            current.file.size >= self._settings.segment_bytes
            or now - current.opened >= age
            or current.day != time.strftime("%Y%m%d", time.gmtime(now))
        )

    def _rotate(self, table: str) -> None:
        current = self._current.pop(table)
        try:
            current.file.close()
        except (OSError, TidegateError) as error:
            log.warning("store: %s", error)
        self._close_later(Segment(table, current.id, current.file.path, current.file.size))

    def _close_later(self, segment: Segment) -> None:
        self._closing[segment] = self._closer.submit(close_segment, self.layout, segment)

    def _collect(self) -> list[Segment]:
        """Forgets finished closings; the segments whose closing failed."""
        failed = []
        for segment, future in list(self._closing.items()):
            if future.done():
                del self._closing[segment]
                if error := future.exception():
                    log.warning("store: %s stays open for now: %s", segment.path, error)
                    failed.append(segment)
        return failed

    def _sync(self, steady: float) -> None:
        self._synced = steady
        for table, current in list(self._current.items()):
            try:
                current.file.sync()
            except (OSError, TidegateError) as error:
                log.warning("store: %s", error)
                self._rotate(table)

    def _tidy(self) -> None:
        self._kept = self._steady()
        for segment in self._collect():
            self._close_later(segment)
        before = self.removed.segments
        self._enforce()
        if self.removed.segments > before:
            log.info("store: removed %d old segments to stay in bounds", self.removed.segments - before)

    def _enforce(self) -> None:
        now = self._today.at(self._clock(), self._steady())
        enforce(self.layout, self._settings, now, self.removed, self._ages)

    def _pause(self, batch: Batch, error: Exception) -> None:
        """The core has taken back what was half written, so the same segment goes on after the pause."""
        if self._paused_until is None:
            log.warning("store: %s; going on without storing, trying again", error)
        self._paused_until = self._steady() + self._settings.retry_interval
        self.lost_rows += batch.num_rows
        self._enforce()

    def _resume(self) -> None:
        if self._paused_until is not None:
            self._paused_until = None
            log.warning("store: writing again; %d rows were lost", self.lost_rows)
