"""The newest rows of a store: each once, whatever its writer does meanwhile."""

from pathlib import Path

import pytest
from town import HTTP, NOW, batch, conn

from tidegate.model.errors import StoreError
from tidegate.queries.recent import Recent
from tidegate.store.writer import StoreWriter
from tidegate.tui.board.board import SECOND

COLUMNS = {
    "conn": ("uid", "last_ts", "state", "up_bytes", "process_started"),
    "http": ("ts", "uri", "status"),
}


def uids(recent: Recent) -> list[str]:
    return [uid for found in recent.look() if found.table == "conn" for uid in found.values[0]]


def named(number: int) -> str:
    return f"C{number:017d}"


def test_rows_come_once_and_in_order_while_segments_are_closed(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "s")
    writer.write(batch("conn", [conn(1), conn(2)]))
    recent = Recent(tmp_path / "s", COLUMNS)
    assert uids(recent) == [named(1), named(2)]
    assert uids(recent) == []
    writer.write(batch("conn", [conn(3, NOW + SECOND)]))
    writer.write(batch("http", HTTP[:3]))
    found = {one.table: one for one in recent.look()}
    assert found["conn"].values[0] == [named(3)]
    assert found["conn"].values[1] == [NOW + SECOND]
    assert found["http"].values[0] == [row["ts"] for row in HTTP[:3]]
    writer.write(batch("conn", [conn(4, NOW - 100 * SECOND, state="closed")]))
    writer.close()
    assert uids(recent) == [named(4)]
    assert recent.look() == []
    again = StoreWriter(tmp_path / "s")
    again.write(batch("conn", [conn(5, NOW + 2 * SECOND)]))
    assert uids(recent) == [named(5)]
    again.close()
    assert recent.look() == []
    assert recent.newest == NOW + 2 * SECOND
    recent.close()


def test_a_store_that_nobody_writes_to_shows_its_last_minutes(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "s")
    writer.write(batch("conn", [conn(1, NOW - 4000 * SECOND), conn(2, NOW - 200 * SECOND), conn(3)]))
    writer.close()
    recent = Recent(tmp_path / "s", COLUMNS)
    assert sorted(uids(recent)) == [named(2), named(3)]
    recent.close()


def test_no_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here yet"):
        Recent(tmp_path / "none", COLUMNS)
