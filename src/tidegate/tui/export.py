"""Writes what is shown to a file: CSV, or JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.model.errors import UsageError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Writes a new file, readable by its owner; how many rows. Raises UsageError and OSError."""
    writer = _writer(path)
    text, count = writer(names, rows)
    if path.exists():
        raise UsageError(f"{path} exists; choose another name")
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8", newline="\n")
    return count


def _writer(path: Path) -> Callable[[Sequence[str], Iterable[Mapping[str, Any]]], tuple[str, int]]:
    writers = {".csv": _csv, ".jsonl": _jsonl, ".json": _jsonl}
    if path.suffix not in writers:
        raise UsageError(f'"{path}": a name ends in .csv or .jsonl')
    return writers[path.suffix]


def guarded(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def suggested(tab: str, now: datetime | None = None) -> str:
    """A name for the file."""
    moment = now or datetime.now(UTC)
    return f"tidegate-{tab.lower()}-{moment:%Y%m%d-%H%M%S}.csv"


def _csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([guarded(_plain(name, row[name])) for name in names])
        count += 1
    return out.getvalue(), count


def _jsonl(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    lines = [json.dumps({name: _plain(name, row[name]) for name in names}, ensure_ascii=True) for row in rows]
    return "".join(line + "\n" for line in lines), len(lines)


def _plain(name: str, value: Any) -> Any:
    """Moments as ISO 8601; control characters as escapes, whatever reads the file."""
    from tidegate.model.text import safe_text

    if isinstance(value, int) and name in ("ts", "last_ts", "since", "recovered", "process_started"):
        return datetime.fromtimestamp(value / 1e9, UTC).isoformat(timespec="microseconds")
    return safe_text(value) if isinstance(value, str) else value
