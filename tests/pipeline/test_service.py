"""A running Tidegate: its capture comes back, its configuration changes, and no row is lost on the way."""

from collections.abc import Callable

import pytest

from tidegate.model.batch import Batch, make
from tidegate.model.errors import CaptureError, StoreError, UsageError
from tidegate.pipeline.pipeline import Line
from tidegate.pipeline.service import Parts, Service

ROW: dict[str, list[object]] = {
    **{name: ["x"] for name in ("alert_id", "sensor", "rule", "state", "severity", "metric", "message")},
    **{name: [1] for name in ("ts", "since", "value", "threshold", "clear")},
}


class Capture:
    """A source that does as it is told: a batch, an error, its end. After stop() two batches come."""

    def __init__(self, acts: list[str]) -> None:
        self.acts = acts
        self.stopped = False

    def poll(self, timeout: float) -> list[Batch] | None:
        if self.stopped:
            return [make("alert", ROW)] if self.acts and self.acts.pop() else None
        act = self.acts.pop(0) if self.acts else "batch"
        if act == "error":
            raise CaptureError("the interface burns")
        return None if act == "end" else [make("alert", ROW)]

    def stop(self) -> None:
        self.stopped = True
        self.acts = ["x", "x"]


class Kept:
    """A sink that counts. It can break at the n-th batch."""

    def __init__(self, breaks_at: int = 0) -> None:
        self.batches = self.closed = self.reopened = 0
        self._breaks_at = breaks_at

    def write(self, batch: Batch) -> None:
        assert not self.closed
        self.batches += 1
        if self.batches == self._breaks_at:
            raise StoreError("the disk burns")

    def flush(self) -> None:
        """Nothing is held back."""

    def reopen(self) -> None:
        self.reopened += 1

    def close(self) -> None:
        self.closed += 1


class World:
    """A service over captures, sinks and a clock of ours; things happen at the n-th look at the clock."""

    def __init__(self, sources: list[list[str] | None]) -> None:
        self.sources = sources
        self.made: list[Capture] = []
        self.sinks: list[Kept] = []
        self.capture: object = "one"
        self.wrong = False
        self.cannot_open: dict[int, bool] = {}
        self.breaks_at: dict[int, int] = {}
        self.now = 0.0
        self.events: dict[int, Callable[[], object]] = {}
        self.service = Service(self.build, self.clock)

    def clock(self) -> float:
        self.now += 1
        if event := self.events.pop(int(self.now), None):
            event()
        return self.now

    def build(self) -> Parts:
        if self.wrong:
            raise UsageError("t.yml:1: no")
        return Parts(self.capture, self.source, self.line, lambda: {"sensor": "s"})

    def source(self) -> Capture:
        acts = self.sources.pop(0) if self.sources else []
        if acts is None:
            raise CaptureError("no such interface")
        self.made.append(Capture(acts))
        return self.made[-1]

    def line(self) -> Line:
        if self.cannot_open.pop(len(self.sinks), False):
            raise UsageError("no such folder")
        self.sinks.append(Kept(self.breaks_at.pop(len(self.sinks), 0)))
        return Line([self.sinks[-1]], [], self.clock)

    def run(self, **events: Callable[[], object]) -> None:
        self.events = {int(name[1:]): event for name, event in events.items()}
        self.service.run()


def test_it_stops_with_everything_written() -> None:
    world = World([[]])
    world.run(t20=world.service.stop)
    assert world.made[0].stopped
    assert world.sinks[0].closed == 1
    assert world.sinks[0].batches > 3
    assert not world.made[0].acts


def test_a_capture_that_ends_or_fails_comes_back() -> None:
    world = World([["batch", "end"], ["error"], None, []])
    world.run(t90=world.service.stop)
    assert len(world.made) == 3
    assert world.sinks[0].batches > 5
    assert world.service.status()["error"] == ""


def test_while_it_is_down_the_status_says_why() -> None:
    world = World([["end"], None])
    seen: list[dict[str, object]] = []
    world.run(
        t8=lambda: seen.extend((world.service.status(), world.service.capture())), t60=world.service.stop
    )
    assert seen[0]["capturing"] is False
    assert (seen[1]["error"], seen[1]["failures"]) == ("the capture ended", 1)
    assert 0 <= float(str(seen[1]["retry_in"])) <= 1
    assert seen[0]["error"] == "the capture ended"
    assert seen[0]["sensor"] == "s"


def test_one_that_cannot_even_start_raises() -> None:
    with pytest.raises(CaptureError, match="no such interface"):
        World([None]).run()


def test_a_reload_exchanges_the_line_and_keeps_the_capture() -> None:
    world = World([[]])
    world.run(t10=world.service.reload, t30=world.service.stop)
    assert len(world.made) == 1
    assert [sink.closed for sink in world.sinks] == [1, 1]
    assert all(sink.batches for sink in world.sinks)
    assert world.service.reloads == 1


def test_a_reload_of_another_capture_loses_none_of_the_olds_rows() -> None:
    world = World([[], []])

    def change() -> None:
        world.capture = "two"
        world.service.reload()

    world.run(t10=change, t30=world.service.stop)
    assert len(world.made) == 2
    assert not world.made[0].acts
    assert all(sink.batches for sink in world.sinks)


def test_a_wrong_reload_changes_nothing_but_opens_files_anew() -> None:
    world = World([[]])

    def spoil() -> None:
        world.wrong = True
        world.service.reload()

    world.run(t10=spoil, t30=world.service.stop)
    assert [(sink.closed, sink.reopened) for sink in world.sinks] == [(1, 1)]
    assert world.service.status()["reload_error"] == "t.yml:1: no"


def test_a_reload_whose_parts_cannot_be_opened_goes_back_to_the_old_ones() -> None:
    world = World([[]])
    world.cannot_open[1] = True
    world.run(t10=world.service.reload, t30=world.service.stop)
    assert [sink.closed for sink in world.sinks] == [1, 1]
    assert world.sinks[1].batches
    assert world.service.reloads == 0
    assert world.service.status()["reload_error"] == "no such folder"


def test_an_output_that_fails_is_opened_again_and_what_it_missed_is_counted() -> None:
    world = World([[]])
    world.breaks_at[0] = 3
    world.run(t40=world.service.stop)
    assert [sink.closed for sink in world.sinks] == [1, 1]
    assert world.sinks[0].batches == 3
    assert world.sinks[1].batches > 3
    assert world.service.missed_rows > 0
    assert world.service.status()["output_error"] == ""


def test_an_output_that_cannot_be_opened_again_is_tried_until_it_can() -> None:
    world = World([[]])
    world.breaks_at[0] = 3
    world.cannot_open[1] = True
    seen: list[dict[str, object]] = []
    world.run(t14=lambda: seen.append(world.service.status()), t60=world.service.stop)
    assert seen[0]["output_error"]
    assert len(world.sinks) == 2
    assert world.sinks[1].batches > 3
