"""A capture's sign of life: on a real interface, with a clock of our own."""

import os
from collections.abc import Iterator

import pytest

from tidegate.model.config import EngineSettings, WatchSettings
from tidegate.model.config.capture import live
from tidegate.sources.live import SIGN_OF_LIFE, Live

NOTHING = "udp port 1 and udp port 2"
"""A filter that lets nothing through."""


class Clock:
    now = 1_800_000_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quiet(clock: Clock) -> Iterator[Live]:
    if os.geteuid():
        pytest.skip("capturing takes root")
    settings = live(WatchSettings(interfaces=("lo",), filter=NOTHING, engine=EngineSettings(sensor="here")))
    capture = Live(settings, ["conn", "health"], wall=clock)
    try:
        yield capture
    finally:
        capture.stop()
        while capture.poll(0.1) is not None:
            pass


def told(capture: Live) -> list[list[object]]:
    return [
        batch.columns(["ts", "sensor", "packets"])
        for batch in capture.poll(0) or []
        if batch.table == "health"
    ]


def test_a_capture_without_packets_says_from_the_start_that_it_runs(quiet: Live, clock: Clock) -> None:
    assert told(quiet) == [[[clock.now], ["here"], [0]]]
    assert told(quiet) == []
    clock.now += SIGN_OF_LIFE - 1
    assert told(quiet) == []
    clock.now += 1
    assert told(quiet) == [[[clock.now], ["here"], [0]]]
    assert told(quiet) == []


def test_a_clock_that_jumps_back_is_followed(quiet: Live, clock: Clock) -> None:
    assert len(told(quiet)) == 1
    clock.now -= 10 * SIGN_OF_LIFE
    assert len(told(quiet)) == 1
    assert told(quiet) == []


def test_a_short_one_says_at_its_end_that_there_was_one(quiet: Live, clock: Clock) -> None:
    quiet.stop()
    last = []
    while (batches := quiet.poll(0.2)) is not None:
        last += [batch.table for batch in batches]
    assert last == ["health"]
    assert quiet.poll(0) is None
