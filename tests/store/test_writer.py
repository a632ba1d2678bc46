"""The one writer: rotation, recovery, a full disk."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

import tidegate
from helpers import wait_for
from log_rows import rows
from pcaps import http_get, write_pcap
from tidegate.model.batch import Batch
from tidegate.model.config import StoreSettings
from tidegate.model.errors import CaptureError, StoreError
from tidegate.store.layout import Layout
from tidegate.store.retention import enforce
from tidegate.store.segments import OpenSegment, read_segment
from tidegate.store.writer import StoreWriter

DAY = 86_400.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """One connection."""
    return next(iter(tidegate.read(write_pcap(tmp_path / "one.pcap", http_get()), tables=["conn"])))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(tmp_path: Path, clock: Clock) -> Iterator[StoreWriter]:
    writer = StoreWriter(tmp_path / "store", StoreSettings(keep_free=0, keep_age=1e12), clock, steady=clock)
    yield writer
    writer.close()


def count(root: Path) -> int:
    with_interim = tidegate.query("SELECT count(*) FROM conn_rows", root)
    return int(next(iter(with_interim))[0])


def test_rows_are_seen_at_once_and_after_closing(writer: StoreWriter, batch: Batch) -> None:
    root = writer.layout.root
    writer.write(batch)
    assert count(root) == 1
    writer.close()
    assert count(root) == 1
    assert writer.layout.open_segments() == []


@pytest.mark.parametrize("seconds", [3600.0, 7200.0])
def test_segments_rotate_by_age(writer: StoreWriter, batch: Batch, clock: Clock, seconds: float) -> None:
    writer.write(batch)
    clock.now += seconds
    writer.tick()
    writer.write(batch)
    writer.close()
    assert len(writer.layout.closed_segments()) == 2


def test_segments_rotate_by_day(writer: StoreWriter, batch: Batch, clock: Clock) -> None:
    clock.now = 1_700_006_399.0  # one second to midnight
    writer.write(batch)
    clock.now += 1
    writer.tick()
    writer.write(batch)
    writer.close()
    days = [segment.path.parent.name for segment in writer.layout.closed_segments()]
    assert days == ["date=2023-11-14", "date=2023-11-15"]


def test_segments_rotate_by_size(tmp_path: Path, batch: Batch, clock: Clock) -> None:
    writer = StoreWriter(
        tmp_path / "s", StoreSettings(segment_bytes=1, keep_free=0, keep_age=1e12), clock, steady=clock
    )
    for _ in range(3):
        writer.write(batch)
        writer.tick()
    writer.close()
    assert len(writer.layout.closed_segments()) == 3
    assert count(tmp_path / "s") == 3


def test_a_second_writer_is_refused_and_the_first_goes_on(writer: StoreWriter, batch: Batch) -> None:
    with pytest.raises(StoreError, match="is writing to this store"):
        StoreWriter(writer.layout.root)
    writer.write(batch)
    assert count(writer.layout.root) == 1


def test_a_full_disk_costs_only_the_rows_it_does_not_take(
    writer: StoreWriter, batch: Batch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    writer.write(batch)
    with patch.object(OpenSegment, "write", side_effect=CaptureError("store: No space left on device")):
        writer.write(batch)
        writer.write(batch)
    clock.now += 9
    writer.write(batch)
    assert writer.lost_rows == 3
    clock.now += 2
    writer.write(batch)
    assert count(writer.layout.root) == 2
    assert caplog.text.count("No space left on device") == 1
    assert "writing again; 3 rows were lost" in caplog.text


def test_a_clock_that_jumps_ahead_takes_nothing_away_unless_it_stays(
    tmp_path: Path, batch: Batch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    steady = Clock()
    writer = StoreWriter(tmp_path / "s", StoreSettings(keep_free=0, keep_age=DAY), clock, steady=steady)

    def pass_(seconds: float) -> int:
        clock.now += seconds
        steady.now += seconds
        writer.tick()
        wait_for(lambda: not any(not each.done() for each in writer._closing.values()))
        return count(writer.layout.root)

    writer.write(batch)
    assert pass_(3700) == 1  # closed by now
    clock.now += 3650 * DAY
    assert pass_(100) == pass_(3000) == 1
    clock.now -= 3650 * DAY  # set right
    assert pass_(100) == pass_(3700) == 1
    clock.now += 3650 * DAY
    assert pass_(100) == pass_(3400) == 1
    assert pass_(200) == 0
    assert caplog.text.count("the clock went ahead by 3650d 00h") == 2
    writer.close()


def test_a_start_with_a_wrong_date_takes_nothing_away(tmp_path: Path, batch: Batch, clock: Clock) -> None:
    keep = StoreSettings(keep_free=0, keep_age=DAY)
    writer = StoreWriter(tmp_path / "s", keep, clock, steady=clock)
    writer.write(batch)
    writer.close()
    wrong, steady = Clock(), Clock()
    wrong.now += 3650 * DAY
    writer = StoreWriter(tmp_path / "s", keep, wrong, steady=steady)
    assert count(tmp_path / "s") == 1
    for _ in range(40):
        wrong.now += 100
        steady.now += 100
        writer.tick()
    assert count(tmp_path / "s") == 0
    writer.close()


def test_a_start_with_a_wrong_date_after_a_kill_takes_nothing_away(
    tmp_path: Path, batch: Batch, clock: Clock
) -> None:
    keep = StoreSettings(keep_free=0, keep_age=DAY)
    killed = StoreWriter(tmp_path / "s", keep, clock, steady=clock)
    killed.write(batch)
    killed._lock.close()  # all there is lies in an open segment
    wrong, steady = Clock(), Clock()
    wrong.now += 3650 * DAY
    writer = StoreWriter(tmp_path / "s", keep, wrong, steady=steady)
    wait_for(lambda: writer.layout.closed_segments())
    wrong.now += 100
    steady.now += 100
    writer.tick()
    assert count(tmp_path / "s") == 1
    writer.close()


def test_a_clock_that_is_set_back_keeps_no_row_away(tmp_path: Path, batch: Batch, clock: Clock) -> None:
    steady = Clock()
    writer = StoreWriter(tmp_path / "s", StoreSettings(keep_free=0), clock, steady=steady)
    with patch.object(OpenSegment, "write", side_effect=CaptureError("store: No space left on device")):
        writer.write(batch)
    clock.now -= 365 * DAY
    steady.now += 11
    writer.write(batch)
    writer.close()
    assert (writer.lost_rows, count(tmp_path / "s")) == (1, 1)


def test_what_a_writer_left_open_is_closed_by_the_next(tmp_path: Path, batch: Batch, clock: Clock) -> None:
    layout = Layout(tmp_path / "store")
    layout.create()
    path = layout.open_path("conn", "20231114T221320000000-0123abcd")
    segment = OpenSegment(path, batch)
    segment.write(batch)
    segment.write(batch)
    with path.open("r+b") as file:  # as if killed inside the second batch
        file.truncate(segment.size - 10)
    StoreWriter(layout.root, StoreSettings(keep_free=0, keep_age=1e12), clock, steady=clock).close()
    assert layout.open_segments() == []
    assert count(layout.root) == 1


def test_excerpts_are_gone_when_their_own_time_is_over(tmp_path: Path, clock: Clock) -> None:
    keep = StoreSettings(keep_free=0, keep_age=1e12)
    writer = StoreWriter(tmp_path / "s", keep, clock, {"packet": 400.0}, clock)
    lived: dict[int, float] = {}
    for moment in range(0, 1000, 20):
        writer.write(rows("packet", 1, length=[moment], excerpt=["secret"]))
        writer.write(rows("conn", 1))
        clock.now += 20
        writer.tick()
        while writer._closing:
            writer._collect()
        enforce(writer.layout, keep, clock.now, writer.removed, {"packet": 400.0})
        for left in lengths(writer.layout):
            lived[left] = moment + 20 - left
    writer.close()
    complete = [lived[moment] for moment in range(0, 500, 20)]
    assert min(complete) >= 300 - 20
    assert max(complete) <= 400
    assert writer.removed.segments > 5
    assert {segment.table for segment in writer.layout.closed_segments()} == {"conn", "packet"}


def lengths(layout: Layout) -> list[int]:
    """What is left in table packet."""
    found: list[tuple[int]] = []
    with duckdb.connect(":memory:") as database:
        for file in layout.root.glob("packet/*/*.parquet"):
            found += database.execute("SELECT length FROM read_parquet(?)", [str(file)]).fetchall()
        for segment in layout.open_segments():
            if segment.table == "packet" and (left := read_segment(segment.path)):
                database.register("still", left)
                found += database.sql("SELECT length FROM still").fetchall()
    return [length for (length,) in found]
