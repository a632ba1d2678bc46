"""Writes to a sink in a thread of its own, so that whoever reads slowly there keeps nobody else waiting."""

import logging
import threading
from collections import deque

from tidegate.model.batch import Batch
from tidegate.model.locks import lock_and_condition
from tidegate.model.units import human_count
from tidegate.sinks import Sink

log = logging.getLogger(__name__)

HELD = 50_000
"""Rows that wait, at most; what is more is lost, and counted."""


class Aside:
    """A bounded queue before a sink. What the sink raises, the next call here raises."""

    def __init__(self, sink: Sink, name: str, held: int = HELD) -> None:
        """Starts the thread; `name` is how lines about it call the sink."""
        self.lost = 0
        """Rows that found no room."""
        self._sink = sink
        self._name = name
        self._held = held
        self._batches: deque[Batch] = deque()
        self._rows = 0
        self._flush = self._full = self._closing = False
        self._error: Exception | None = None
        self._lock, self._changed = lock_and_condition()
        self._thread = threading.Thread(target=self._run, name="tidegate-aside")
        self._thread.start()

    def write(self, batch: Batch) -> None:
        """Lets the batch wait for the sink."""
        with self._lock:
            first = not self._full
            # One batch is taken in any case, however long it is.
            self._full = bool(self._rows) and self._rows + batch.num_rows > self._held
            if self._full:
                self.lost += batch.num_rows
            else:
                self._batches.append(batch)
                self._rows += batch.num_rows
                self._changed.notify()
        if self._full and first:
            waiting = human_count(self._rows)
            log.warning("%s takes nothing, and %s rows wait: others are lost", self._name, waiting)
        self._say()

    def flush(self) -> None:
        """Lets the sink flush as soon as it can."""
        with self._lock:
            self._flush = True
            self._changed.notify()
        self._say()

    def close(self) -> None:
        """Waits until the sink has taken what waits, and closes it."""
        with self._lock:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._sink.close()
        if self.lost:
            log.warning("%s: %s rows were lost, it was too slow", self._name, human_count(self.lost))
        self._say()

    def _say(self) -> None:
        error, self._error = self._error, None
        if error:
            raise error

    def _run(self) -> None:
        while True:
            with self._lock:
                self._changed.wait_for(lambda: self._batches or self._flush or self._closing)
                batch = self._batches[0] if self._batches else None
                flush, self._flush = self._flush and batch is None, self._flush and batch is not None
                if batch is None and not flush:
                    return
            try:
                if batch is not None:
                    self._sink.write(batch)
                else:
                    self._sink.flush()
            except Exception as error:  # noqa: BLE001 - it is raised again where somebody can answer
                self._error = error
            if batch is not None:
                with self._lock:
                    self._batches.popleft()
                    self._rows -= batch.num_rows
