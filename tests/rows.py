"""Rows of any table with chosen values, for what no capture says at will."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import duckdb

from tidegate.model.tables import ColumnInfo, find_table
from tidegate.store.layout import Layout
from tidegate.store.segments import no_rows, write_parquet

Value = str | int | float | bool | list[str] | list[int] | Mapping[str, list[Any]] | None

DEFAULTS = {"VARCHAR": "", "BOOLEAN": False, "TIMESTAMP_NS": "2026-11-20 10:00:00"}


class TableRows:
    """Rows of a table as Arrow. Unnamed columns are NULL where they may be, else empty or 0."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.num_rows = 0
        self.database = duckdb.connect(":memory:")
        self.database.register("empty", no_rows(table))
        self.database.execute("CREATE TABLE rows AS FROM empty")

    def add(self, **values: Value) -> Self:
        """Adds a row; moments are ISO 8601 text, as in DuckDB."""
        names = self.database.table("rows").columns
        assert values.keys() <= set(names)
        known = {column.name: column for column in find_table(self.table).columns}
        row = [values[name] if name in values else _default(known[name]) for name in names]
        self.database.execute(f"INSERT INTO rows VALUES ({', '.join('?' for _ in row)})", row)
        self.num_rows += 1
        return self

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.database.cursor().sql("FROM rows").__arrow_c_stream__(requested_schema)

    def save(self, root: Path, segment_id: str = "20261120T100000000000-00000001") -> None:
        """Writes the rows as a closed segment of a store."""
        layout = Layout(root)
        layout.create()
        write_parquet(layout.closed_path(self.table, segment_id), self)


class Conns(TableRows):
    """Rows of conn, as of captured connections: packets are counted."""

    def __init__(self) -> None:
        super().__init__("conn")

    def add(self, **values: Value) -> Self:
        """Adds a connection."""
        counted: dict[str, Value] = dict.fromkeys(("up_packets", "up_bytes", "down_packets", "down_bytes"), 0)
        return super().add(**counted | values)


def _default(column: ColumnInfo) -> Value:
    return None if column.nullable else DEFAULTS.get(column.type, 0)
