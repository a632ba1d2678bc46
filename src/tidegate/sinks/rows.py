"""Arrow rows as Python values, for where a person looks. Not for bulk."""

import json
from collections.abc import Iterator
from typing import Any

from tidegate import _core
from tidegate.model.batch import Arrow
from tidegate.model.errors import from_core
from tidegate.sinks.text import text_of


def as_dicts(rows: Arrow) -> Iterator[dict[str, Any]]:
    """One dictionary per row; times are ISO 8601 text."""
    return (json.loads(line) for line in text_of("jsonl", rows).splitlines())


def as_cells(rows: Arrow) -> tuple[list[str], list[list[str]]]:
    """The columns' names, and the cells as TSV writes them (a missing value is "-")."""
    with from_core():
        lines = _core.TextWriter("tsv").write(rows).decode(errors="backslashreplace")
    cells = [line.split("\t") for line in lines.removesuffix("\n").split("\n")]
    return cells[0], cells[1:]
