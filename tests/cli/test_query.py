"""`tidegate query` and `tidegate tables`, as a user runs them."""

import json
from pathlib import Path

import duckdb
import pytest

from helpers import Run
from rows import Conns


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    conns = (
        Conns().add(uid="C1", state="closed", dst_port=443).add(uid="C2", state="active", src_ip="\x1b[2J")
    )
    conns.save(root, "20261120T100000000000-00000001")
    return root


def test_an_answer_in_each_format(run: Run, store: Path, tmp_path: Path) -> None:
    ask = ["query", "SELECT uid, dst_port FROM conn ORDER BY uid", "--store", store]
    assert run(*ask).stdout == "uid\tdst_port\nC1\t443\nC2\t0\n"
    assert run(*ask, "--format", "csv").stdout == "uid,dst_port\nC1,443\nC2,0\n"
    rows = [json.loads(line) for line in run(*ask, "--format", "jsonl").stdout.splitlines()]
    assert rows == [{"uid": "C1", "dst_port": 443}, {"uid": "C2", "dst_port": 0}]
    assert run(*ask, "--format", "table").stdout == "uid  dst_port\nC1        443\nC2          0\n"
    assert run(*ask, "-o", "answer.parquet").returncode == 0
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/answer.parquet'").fetchall() == [(2,)]


def test_no_escape_sequence_reaches_the_table(run: Run, store: Path) -> None:
    done = run("query", "SELECT src_ip FROM conn WHERE uid = 'C2'", "--store", store, "--format", "table")
    assert "\x1b" not in done.stdout
    assert "x1b[2J" in done.stdout


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nope FROM conn", "nope"),
        ("SELEC 1", "syntax error"),
        ("COPY conn TO 'x'", "only SELECT"),
        ("SELECT * FROM read_text('/etc/passwd')", "/etc/passwd"),
    ],
)
def test_a_mistake_in_sql_is_one_line_and_usage(run: Run, store: Path, sql: str, words: str) -> None:
    done = run("query", sql, "--store", store)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("tidegate: SQL: ")
    assert len(done.stderr.splitlines()) == 1


def test_no_store_yet(run: Run) -> None:
    done = run("query", "SELECT 1", "--store", "nowhere")
    assert done.returncode == 1
    assert "start one with: tidegate watch" in done.stderr


def test_tables_and_their_columns(run: Run) -> None:
    assert run("tables").stdout.startswith("conn ")
    columns = run("tables", "conn").stdout
    assert "up_bytes" in columns
    assert "IP bytes from the opener" in columns
    assert all(len(line) <= 80 for line in columns.splitlines())
    assert run("tables", "nope").returncode == 2
