"""`import tidegate`: what a program gets."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas
import polars
import pytest

import tidegate


def test_batches_of_every_table_that_has_rows(capture: Path) -> None:
    assert {batch.table for batch in tidegate.read(capture)} == {"conn", "http", "health"}


def test_a_capture_can_be_read_again(capture: Path) -> None:
    reading = tidegate.read(str(capture))
    assert [batch.num_rows for batch in reading] == [batch.num_rows for batch in reading]
    assert reading.stats is not None
    assert reading.stats.packets == 15


def test_a_filter_takes_its_part(capture: Path) -> None:
    assert tidegate.read(capture, "udp").table("conn").num_rows == 2


def test_duckdb_polars_and_pandas_take_the_rows(capture: Path) -> None:
    conn = tidegate.read([capture]).table("conn")
    assert duckdb.sql("SELECT count(*), sum(up_packets) FROM conn").fetchall() == [(3, 8)]
    assert polars.DataFrame(conn).height == 3
    assert list(pandas.DataFrame.from_arrow(conn)["proto"].sort_values()) == ["tcp", "udp", "udp"]


def test_a_table_without_rows_has_its_columns(capture: Path) -> None:
    conn = tidegate.read(capture, "port 9").table("conn")
    assert conn.num_rows == 0
    assert "uid" in polars.DataFrame(conn).columns


def test_errors_say_what_to_do(capture: Path, tmp_path: Path) -> None:
    with pytest.raises(tidegate.UsageError, match="there is no table"):
        tidegate.read(capture, tables=["nope"])
    with pytest.raises(tidegate.UsageError, match="filter"):
        list(tidegate.read(capture, "tcp porrt 80"))
    with pytest.raises(tidegate.CaptureError, match=r"missing\.pcap"):
        list(tidegate.read(tmp_path / "missing.pcap"))


def test_importing_loads_nothing_heavy() -> None:
    check = "import sys, tidegate; sys.exit(bool({'duckdb', 'click', 'tidegate._core'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_reading_does_not_load_duckdb(capture: Path) -> None:
    check = (
        "import sys, tidegate; tidegate.read(sys.argv[1]).table('conn'); sys.exit('duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check, str(capture)]).returncode == 0


def test_only_what_there_is() -> None:
    assert set(tidegate.__all__) == set(dir(tidegate))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = tidegate.nope
