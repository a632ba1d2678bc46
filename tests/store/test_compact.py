"""Closing a segment keeps every final row and thins the interim ones."""

from pathlib import Path

import duckdb
import pytest

import tidegate
from pcaps import http_get, long_stream, write_pcap
from rows import Conns
from tidegate.model.config import EngineSettings
from tidegate.store.compact import _rewrite, close_segment
from tidegate.store.layout import Layout, Segment, new_segment_id
from tidegate.store.segments import OpenSegment
from tidegate.store.writer import StoreWriter


def ten_oclock(minute: int, second: int) -> str:
    return f"2026-11-20 10:{minute:02d}:{second:02d}"


def test_interim_rows_are_thinned_to_one_a_minute(tmp_path: Path) -> None:
    conns = Conns()
    for minute in range(3):
        for second in range(0, 60, 5):
            conns.add(uid="C1", state="active", last_ts=ten_oclock(minute, second), up_packets=second)
    conns.add(uid="C1", state="closed", last_ts=ten_oclock(3, 0))
    conns.add(uid="C2", state="active", last_ts=ten_oclock(3, 0))
    conns.add(uid="C2", state="closed", last_ts=ten_oclock(3, 20))
    target = tmp_path / "thin.parquet"
    _rewrite("conn", conns, target)
    rows = duckdb.sql(
        f"SELECT uid, state, minute(last_ts), up_packets FROM '{target}' ORDER BY uid, last_ts"
    ).fetchall()
    assert rows == [
        ("C1", "active", 0, 55),
        ("C1", "active", 1, 55),
        ("C1", "active", 2, 55),
        ("C1", "closed", 3, 0),
        ("C2", "closed", 3, 0),
    ]


def test_closing_moves_the_rows_to_parquet(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "store")
    layout.create()
    capture = write_pcap(tmp_path / "x.pcap", [*http_get(), *long_stream(200)])
    segment_id = new_segment_id(1_700_000_000.0)
    path = layout.open_path("conn", segment_id)
    batches = list(tidegate.read(capture, tables=["conn"], settings=EngineSettings(interim=5.0)))
    segment = OpenSegment(path, batches[0])
    for batch in batches:
        segment.write(batch)
    segment.close()
    close_segment(layout, Segment("conn", segment_id, path, segment.size))
    assert layout.open_segments() == []
    closed = layout.closed_path("conn", segment_id)
    rows = duckdb.sql(f"SELECT state, minute(last_ts) FROM '{closed}'").fetchall()
    interim = [minute for state, minute in rows if state == "active"]
    assert len(rows) - len(interim) == 2
    assert interim
    assert len(interim) == len(set(interim)), "one a minute"


def test_a_segment_closed_before_a_crash_is_only_tidied_up(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    segment_id = new_segment_id(1_700_000_000.0)
    Conns().add(uid="C1", state="closed").save(tmp_path, segment_id)
    before = layout.closed_path("conn", segment_id).read_bytes()
    left_over = layout.open_path("conn", segment_id)
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"whatever")
    close_segment(layout, Segment("conn", segment_id, left_over, 8))
    assert not left_over.exists()
    assert layout.closed_path("conn", segment_id).read_bytes() == before


@pytest.mark.parametrize("bytes", [b"", b"\xff" * 8 + b"not Arrow at all" * 20])
def test_a_segment_damaged_from_its_start_is_set_aside(
    tmp_path: Path, bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    layout = Layout(tmp_path / "store")
    layout.create()
    path = layout.open_path("conn", new_segment_id(1_700_000_000.0))
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes)
    assert list(tidegate.query("SELECT count(*) FROM conn", layout.root)) == [(0,)]
    StoreWriter(layout.root).close()
    assert layout.open_segments() == []
    assert path.with_suffix(".unreadable").read_bytes() == bytes
    assert "damaged from its start" in caplog.text
