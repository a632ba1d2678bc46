"""A user's SQL: what is answered, and everything that is refused."""

import errno
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tidegate
from rows import Conns
from tidegate.model.errors import StoreError, TidegateError, UsageError
from tidegate.queries import sql
from tidegate.queries.engine import Database, add_views
from tidegate.store.layout import Layout

SEGMENTS = ("20261120T100000000000-00000001", "20261120T110000000000-00000002")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A long connection over two segments, one still running, and a short one."""
    root = tmp_path / "store"
    Conns().add(uid="long", state="active", last_ts="2026-11-20 10:00:05", up_bytes=5).add(
        uid="running", state="active", last_ts="2026-11-20 10:00:05", up_bytes=1
    ).add(uid="short", state="closed", last_ts="2026-11-20 10:00:06", up_bytes=7).save(root, SEGMENTS[0])
    Conns().add(uid="long", state="active", last_ts="2026-11-20 11:00:05", up_bytes=10).add(
        uid="running", state="active", last_ts="2026-11-20 11:00:05", up_bytes=2
    ).add(uid="long", state="closed", last_ts="2026-11-20 11:00:00", up_bytes=11).save(root, SEGMENTS[1])
    return root


def ask(store: Path, question: str) -> list[tuple[object, ...]]:
    return list(tidegate.query(question, store))


def test_each_connection_is_there_once_with_its_latest_counters(store: Path) -> None:
    rows = ask(store, "SELECT uid, state, up_bytes FROM conn ORDER BY uid")
    assert rows == [("long", "closed", 11), ("running", "active", 2), ("short", "closed", 7)]


def test_now_is_utc_and_goes_with_our_times(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        question = "SELECT bool_and(ts < now() - INTERVAL 1 SECOND), max(now()) FROM conn"
        ((before, now),) = ask(store, question)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert before is True
    assert isinstance(now, datetime)
    assert abs(now.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=5)


def test_interim_rows_are_there_for_who_wants_them(store: Path) -> None:
    assert ask(store, "SELECT count(*) FROM conn_rows") == [(6,)]


def test_every_table_is_a_view_even_without_rows(store: Path) -> None:
    for table in tidegate.tables():
        columns = tidegate.query(f"FROM {table.name}", store).columns
        assert columns == [column.name for column in table.columns]


@pytest.mark.parametrize(
    "question",
    [
        "SELECT 1;",
        "SELECT 1; -- a comment",
        "/* one */ SELECT 1",
        "VALUES (1)",
        "WITH one AS (SELECT 1) FROM one",
        "SELECT ';' -- ;",
        "DESCRIBE conn",
        "SUMMARIZE conn",
        "EXPLAIN SELECT * FROM conn",
        "/* how */ EXPLAIN ANALYZE FROM conn;",
        "EXPLAIN (ANALYZE, FORMAT json) (SELECT 1)",
        "SELECT 'ä' AS ö;",
    ],
)
def test_questions_are_answered(store: Path, question: str) -> None:
    assert ask(store, question)


@pytest.mark.parametrize(
    "statement",
    [
        "COPY conn TO '/tmp/out.csv'",
        "COPY (SELECT 1) TO '{closed}' (FORMAT parquet, USE_TMP_FILE false)",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{closed}' (FORMAT parquet, USE_TMP_FILE false)",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{closed}' (FORMAT csv, USE_TMP_FILE false)",
        "/* SELECT 1 */ EXPLAIN ANALYZE /* (SELECT 1) */ COPY (SELECT 1) TO '{closed}' (USE_TMP_FILE false)",
        "EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1",
        "ATTACH '/tmp/other.db' AS other",
        "ATTACH ':memory:' AS other",
        "INSTALL json",
        "LOAD json",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "RESET memory_limit",
        "PRAGMA database_list",
        "CREATE TABLE mine AS SELECT 1",
        "DROP VIEW conn",
        "DELETE FROM conn",
        "INSERT INTO conn SELECT * FROM conn",
        "CALL enable_logging()",
        "EXPORT DATABASE '/tmp/x'",
        "IMPORT DATABASE '/tmp/x'",
        "USE memory",
        "BEGIN",
        "CHECKPOINT",
        "PREPARE q AS SELECT 1",
        "EXECUTE q",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW conn",
        "",
        ";",
        "-- nothing",
        "SELEC 1",
        "SELECT nope FROM conn",
        "FROM nowhere",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_parquet('/tmp/*.parquet')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_text('{marker}')",
        "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SELECT * FROM read_text('s3://bucket/key')",
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/x''')",
        "SELECT * FROM store",
        "SELECT error('mine')",
    ],
)
def test_everything_else_is_refused_in_one_line(store: Path, statement: str) -> None:
    closed = next(store.glob("conn/*/*.parquet"))
    before = closed.read_bytes()
    with pytest.raises(UsageError) as refusal:
        ask(store, statement.format(closed=closed, marker=store / "VERSION"))
    assert "\n" not in str(refusal.value)
    assert closed.read_bytes() == before


def test_python_variables_are_not_tables(store: Path) -> None:
    secret = Conns()
    with pytest.raises(UsageError, match="secret"):
        ask(store, "SELECT * FROM secret")
    assert secret.database


def test_a_question_that_needs_too_much_is_refused(store: Path) -> None:
    with pytest.raises((UsageError, StoreError)):
        ask(store, "SELECT list(a.range || b.range::VARCHAR) FROM range(100000) a, range(1000) b")


def test_an_older_store_without_a_column_reads_null(store: Path) -> None:
    old = Conns()
    old.database.execute("ALTER TABLE rows DROP COLUMN rtt_server")
    old.add(uid="old", state="closed").save(store, "20261120T090000000000-00000000")
    assert ask(store, "SELECT rtt_server FROM conn WHERE uid = 'old'") == [(None,)]


def test_answers_come_in_chunks_in_order(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "CHUNK", 10)
    answer = tidegate.query("SELECT range AS n FROM range(25) ORDER BY n DESC", store)
    assert len(answer) == 25
    assert [len(chunk) for chunk in answer.chunks()] == [10, 10, 5]
    assert [row[0] for row in answer] == list(range(24, -1, -1))


def test_a_segment_that_vanishes_while_asked_is_looked_up_again(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def losing_one(database: Database, layout: Layout) -> None:
        nonlocal calls
        calls += 1
        add_views(database, layout)
        if calls == 1:
            next(store.glob(f"conn/*/{SEGMENTS[0]}.parquet")).unlink()

    monkeypatch.setattr(sql, "add_views", losing_one)
    assert ask(store, "SELECT count(*) FROM conn_rows") == [(3,)]
    assert calls == 2


def test_no_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here yet"):
        tidegate.query("SELECT 1", tmp_path)


def test_a_damaged_segment_is_named_with_what_to_do(store: Path) -> None:
    damaged = next(store.glob("conn/*/*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(StoreError, match=f"{damaged.name}.*; move that file elsewhere"):
        ask(store, "SELECT 1")


def test_without_a_place_for_temporary_files_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise OSError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(TidegateError, match=r"no temporary files can be made: No usable .*; set TMPDIR"):
        Database()
