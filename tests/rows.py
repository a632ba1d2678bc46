"""Rows of the table conn with chosen values, for what no capture says at will."""

from pathlib import Path

import duckdb

from tidegate.store.layout import Layout
from tidegate.store.segments import no_rows, write_parquet

DEFAULTS = {"VARCHAR": "''", "DOUBLE": "0", "TIMESTAMP_NS": "TIMESTAMP '2026-11-20 10:00:00'"}


class Conns:
    """Rows of conn as Arrow; unnamed columns are empty or 0."""

    def __init__(self) -> None:
        self.database = duckdb.connect(":memory:")
        self.database.register("empty", no_rows("conn"))
        self.database.execute("CREATE TABLE conn AS FROM empty")

    def add(self, **values: str | int) -> "Conns":
        """Adds a row; text values are SQL literals without quotes, or moments for *ts."""
        columns = self.database.execute("SELECT column_name, column_type FROM (DESCRIBE conn)").fetchall()
        row = [_literal(values.get(name), kind) for name, kind in columns]
        self.database.execute(f"INSERT INTO conn VALUES ({', '.join(row)})")
        return self

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.database.cursor().sql("FROM conn").__arrow_c_stream__(requested_schema)

    def save(self, root: Path, segment_id: str) -> None:
        """Writes the rows as a closed segment of a store."""
        layout = Layout(root)
        layout.create()
        write_parquet(layout.closed_path("conn", segment_id), self)


def _literal(value: str | int | None, kind: str) -> str:
    if value is None:
        return DEFAULTS.get(kind, "0")
    return f"'{value}'" if isinstance(value, str) else str(value)
