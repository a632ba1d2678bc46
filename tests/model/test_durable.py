"""Files that are whole or not there, and locks between processes."""

from pathlib import Path

import pytest

from tidegate.model.durable import BusyError, Lock, locked, make_folder, remove, write_whole


def test_a_file_is_replaced_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for data in (b"one", b"two" * 100_000, b""):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600
    remove(path)
    remove(path)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_changes_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    write_whole(path, b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_nothing_is_written_through_a_link_that_somebody_left(tmp_path: Path) -> None:
    import os

    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".a.{os.getpid()}.tmp").symlink_to(victim)
    with pytest.raises(OSError):
        write_whole(tmp_path / "a", b"x")
    assert victim.read_text() == "mine"


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path):
        assert not Lock(path).take()
        with pytest.raises(BusyError, match="somebody"), locked(path, "somebody has it"):
            pass
    with locked(path, wait=True):
        pass


def test_folders_are_made_with_those_above(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
