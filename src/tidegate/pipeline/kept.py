"""Stages and sinks that outlive their line: what they hold serves the next, after a reload or failure."""

from collections.abc import Callable, Iterable

from tidegate.model.batch import Batch
from tidegate.pipeline.pipeline import Stage
from tidegate.sinks import Sink


class Kept:
    """A stage, but for its end: whoever made that closes it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def said(self) -> str:
        """How it stands, in words."""
        return str(getattr(self._stage, "said", "working"))

    def process(self, batch: Batch) -> Iterable[Batch]:
        """What the stage makes of it."""
        return self._stage.process(batch)

    def tick(self, now: int) -> Iterable[Batch]:
        """What the stage has to say."""
        return self._stage.tick(now)

    def close(self) -> None:
        """Nothing: the line ends, the stage does not."""


class Once:
    """Makes a stage when it is first asked for, and gives the same one from then on."""

    def __init__(self, make: Callable[[], Stage]) -> None:
        self._make = make
        self._stage: Stage | None = None

    def __call__(self) -> Stage:
        """The stage; raises what its making raises, and tries again the next time."""
        if self._stage is None:
            self._stage = self._make()
        return Kept(self._stage)

    def close(self) -> None:
        """Ends the stage, if there is one."""
        if self._stage is not None:
            self._stage.close()


class Unclosed:
    """A sink, but for its end: it serves each line that comes, and whoever made it closes it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, batch: Batch) -> None:
        """Hands the batch on."""
        self._sink.write(batch)

    def flush(self) -> None:
        """Lets the sink flush."""
        self._sink.flush()

    def close(self) -> None:
        """The line ends, the sink does not."""
        self._sink.flush()
