"""A stage that may fail: rows go on without it, it is said, and it is started again."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from tidegate.model.batch import Batch
from tidegate.model.text import safe_text
from tidegate.pipeline.backoff import Backoff
from tidegate.pipeline.pipeline import Stage

_log = logging.getLogger("tidegate")


class Guarded:
    """The stage that `make` gives. While it is down, every batch passes unchanged."""

    def __init__(
        self, name: str, make: Callable[[], Stage], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.error = ""
        """Why it is down; empty while it works."""
        self.failures = 0
        self._make = make
        self._clock = clock
        self._backoff = Backoff()
        self._stage: Stage | None = None
        self._start()

    @property
    def stage(self) -> Stage | None:
        """The stage itself, while it works."""
        return self._stage

    def process(self, batch: Batch) -> Iterable[Batch]:
        """What the stage makes of it, or the batch as it is."""
        return self._try(lambda stage: list(stage.process(batch)), [batch])

    def tick(self, now: int) -> Iterable[Batch]:
        """What the stage has to say; a stage that is down is started when it is due."""
        if self._stage is None and self._backoff.is_due(self._clock()):
            self._start()
        return self._try(lambda stage: list(stage.tick(now)), [])

    def close(self) -> None:
        """Closes the stage."""
        if self._stage:
            self._attempt(self._stage.close)

    def _start(self) -> None:
        self._backoff.start(self._clock())
        self._attempt(self._make_stage)
        if self._stage and self.error:
            self.error = ""
            _log.info("%s: working again", self.name)

    def _make_stage(self) -> None:
        self._stage = self._make()

    def _try(self, work: Callable[[Stage], list[Batch]], instead: list[Batch]) -> list[Batch]:
        stage = self._stage
        if stage is None:
            return instead
        made: list[Batch] = []
        return made if self._attempt(lambda: made.extend(work(stage))) else instead

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Does it; whether it went well."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the supervisor: no part may take the others with it
            failed, self._stage = self._stage, None
            if failed:  # its threads end with it
                with suppress(Exception):
                    failed.close()
            self.failures += 1
            self.error = safe_text(" ".join(f"{type(error).__name__}: {error}".split()))
            delay = self._backoff.fail(self._clock())
            _log.warning("%s: failed and left out; next try in %.0f s: %s", self.name, delay, self.error)
            return False
        return True
