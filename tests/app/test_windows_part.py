"""Recordings by the clock: begun, ended, opened again, tidied, on a virtual clock; a real one on loopback."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tidegate
from helpers import wait_for
from tidegate.app.windows_part import Window, Windows, window_of
from tidegate.model.batch import Batch
from tidegate.model.config import ScheduleSettings, WatchSettings, WindowSettings
from tidegate.model.errors import CaptureError
from tidegate.schedule.plans import windows
from tidegate.sources.live import Live

TEN = datetime(2026, 11, 20, 22, 0, tzinfo=UTC).timestamp()
HOUR = 3600.0
NIGHT = WindowSettings(name="pings", from_="22:00", to="06:00", filter="icmp")


class Stats:
    """Counters of a capture that sees nothing."""

    def __init__(self, warnings: list[str]) -> None:
        self.warnings = warnings

    def __getattr__(self, name: str) -> Any:
        return {} if name in ("malformed", "not_ip") else [] if name == "by_interface" else 0


class Capture:
    """A capture that ends when it is told, or breaks."""

    def __init__(self, settings: WatchSettings) -> None:
        self.settings = settings
        self.stopped = False
        self.broken = False
        self.warnings: list[str] = []
        assert settings.record is not None
        Path(settings.record.path.replace(".pcapng", "_00001.pcapng")).write_bytes(b"x" * 1_000_000)

    def poll(self, timeout: float) -> list[Batch] | None:
        if self.broken:
            raise CaptureError("broken")
        return None if self.stopped else []

    def stop(self) -> None:
        self.stopped = True

    def interfaces(self) -> list[str]:
        return ["lo"]

    def stats(self) -> Any:
        return Stats(self.warnings)


class World:
    """Windows, the captures they opened, and clocks that are set by hand."""

    def __init__(self, place: Path, *wanted: WindowSettings) -> None:
        self.now = TEN - 60
        self.place = place
        self.opened: list[Capture] = []
        self.fail = 0
        self.windows = Windows(self._open, lambda: self.now, lambda: self.now, 0.0)
        self.follow(*wanted)

    def _open(self, settings: WatchSettings) -> Capture:
        if self.fail:
            self.fail -= 1
            raise CaptureError("you may not capture")
        self.opened.append(Capture(settings))
        return self.opened[-1]

    def follow(self, *wanted: WindowSettings) -> None:
        found = windows(ScheduleSettings(zone="UTC", windows=wanted))
        self.windows.follow([window_of(settings, span, self.place) for settings, span in found])

    def at(self, *moments: float) -> list[bool]:
        """Looks at these moments; which captures run then."""
        for self.now in moments:
            self.windows.step()
        return [not each.stopped for each in self.opened]

    def said(self, number: int = 0) -> dict[str, Any]:
        return self.windows.facts()[number]


def test_it_records_from_the_one_time_to_the_other(tmp_path: Path) -> None:
    world = World(tmp_path, NIGHT)
    assert world.at(TEN - 1) == []
    assert world.said()["said"].startswith("next at 2026-11-20 22:00 UTC")
    assert world.at(TEN, TEN + 1, TEN + 8 * HOUR - 1) == [True]
    assert world.said()["said"].startswith("recording until 2026-11-21 06:00 UTC")
    (capture,) = world.opened
    assert capture.settings.filter == "icmp"
    assert capture.settings.record is not None
    assert capture.settings.record.path == str(tmp_path / "recordings" / "pings-20261120-220000.pcapng")
    assert world.at(TEN + 8 * HOUR) == [False]
    assert world.at(TEN + 24 * HOUR) == [False, True]
    world.windows.end()
    assert world.at()[-1] is False


def test_a_clock_that_jumps_ends_and_begins_what_it_should(tmp_path: Path) -> None:
    world = World(tmp_path, NIGHT)
    assert world.at(TEN + HOUR, TEN + 12 * HOUR, TEN + 2 * HOUR) == [False, True]
    assert world.at(TEN + 26 * HOUR) == [False, False, True]  # another night: another file


def test_a_capture_that_fails_is_opened_again_after_growing_waits(tmp_path: Path) -> None:
    world = World(tmp_path, NIGHT)
    world.fail = 2
    assert world.at(TEN, TEN + 0.5) == []
    assert world.said()["error"] == "you may not capture"
    assert world.at(TEN + 1, TEN + 2) == []
    assert world.at(TEN + 3.1) == [True]
    assert world.said()["error"] == ""
    world.opened[0].broken = True
    world.at(TEN + 100)
    assert world.said()["error"] == "broken"
    assert world.said()["failures"] == 3
    assert world.at(TEN + 101)[-1] is True


def test_a_disk_that_is_full_is_said_once_and_as_long_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path, NIGHT)
    assert world.at(TEN) == [True]
    for number in (12, 13):
        missing = f"No space left; {number} packets are missing in it"
        world.opened[0].warnings = ["interface lo is gone", f"recording: {missing}"]
        assert world.at(TEN + number) == [True]
        assert world.said()["error"] == missing
    assert world.said()["failures"] == 1
    assert caplog.text.count("packets are missing") == 1
    world.at(TEN + 600)
    assert world.said()["error"] == ""
    assert "13 packets are missing" in world.said()["said"]
    world.at(TEN + 9 * HOUR, TEN + 24 * HOUR)
    assert "missing" not in world.said()["said"]


def test_a_recording_whose_file_is_removed_begins_anew_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path, NIGHT)
    assert world.at(TEN, TEN + 61) == [True]
    shutil.rmtree(tmp_path / "recordings")
    assert world.at(TEN + 90) == [True]
    assert world.at(TEN + 122) == [False]
    assert world.said()["failures"] == 1
    assert "recordings: its file is gone, and what was in it" in caplog.text
    assert world.at(TEN + 124) == [False, True]
    assert world.said()["error"] == ""
    assert len(list((tmp_path / "recordings").iterdir())) == 1


def test_a_disk_that_is_taken_out_ends_no_other_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(NIGHT, name="dns", folder=str(tmp_path / "other"))
    world = World(tmp_path, NIGHT, other)
    assert world.at(TEN) == [True, True]
    glob = Path.glob

    def broken(self: Path, pattern: str) -> Iterator[Path]:
        if self.name == "recordings":
            raise OSError(errno.EIO, "Input/output error")
        return glob(self, pattern)

    monkeypatch.setattr(Path, "glob", broken)
    assert world.at(TEN + 61) == [False, True]
    assert "its file is gone" in world.said()["error"]
    assert world.said(1)["error"] == ""


def test_a_reload_leaves_alone_what_stays_and_ends_what_goes(tmp_path: Path) -> None:
    other = replace(NIGHT, name="dns", filter="port 53")
    world = World(tmp_path, NIGHT, other)
    assert world.at(TEN) == [True, True]
    world.follow(NIGHT, replace(other, filter="udp port 53"))
    assert world.at(TEN + 1) == [True, False, True]
    world.follow()
    assert world.at(TEN + 2) == [False, False, False]
    assert world.windows.facts() == []


def test_the_oldest_files_go_and_others_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    names = [f"pings-202611{day:02}-220000_00001.pcapng" for day in range(1, 6)]
    for name in [*names, "pings-mine.pcapng", "pings-2-20261101-220000_00001.pcapng", "pings-notes.txt"]:
        (folder / name).write_bytes(b"x" * 1_000_000)
    world = World(tmp_path, replace(NIGHT, total=2_500_000))
    world.at(TEN)
    left = sorted(path.name for path in folder.iterdir())
    ours = [name for name in left if name.startswith("pings-2026")]
    assert ours == [names[4], "pings-20261120-220000_00001.pcapng"]
    assert len(left) == 5


def test_days_and_interfaces_are_followed(tmp_path: Path) -> None:
    world = World(tmp_path, replace(NIGHT, days="sat", interface=("lo",), promiscuous=True))
    assert world.at(TEN, TEN + HOUR) == []  # a Friday
    assert world.at(TEN + 24 * HOUR) == [True]
    assert world.opened[0].settings.interfaces == ("lo",)
    assert world.opened[0].settings.promiscuous


def test_a_folder_that_cannot_be_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("")
    world = World(tmp_path, NIGHT)
    world.at(TEN)
    assert "recordings" in world.said()["error"] or "exists" in world.said()["error"]
    (tmp_path / "recordings").unlink()
    assert world.at(TEN + 60) == [True]


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_a_real_recording_holds_what_its_filter_lets_through(tmp_path: Path) -> None:
    now = [TEN]
    open: Callable[[WatchSettings], Live] = lambda settings: Live(settings, settings.tables)  # noqa: E731
    part = Windows(open, lambda: now[0])
    ((settings, span),) = windows(
        ScheduleSettings(zone="UTC", windows=(replace(NIGHT, interface=("lo",), filter="icmp"),))
    )
    part.follow([Window(settings, span, tmp_path / "r")])
    part.start()
    try:
        wait_for(lambda: "recording until" in str(part.facts()))
        words = ["ping", "-q", "-c", "3", "-i", "0.2", "127.0.0.1"]
        subprocess.run(words, check=True, capture_output=True)
        wait_for(lambda: part._recordings[0].totals.counters().packets >= 6)
        now[0] = TEN + 9 * HOUR
        wait_for(lambda: "next at" in str(part.facts()))
    finally:
        part.close()
    (file,) = (tmp_path / "r").glob("pings-20261120-220000*.pcapng")
    rows = tidegate.read(str(file), tables=["icmp"]).table("icmp")
    assert rows.num_rows >= 3
