"""Files of logs: rotation, reopening, what is found there; every line once and whole."""

import os
import random
import stat
from pathlib import Path

import pytest

from log_files import Clock, numbered, numbers, old, opened, settings
from tidegate.sinks.logfile import MOVED, LogFile
from tidegate.sinks.plain import Plain
from tidegate.sinks.zeek import Zeek


@pytest.mark.parametrize(
    "more",
    [
        {"rotate_size": 100},
        {"rotate_size": 1},
        {"rotate_lines": 7},
        {"rotate_lines": 1},
        {"rotate_size": 2000},
    ],
)
def test_rotation_neither_loses_nor_doubles_nor_tears(tmp_path: Path, more: dict[str, int]) -> None:
    path, choice = tmp_path / "log", random.Random(1)
    file, first = opened(path, **more), 0
    while first < 150:
        count = choice.choice([1, 1, 2, 5, 40])
        file.write(numbered(first, count, choice.choice([0, 3, 60])))
        first += count
    file.close()
    files = old(path)
    assert numbers(*files) == list(range(first))
    assert len(files) > 2
    for each in files[:-1]:
        if "rotate_lines" in more:
            assert len(numbers(each)) == more["rotate_lines"]
        else:
            assert each.stat().st_size <= more["rotate_size"] or len(numbers(each)) == 1


def test_old_files_go_beyond_the_number_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = opened(path, rotate_lines=1, keep=3)
    file.write(numbered(0, 10))
    file.close()
    assert [numbers(each) for each in old(path)] == [[7], [8], [9], []]


def test_fewer_are_kept_when_fewer_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for keep in (5, 2):
        file = opened(path, rotate_lines=1, keep=keep)
        file.write(numbered(0, 8))
        file.close()
    assert [each.name for each in old(path)] == ["log.2", "log.1", "log"]


def test_a_new_file_when_the_time_has_come(tmp_path: Path) -> None:
    path, wall = tmp_path / "log", Clock(86_400 * 10 - 1.0)
    file = opened(path, wall=wall, rotate_time=86_400.0)
    file.write(numbered(0, 2))
    file.tick()
    assert old(path) == [path]
    wall.now += 2.0
    file.tick()
    assert [numbers(each) for each in old(path)] == [[0, 1], []]
    wall.now += 86_400
    file.tick()
    assert len(old(path)) == 2, "a file without a line is not full"
    file.write(numbered(2, 1))
    file.close()
    assert numbers(*old(path)) == [0, 1, 2]


def test_the_time_counts_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(numbered(0, 1))
    os.utime(path, (86_400 * 9, 86_400 * 9))
    file = opened(path, wall=Clock(86_400 * 10), rotate_time=86_400.0)
    file.write(numbered(1, 1))
    file.close()
    assert [numbers(each) for each in old(path)] == [[0], [1]]


def test_appends_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for first in (0, 2):
        file = opened(path, rotate_size=1000)
        file.write(numbered(first, 2))
        file.close()
    assert numbers(path) == [0, 1, 2, 3]
    assert old(path) == [path]


def test_a_line_torn_by_a_killed_writer_stays_apart(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"0 x\n1 xx")
    file = opened(path)
    file.write(b"2 x\n")
    file.close()
    assert path.read_bytes() == b"0 x\n1 xx\n2 x\n"


def test_a_header_is_written_anew_in_each_file_and_not_when_appending(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for _ in range(2):
        file = LogFile(path, Plain("tsv", "conn", ["uid"]), settings(path, rotate_lines=3))
        file.write(b"a\nb\n")
        file.close()
    assert [each.read_bytes() for each in old(path)] == [b"uid\na\nb\na\n", b"uid\nb\n"]


def test_other_columns_begin_another_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for column in ("uid", "name"):
        file = LogFile(path, Plain("tsv", "conn", [column]), settings(path))
        file.write(b"a\n")
        file.close()
    assert [each.read_bytes() for each in old(path)] == [b"uid\na\n", b"name\na\n"]


def test_zeek_says_when_a_file_ends_and_goes_on_with_a_header(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for _ in range(2):
        file = LogFile(path, Zeek("conn", ["uid"], clock=lambda: 0.0), settings(path))
        file.write(b"a\n")
        file.close()
    part = Zeek("conn", ["uid"], clock=lambda: 0.0).head() + b"a\n#close\t1970-01-01-00-00-00\n"
    assert path.read_bytes() == part * 2


def test_reopens_after_a_rename(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = opened(path)
    file.write(numbered(0, 1))
    path.rename(tmp_path / "moved")
    file.write(numbered(1, 1))
    file.reopen()
    file.write(numbered(2, 1))
    file.close()
    assert (numbers(tmp_path / "moved"), numbers(path)) == ([0, 1], [2])


def test_notices_a_rename_nobody_told_of(tmp_path: Path) -> None:
    path, clock = tmp_path / "log", Clock()
    file = opened(path, clock)
    file.write(numbered(0, 1))
    path.rename(tmp_path / "moved")
    file.tick()
    file.write(numbered(1, 1))
    clock.now += MOVED
    file.tick()
    file.write(numbered(2, 1))
    file.close()
    assert (numbers(tmp_path / "moved"), numbers(path)) == ([0, 1], [2])


def test_a_file_that_was_removed_is_made_anew_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = opened(path)
    file.write(numbered(0, 1))
    path.unlink()
    file.write(numbered(1, 1))
    file.close()
    assert numbers(path) == [1]


@pytest.mark.parametrize(("readable", "mode"), [("owner", 0o600), ("group", 0o640)])
def test_who_can_read_it(tmp_path: Path, readable: str, mode: int) -> None:
    path = tmp_path / "log"
    before = os.umask(0o077)
    try:
        file = opened(path, readable=readable, rotate_lines=1)
        file.write(numbered(0, 2))
        file.close()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(each.stat().st_mode) for each in old(path)} == {mode}


def test_a_pipe_waits_for_its_reader_and_gets_all(tmp_path: Path) -> None:
    path, clock = tmp_path / "pipe", Clock()
    os.mkfifo(path)
    file = opened(path, clock)
    file.write(numbered(0, 20_000, 20))
    assert file.failing
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    got = b""
    try:
        for _ in range(200):
            clock.now += 100
            file.tick()
            got += os.read(reader, 1 << 20)
            if got.endswith(b"19999 " + b"x" * 20 + b"\n"):
                break
        file.close()
    finally:
        os.close(reader)
    assert [int(line.split()[0]) for line in got.splitlines()] == list(range(20_000))
    assert file.lost == 0


def test_what_somebody_else_put_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (tmp_path / "log.2").write_text("not ours\n")
    file = opened(path, rotate_lines=1)
    file.write(numbered(0, 4))
    file.close()
    kept = [each.read_text() for each in tmp_path.iterdir()]
    assert "not ours\n" in kept
    assert len(kept) == 6


def test_how_long_something_waits_is_known(tmp_path: Path) -> None:
    clock = Clock()
    log = opened(tmp_path / "later" / "log", clock)
    assert log.lag == 0
    log.write(numbered(0, 1))
    clock.now += 7
    log.write(numbered(1, 1))
    assert log.lag == 7
    (tmp_path / "later").mkdir()
    clock.now += 60
    log.tick()
    assert (log.lag, log.waiting) == (0, 0)
    log.close()
