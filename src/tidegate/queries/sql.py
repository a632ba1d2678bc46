"""The question a user writes: one SELECT over the store, answered in full before a row is shown."""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from tidegate.model.errors import CaptureError, StoreError, TidegateError, UsageError
from tidegate.queries.engine import Database, add_views, one_line, unreadable
from tidegate.store.layout import Layout

CHUNK = 50_000
_ATTEMPTS = 20
_SELECT, _EXPLAIN = duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN


class Answer:
    """The rows of an answer: Arrow by the PyCapsule protocol, or tuples by iteration.

    They lie in DuckDB, on disk as far as they do not fit into its memory, until close().
    """

    def __init__(self, database: Database, columns: list[str]) -> None:
        self.columns = columns
        """The names of the columns."""
        self._kept = {"database": database}
        # DuckDB complains on stderr about what is still alive when Python ends.
        self.close = weakref.finalize(self, _close, self._kept)
        """Frees memory and disk; happens by itself when the answer is forgotten."""

    def __len__(self) -> int:
        count = self._sql("SELECT count(*) FROM answer").fetchall()[0][0]
        return int(count)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for chunk in self.chunks():
            yield from chunk.fetchall()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._sql("SELECT * FROM answer").__arrow_c_stream__(requested_schema)

    def chunks(self) -> Iterator[duckdb.DuckDBPyRelation]:
        """The rows in order, some tens of thousands at a time; one empty chunk if there are none."""
        for start in range(0, max(len(self), 1), CHUNK):
            yield self._sql(f"SELECT * FROM answer LIMIT {CHUNK} OFFSET {start}")

    def _sql(self, sql: str) -> duckdb.DuckDBPyRelation:
        return self._kept["database"].duckdb.sql(sql)


def ask(root: Path, sql: str) -> Answer:
    """Answers one SELECT over the store in this directory.

    Raises UsageError for SQL that is wrong or does more than ask, StoreError for a store
    that cannot be read. A writer may close and remove segments meanwhile: then we look again.
    """
    return over_store(root, check_sql(sql), {})


def over_store(root: Path, select: str, values: Mapping[str, Any]) -> Answer:
    """Answers a SELECT that is known to be one, with these values bound in it."""
    layout = Layout(root.absolute())
    layout.check()
    for _ in range(_ATTEMPTS):
        if (answer := _attempt(layout, select, values)) is not None:
            return answer
    raise StoreError(f"{root}: segments vanish faster than they can be read; ask again")


def listed(columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> Answer:
    """Rows that we know ourselves, as an answer; columns are names with their types."""
    database = Database()
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    database.duckdb.execute(f"CREATE TABLE answer ({typed})")
    for row in rows:
        database.duckdb.execute(f"INSERT INTO answer VALUES ({', '.join('?' for _ in columns)})", row)
    return Answer(database, list(columns))


def check_sql(sql: str) -> str:
    """The SQL without its final semicolon; raises UsageError unless it is one statement that only reads."""
    with duckdb.connect(":memory:") as parser:
        try:
            sql.encode()  # before DuckDB does, which does not say what is wrong
            kinds = [statement.type for statement in parser.extract_statements(sql)]
        except UnicodeEncodeError:
            raise UsageError("SQL: not text in UTF-8") from None
        except duckdb.Error as error:
            raise UsageError(f"SQL: {one_line(error)}") from None
        if kinds == [_EXPLAIN]:
            kinds = [_explained(parser, sql)]
    if len(kinds) != 1:
        raise UsageError(f"SQL: one statement is needed, here are {len(kinds)}")
    if kinds[0] != _SELECT:
        raise UsageError(f"SQL: only SELECT is answered here, not {kinds[0].name}")
    return _until_semicolon(sql)


def _explained(parser: duckdb.DuckDBPyConnection, sql: str) -> duckdb.StatementType:
    """The kind of statement behind EXPLAIN and its options, the first tail that stands by itself.

    EXPLAIN ANALYZE runs it, and COPY may write to files that we allow to be read.
    """
    text = sql.encode()
    for at, _ in duckdb.tokenize(sql):
        try:
            kinds = {statement.type for statement in parser.extract_statements(text[at:].decode())}
        except duckdb.Error:
            continue
        if len(kinds) == 1 and kinds != {_EXPLAIN}:
            return kinds.pop()
    return _EXPLAIN


def _until_semicolon(sql: str) -> str:
    text = sql.encode()
    for at, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.operator and text[at : at + 1] == b";":
            return text[:at].decode()
    return sql


def _attempt(layout: Layout, sql: str, values: Mapping[str, Any]) -> Answer | None:
    """The answer, or None if the store moved on meanwhile."""
    database = Database()
    with ExitStack() as unanswered:
        unanswered.callback(database.close)
        try:
            columns = _answer(database, layout, sql, values)
        except FileNotFoundError:
            return None
        except TidegateError:
            if database.has_moved_on():
                return None
            raise
        unanswered.pop_all()
    database.release()
    return Answer(database, columns)


def _answer(database: Database, layout: Layout, sql: str, values: Mapping[str, Any]) -> list[str]:
    """The answer over the store's views."""
    try:
        add_views(database, layout)
    except (duckdb.Error, CaptureError) as error:
        raise StoreError(unreadable(layout.root, error)) from None
    return keep_answer(database, sql, values)


def keep_answer(database: Database, sql: str, values: Mapping[str, Any]) -> list[str]:
    """Puts the answer into the table `answer`; its columns. Raises UsageError."""
    try:
        return database.run(lambda: _create(database.duckdb, sql, values))
    except duckdb.Error as error:
        raise UsageError(f"SQL: {one_line(error)}") from None


def _create(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> list[str]:
    if values:
        connection.execute(f"CREATE TABLE answer AS {sql}", dict(values))
    else:  # DESCRIBE and EXPLAIN are relations too, but no part of CREATE TABLE
        connection.sql(sql).create("answer")
    return connection.table("answer").columns


def _close(kept: dict[str, Database]) -> None:
    if database := kept.pop("database", None):
        database.close()
