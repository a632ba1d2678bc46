"""Questions over rows that pass by once: gathered in DuckDB, asked at the end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from tidegate.model.batch import Arrow, Batch
from tidegate.model.errors import TidegateError
from tidegate.queries.engine import MEMORY, Database, one_line
from tidegate.queries.question import Question, Value
from tidegate.queries.sql import Answer, keep_answer
from tidegate.store.segments import no_rows


class Gathered:
    """The rows that some questions need, only the columns they name.

    Bounded in memory, because DuckDB moves to disk what is too much.
    """

    def __init__(self, questions: Sequence[Question], memory: str = MEMORY) -> None:
        self._columns = {
            table: ", ".join(dict.fromkeys(name for asked in questions for name in asked.columns(table)))
            for table in dict.fromkeys(table for asked in questions for table in asked.tables)
        }
        self._database = Database(memory)
        for table, columns in self._columns.items():
            self._take(f"CREATE TABLE {table} AS SELECT {columns} FROM batch", no_rows(table))

    @property
    def tables(self) -> list[str]:
        """The tables it takes rows of."""
        return list(self._columns)

    def add(self, batch: Batch) -> None:
        """Takes rows; of `conn` each connection's last one only. Those of other tables pass by."""
        if columns := self._columns.get(batch.table):
            self._take(f"INSERT INTO {batch.table} SELECT {columns} FROM batch", batch)

    def rows(self, question: Question, **values: Value) -> list[dict[str, Any]]:
        """The answer to a question over the rows so far, as Python objects."""
        sql, bound = question.bind(values)
        names, rows = self._run(sql, bound)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def answer(self, question: Question, values: Mapping[str, Value]) -> Answer:
        """The answer, which takes the database over."""
        return Answer(self._database, keep_answer(self._database, *question.bind(values)))

    def close(self) -> None:
        """Frees memory and disk."""
        self._database.close()

    def _take(self, sql: str, rows: Arrow) -> None:
        self._database.duckdb.register("batch", rows)
        self._run(sql)
        self._database.duckdb.unregister("batch")

    def _run(
        self, sql: str, values: Mapping[str, Any] | None = None
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns' names and the rows; raises TidegateError."""

        def work() -> tuple[list[str], list[tuple[Any, ...]]]:
            result = self._database.duckdb.execute(sql, dict(values or {}))
            return [column[0] for column in result.description], result.fetchall()

        try:
            return self._database.run(work)
        except duckdb.Error as error:
            raise TidegateError(f"rows gathered: {one_line(error)}") from None


def over_batches(question: Question, batches: Iterable[Batch], values: Mapping[str, Value]) -> Answer:
    """The answer to a question over batches of the tables it reads."""
    question.bind(values)  # a wrong value is said before anything is read
    gathered = Gathered([question])
    try:
        for batch in batches:
            gathered.add(batch)
        return gathered.answer(question, values)
    except BaseException:
        gathered.close()
        raise
