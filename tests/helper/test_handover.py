"""Directories are handed over whole, and nothing outside of them is."""

import fcntl
import os
from pathlib import Path

import pytest

from tidegate.helper.handover import check_writable, prepare_folder, prepare_store
from tidegate.helper.identity import Identity, caller, current, named
from tidegate.model.errors import StoreError, UsageError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="handing over needs root")

USER = Identity(65534, 65533, (65533,), "somebody")


def owners(*paths: Path) -> set[tuple[int, int]]:
    return {(path.lstat().st_uid, path.lstat().st_gid) for path in paths}


def make_store(root: Path) -> Path:
    (root / "open" / "conn").mkdir(parents=True)
    (root / "VERSION").write_text("1\n")
    (root / "open" / "conn" / "x.arrows").write_text("rows")
    return root


def test_a_new_store_is_made_with_all_directories_on_the_way(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    prepare_store(root, USER)
    assert owners(root, tmp_path / "a") == {(65534, 65533)}
    assert owners(tmp_path) == {(0, 0)}
    assert root.stat().st_mode & 0o777 == 0o750


def test_an_older_one_is_handed_over_with_all_that_is_in_it(tmp_path: Path) -> None:
    root = make_store(tmp_path / "s")
    prepare_store(root, USER)
    assert owners(root, *root.rglob("*")) == {(65534, 65533)}
    prepare_store(root, current())
    assert owners(root, *root.rglob("*")) == {(0, 0)}


def test_nothing_outside_is_touched(tmp_path: Path) -> None:
    root = make_store(tmp_path / "s")
    secret = tmp_path / "secret"
    secret.write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    (root / "soft").symlink_to(secret)
    (root / "hard").hardlink_to(secret)
    (root / "softly").symlink_to(tmp_path / "folder")
    os.mkfifo(root / "pipe")
    prepare_store(root, USER)
    assert owners(secret, tmp_path / "folder", tmp_path / "folder" / "file", root / "soft") == {(0, 0)}
    assert owners(root / "VERSION") == {(65534, 65533)}


def test_a_directory_that_is_no_store_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").write_text("x")
    prepare_store(tmp_path / "home", USER)
    assert owners(tmp_path / "home", tmp_path / "home" / "letter") == {(0, 0)}


def test_a_store_that_is_being_written_stays_as_it_is(tmp_path: Path) -> None:
    root = make_store(tmp_path / "s")
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare_store(root, USER)
        assert owners(root / "VERSION") == {(0, 0)}
    prepare_store(root, USER)
    assert owners(root / "VERSION", root / "lock") == {(65534, 65533)}


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="choose another directory with --store"):
        prepare_store(tmp_path / "file" / "s", USER)
    with pytest.raises(UsageError, match="file"):
        prepare_folder(tmp_path / "file" / "s", USER)


def test_what_can_be_written_is_no_complaint(tmp_path: Path) -> None:
    check_writable(tmp_path / "new", current())
    (tmp_path / "old").write_text("x")
    check_writable(tmp_path / "old", current())
    check_writable(Path("/dev/null"), current())


def test_what_cannot_even_be_seen_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "log.tsv"
    nobody = Identity(65534, 65534, (), "nobody")
    os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match="log.tsv: not writable for nobody"):
            check_writable(path, nobody)
    finally:
        os.seteuid(0)


def test_who_called_sudo() -> None:
    assert caller({}) is None
    assert caller({"SUDO_UID": "0", "SUDO_GID": "0"}) is None
    assert caller({"SUDO_UID": "x"}) is None
    found = caller({"SUDO_UID": "54321", "SUDO_GID": "54322"})
    assert found == Identity(54321, 54322, (54322,), "54321")
    assert named("root").is_root
    assert named("54321").uid == 54321
    with pytest.raises(UsageError, match='no user "nope nope"'):
        named("nope nope")
