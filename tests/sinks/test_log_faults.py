"""Logs whose disk is full, whose directory is gone, whose writes are cut: bounded, counted, made good."""

import errno
import logging
import os
import random
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from helpers import open_to_all
from log_files import Clock, Headed, Lines, numbered, numbers, old, opened
from tidegate.sinks import logfile
from tidegate.sinks.rotation import shift

ROOT = os.name == "posix" and os.geteuid() == 0
NEEDS_ROOT = pytest.mark.skipif(not ROOT, reason="needs root: a file system of its own, another user")


def test_a_directory_that_goes_and_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path, clock = tmp_path / "logs" / "log", Clock()
    path.parent.mkdir()
    file = opened(path, clock)
    file.write(numbered(0, 2))
    kept = numbers(path)
    shutil.rmtree(path.parent)
    file.write(numbered(2, 2))
    assert file.failing
    clock.now += 0.5
    file.write(numbered(4, 2))
    path.parent.mkdir()
    file.tick()
    assert file.failing, "not yet time"
    clock.now += 1.0
    file.tick()
    assert not file.failing
    file.write(numbered(6, 1))
    file.close()
    assert kept + numbers(path) == list(range(7))
    assert file.lost == 0
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"log test: {path}: No such file or directory; keeping up to 16.0 MB in memory and trying again",
        f"log test: writing to {path} again; 0 lines were lost",
    ]


def test_what_finds_no_room_in_memory_is_lost_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    path, clock = tmp_path / "gone" / "log", Clock()
    file = opened(path, clock, buffer=100)
    for number in range(50):
        file.write(numbered(number, 1, 7))
    assert 0 < 50 - file.lost <= 10
    path.parent.mkdir()
    clock.now += 100
    file.tick()
    assert numbers(path) == list(range(50 - file.lost))
    file.close()
    assert caplog.records[-1].getMessage().endswith(f"{file.lost} lines were lost")


def test_what_still_waits_at_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    file = opened(tmp_path / "gone" / "log")
    file.write(numbered(0, 3))
    file.close()
    assert file.lost == 3
    assert caplog.records[-1].getMessage() == f"log test: 3 lines could not be written to {file.path}"


def test_what_found_no_room_is_said_at_the_end_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = opened(tmp_path / "gone" / "log", buffer=100)
    for number in range(20):
        file.write(numbered(number, 1, 20))
    file.close()
    assert file.lost == 20
    assert caplog.records[-1].getMessage() == f"log test: 20 lines could not be written to {file.path}"


def test_attempts_become_rarer(tmp_path: Path) -> None:
    clock = Clock()
    file = opened(tmp_path / "gone" / "log", clock)
    times = []
    for _ in range(300):
        before = file._backoff._next
        file.tick()
        if file._backoff._next != before:
            times.append(clock.now)
        clock.now += 1
    gaps = [round(later - earlier) for earlier, later in pairwise(times)]
    assert gaps == [2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("seed", range(20))
def test_writes_that_are_cut_short_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """A disk that takes some bytes and then none: whole lines, each once, whatever is rotated or reopened."""
    choice, write, clock = random.Random(seed), os.write, Clock()

    def moody(fd: int, data: memoryview) -> int:
        if choice.random() < 0.3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, bytes(data)[: choice.randint(1, max(len(data), 1))])

    monkeypatch.setattr(logfile.os, "write", moody)
    path, moved, first = tmp_path / "log", 0, 0
    format = choice.choice([Lines(), Headed()])
    sizes = {"rotate_size": choice.choice([0, 200]), "rotate_lines": choice.choice([0, 9])}
    file = opened(path, clock, format=format, **sizes)
    for _ in range(60):
        count = choice.randint(1, 8)
        file.write(numbered(first, count, choice.randint(0, 30)))
        first += count
        clock.now += choice.choice([0, 5, 100])
        if path.exists():
            assert path.read_bytes()[-1:] in (b"", b"\n"), "ends with a whole line at any moment"
        if choice.random() < 0.2 and path.exists():
            path.rename(tmp_path / f"moved{moved:03d}")
            moved += 1
            file.reopen()
    monkeypatch.setattr(logfile.os, "write", write)
    file.close()
    assert file.lost == 0
    files = [each for each in (*tmp_path.glob("moved*"), *old(path)) if each.exists()]
    assert sorted(numbers(*files)) == list(range(first))
    for each in files:
        assert each.read_bytes().startswith(format.head()) or not numbers(each)
        marks = each.read_bytes().count(b"#") - format.head().count(b"#")
        assert marks in (0, format.tail().count(b"#")) or not numbers(each)


FULL = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from log_files import Clock, Headed, Lines, numbered, numbers, opened
from tidegate.model.config import LogSettings
directory = Path({directory!r})
clock = Clock()
file = opened(directory / "log", clock, buffer=1 << 20)
filler = directory / "filler"
filler.write_bytes(b"x" * 100_000)
first = 0
while not file.failing:
    file.write(numbered(first, 50, 40)); first += 50
    assert first < 100_000
at_full = (directory / "log").read_bytes()
assert at_full.endswith(b"\\n"), at_full[-80:]
for _ in range(20):
    file.write(numbered(first, 50, 40)); first += 50
assert file.failing and file.lost == 0
filler.unlink()
clock.now += 100
file.tick()
assert not file.failing
file.write(numbered(first, 1, 40)); first += 1
file.close()
assert numbers(directory / "log") == list(range(first)) and file.lost == 0
print("whole", first)
"""


@NEEDS_ROOT
def test_a_full_disk(tmp_path: Path) -> None:
    code = FULL.format(path=[str(Path(__file__).parents[1])], directory=str(tmp_path))
    mounted = 'mount -t tmpfs -o size=256k tmpfs "$1" && shift && exec "$@"'
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "--propagation",
            "private",
            "sh",
            "-c",
            mounted,
            "sh",
            str(tmp_path),
            sys.executable,
            "-c",
            code,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("whole "), done.stderr
    assert "No space left on device" in done.stderr


REFUSED = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from log_files import Clock, Headed, Lines, numbered, opened
os.setgid(65534); os.setuid(65534)
clock = Clock()
file = opened(Path({directory!r}) / "log", clock)
file.write(numbered(0, 1))
assert file.failing
full = opened(Path({directory!r}) / "given", clock, rotate_lines=1)
full.write(numbered(0, 3))
assert not full.failing
full.close()
print("refused")
"""


@NEEDS_ROOT
def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "given").touch()
    os.chown(tmp_path / "given", 65534, 65534)
    open_to_all(tmp_path)
    code = REFUSED.format(path=[str(Path(__file__).parents[1])], directory=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n", done.stderr
    assert "Permission denied; keeping up to" in done.stderr
    assert "cannot be rotated: Permission denied; going on with it" in done.stderr
    assert numbers(tmp_path / "given") == [0, 1, 2]


def test_a_rotation_that_stops_halfway_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    for name in ("log", "log.1", "log.2"):
        (tmp_path / name).write_text(name)
    replace, calls = Path.replace, []

    def once(source: Path, target: Path) -> Path:
        calls.append(source)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", once)
    with pytest.raises(OSError, match="Input/output error"):
        shift(path, 0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1", "log.3"]
    shift(path, 0)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "log.1": "log",
        "log.2": "log.1",
        "log.3": "log.2",
    }
