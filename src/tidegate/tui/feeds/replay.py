"""Feed: a capture file, played at its own pace, faster, or as fast as it can be read."""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from tidegate.model.batch import Batch
from tidegate.model.config import EngineSettings
from tidegate.sources.capture_file import CaptureFile
from tidegate.tui.board.rows import WANTED, Lists
from tidegate.tui.feeds.feed import Feed

AHEAD = 100_000
"""Rows that are read ahead, so that tables come in the order of time."""

PIECE = 250_000_000
"""Nanoseconds of the capture that are handed over at once."""

SETTINGS = EngineSettings(opened=True, interim=1.0, health=1.0)


class ReplayFeed(Feed):
    """Plays capture files; the time on screen is the capture's."""

    kind = "replay"

    def __init__(
        self,
        files: Sequence[str],
        speed: float | None,
        filter: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`speed` 1 is the capture's own pace, 10 ten times as fast, None as fast as possible.

        Raises CaptureError for a file that cannot be read.
        """
        super().__init__("tidegate-replay", ", ".join(files))
        tables = [table for table in WANTED if table != "relay"]
        self._source = CaptureFile(files, filter, tables, SETTINGS)
        self._speed = speed
        self._wall = clock
        self._began: tuple[float, int] | None = None
        self._shown = 0

    def clock(self) -> int:
        """The time in the capture."""
        if self._began is None or self._speed is None or self.ended:
            return self._shown
        return max(self._shown, self._due(self._wall()))

    def run(self) -> None:
        """Reads ahead, and hands over what is due."""
        for when, rows in in_order(self._source):
            if self._began is None:
                self._began = (self._wall(), when)
            if self._over.is_set() or not self._wait_for(when):
                return
            self._shown = max(self._shown, when)
            self.inbox.put(rows, self._shown, wait=True)

    def _due(self, wall: float) -> int:
        began, first = self._began or (wall, 0)
        return first + int((wall - began) * (self._speed or 0) * 1e9)

    def _wait_for(self, when: int) -> bool:
        """Waits until that moment of the capture; False if it is stopped before."""
        while self._speed is not None and (early := when - self._due(self._wall())) > 0:
            if self._over.wait(min(early / 1e9 / self._speed, 1.0)):
                return False
        return not self._over.is_set()


def in_order(source: CaptureFile) -> Iterator[tuple[int, Lists]]:
    """Pieces of rows with their times (ns) in the order of time, as far as can be seen ahead."""
    waiting: list[tuple[int, int, Lists]] = []
    number = count()
    rows = 0
    while (batches := source.poll(0.2)) is not None:
        for batch in batches:
            for when, piece in pieces(batch):
                rows += piece.num_rows
                heapq.heappush(waiting, (when, next(number), piece))
        while rows > AHEAD:
            when, _, piece = heapq.heappop(waiting)
            rows -= piece.num_rows
            yield when, piece
    while waiting:
        when, _, piece = heapq.heappop(waiting)
        yield when, piece


def pieces(batch: Batch) -> Iterator[tuple[int, Lists]]:
    """The batch in pieces of a quarter of a second; rows keep their order."""
    names = WANTED[batch.table]
    whole = Lists(batch.table, names, batch.columns(names))
    times = whole.values[names.index("last_ts" if batch.table == "conn" else "ts")]
    start, latest = 0, 0
    for place, when in enumerate(times):
        moment = max(latest, when)
        if place > start and moment // PIECE != latest // PIECE:
            yield latest, whole.piece(start, place)
            start = place
        latest = moment
    if start < len(times):
        yield latest, whole.piece(start, len(times))
