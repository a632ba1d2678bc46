"""Batches with chosen values, as the core makes them: what is not named is missing, empty or 0."""

from typing import Any

from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table

NONE: dict[str, Any] = {"VARCHAR": "", "BOOLEAN": False}


def made(table: str, *rows: dict[str, Any]) -> Batch:
    """A batch of a table with these rows."""
    columns = find_table(table).columns
    return make(
        table,
        {
            column.name: [
                row.get(column.name, None if column.nullable else NONE.get(column.type, 0)) for row in rows
            ]
            for column in columns
        },
    )
