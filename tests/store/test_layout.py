"""Where things lie, and which store is refused."""

import os
from pathlib import Path

import pytest

from tidegate.model.errors import StoreError
from tidegate.store.layout import SCHEMA_VERSION, Layout, default_root, new_segment_id


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_a_new_store_bears_its_schema_version(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "new" / "store")
    layout.create()
    assert int(layout.marker.read_text()) == SCHEMA_VERSION
    layout.check()


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.marker.write_text(f"{SCHEMA_VERSION + 1}\n")
    with pytest.raises(StoreError, match="newer Tidegate"):
        layout.create()


def test_no_store_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here yet; start one with: tidegate watch"):
        Layout(tmp_path).check()


def test_a_marker_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("hello\n")
    with pytest.raises(StoreError, match="is this a store of Tidegate"):
        Layout(tmp_path).check()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "file")
    with pytest.raises(StoreError, match="choose another directory"):
        Layout(tmp_path / "file" / "store").create()


def test_segment_ids_sort_by_age_and_know_when() -> None:
    older, newer = new_segment_id(1_700_000_000.25), new_segment_id(1_700_000_000.5)
    assert older < newer
    layout = Layout(Path("/s"))
    assert layout.closed_path("conn", older) == Path(f"/s/conn/date=2023-11-14/{older}.parquet")


def test_where_a_segment_is_both_open_and_closed_the_closed_one_wins(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    both, only_open = new_segment_id(1_700_000_000.0), new_segment_id(1_700_000_001.0)
    for segment_id in (both, only_open):
        touch(layout.open_path("conn", segment_id))
    touch(layout.closed_path("conn", both))
    still_open, closed = layout.segments()
    assert [segment.id for segment in still_open] == [only_open]
    assert [segment.id for segment in closed] == [both]
    assert closed[0].opened == 1_700_000_000.0


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    segment_id = new_segment_id(1_700_000_000.0)
    touch(layout.closed_path("conn", "holiday"))
    part = touch(layout.closed_path("conn", segment_id).with_name(f".{segment_id}.parquet.part"))
    dateless = touch(tmp_path / "conn" / "date=2026-13-45" / "20261345T000000000000-0123abcd.parquet")
    pipe = layout.open_path("conn", segment_id)
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    assert layout.segments() == ([], [])
    layout.remove_unfinished()
    assert dateless.exists() and pipe.exists()
    assert not part.exists()
    assert layout.closed_path("conn", "holiday").exists()


def test_the_default_place_depends_on_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_root() == Path("/var/lib/tidegate")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert default_root() == Path("/home/me/state/tidegate")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_root() == Path("/home/me/.local/state/tidegate")
