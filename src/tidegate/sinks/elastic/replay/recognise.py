"""What a line of an old log is, and the document that it becomes.

ours as jsonl     the same document as its row would have become at once: under the same name, so once
ours as ecs       the line as it is, under the same name too
eve               the line with `@timestamp`, to STREAM-eve; Suricata's own as well
AutoNapt's        ECS, to STREAM-autonapt
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any, Literal

from tidegate.model.batch import Batch, make
from tidegate.model.errors import TidegateError, UsageError, from_core
from tidegate.model.tables import all_tables, find_table
from tidegate.sinks.elastic import identity
from tidegate.sinks.elastic.documents import Document, Documents, document
from tidegate.sinks.elastic.moment import nanoseconds
from tidegate.sinks.elastic.replay import autonapt
from tidegate.sinks.moments import iso

Kind = Literal["jsonl", "ecs", "eve", "autonapt"]
KINDS: tuple[Kind, ...] = ("jsonl", "ecs", "eve", "autonapt")

_EMPTY: dict[str, Any] = {"VARCHAR": "", "BOOLEAN": False, "DOUBLE": 0.0}

_MOST_ALIKE = 10_000

_Keys = tuple[str, ...]
Row = dict[str, Any]


class LineError(TidegateError):
    """A line that becomes no document; its text is the same for all lines of the kind."""


class Recogniser:
    """Lines in, documents out; counts what is not understood, by reason."""

    def __init__(
        self,
        stream: str,
        format: Literal["ecs", "flat"],
        kind: Kind | None = None,
        table: str = "",
        zone: tzinfo = UTC,
    ) -> None:
        """It is found out what each line is, unless `kind` says; `table` is that of jsonl, if need be."""
        self._stream = stream
        self._format = format
        self._kind = kind
        self._table = find_table(table).name if table else ""
        self._zone = zone
        self._documents: dict[_Keys, Documents] = {}
        self._rows: dict[_Keys, list[Row]] = {}
        self.not_understood: Counter[str] = Counter()
        """Lines by the reason why."""
        self.alike: tuple[str, dict[str, int]] = ("", {})
        """AutoNapt's events of the latest moment and how often each came: nothing else parts them."""

    def documents(self, lines: Iterable[bytes]) -> list[Document]:
        """The documents of some lines; blank ones are none."""
        found: list[Document] = []
        for line in lines:
            try:
                found += self._document(line)
            except LineError as error:
                self.not_understood[str(error)] += 1
        for keys, rows in self._rows.items():
            found += self._of_rows(keys, rows)
        self._rows.clear()
        return found

    def _document(self, line: bytes) -> list[Document]:
        if not line.strip():
            return []
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            raise LineError("no JSON") from None
        if not isinstance(parsed, dict):
            raise LineError("no JSON object")
        kind = self._kind or _kind_of(parsed)
        try:
            if kind == "jsonl":
                self._keep(parsed)
                return []
            if kind == "autonapt":
                return [self._autonapt(parsed)]
            return [self._eve(parsed, line) if kind == "eve" else self._ecs(parsed, line)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, UsageError):
                raise LineError(str(error)) from None
            raise LineError(f"no event of {kind}: {_why(error)}") from None

    def _ecs(self, parsed: Row, line: bytes) -> Document:
        dataset = str(parsed["event"]["dataset"])
        table = dataset.removeprefix("tidegate.")
        if table == dataset or table not in _columns():
            raise LineError("ECS, but none of ours: event.dataset is not tidegate.TABLE")
        ts = nanoseconds(parsed["@timestamp"])
        key = identity.of_ecs(table, parsed)
        if key is None:
            key = json.dumps(parsed, sort_keys=True).encode()
        return document(f"{self._stream}-{table}", ts, key, line.strip())

    def _eve(self, parsed: Row, line: bytes) -> Document:
        ts = nanoseconds(parsed["timestamp"])
        parsed["event_type"] + ""
        source = line.strip()
        if "@timestamp" not in parsed:
            source = b'{"@timestamp":"%s",' % iso(ts).encode() + source[1:]
        return document(f"{self._stream}-eve", ts, source, source)

    def _autonapt(self, parsed: Row) -> Document:
        ts, source = autonapt.event(parsed, self._zone)
        moment = str(parsed["datetime"])
        if self.alike[0] != moment or len(self.alike[1]) >= _MOST_ALIKE:
            self.alike = (moment, {})
        made = document(f"{self._stream}-autonapt", ts, source, source)
        name = made.action.decode()
        count = self.alike[1].get(name, 0)
        self.alike[1][name] = count + 1
        return document(f"{self._stream}-autonapt", ts, source, source, salt=count) if count else made

    def _keep(self, parsed: Row) -> None:
        keys = tuple(parsed)
        if not self._table:
            _table_of(keys)
        self._rows.setdefault(keys, []).append(parsed)

    def _of_rows(self, keys: _Keys, rows: list[Row]) -> list[Document]:
        """Rows at once; where one of them spoils it, one by one."""
        table = self._table or _table_of(keys)
        writer = self._documents.get(keys)
        if writer is None:
            whole = len(keys) == len(_columns()[table])
            writer = self._documents[keys] = Documents(self._stream, self._format, () if whole else keys)
        try:
            return writer.of(_batch(table, rows))
        except (TidegateError, ValueError, TypeError, KeyError) as error:
            if len(rows) == 1:
                self.not_understood[f"no row of {table}: {_why(error)}"] += 1
                return []
        return [made for row in rows for made in self._of_rows(keys, [row])]


def _kind_of(parsed: Row) -> Kind:
    if autonapt.is_event(parsed):
        return "autonapt"
    if "event_type" in parsed and "timestamp" in parsed:
        return "eve"
    if "@timestamp" in parsed and isinstance(parsed.get("event"), dict):
        return "ecs"
    if "ts" in parsed:
        return "jsonl"
    raise LineError("neither jsonl, ecs, eve nor AutoNapt's")


@lru_cache(1)
def _columns() -> dict[str, dict[str, str]]:
    """Types of the columns of each table."""
    return {table.name: {column.name: column.type for column in table.columns} for table in all_tables()}


@lru_cache(256)
def _table_of(keys: _Keys) -> str:
    """The one table that has these columns; raises LineError."""
    found = [name for name, columns in _columns().items() if columns.keys() >= set(keys)]
    exact = [name for name in found if len(_columns()[name]) == len(keys)]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise LineError("jsonl, but no table has these columns")
    raise LineError(f"jsonl, but of which table? say --table {' or '.join(found)}")


def _batch(table: str, rows: Sequence[Row]) -> Batch:
    """The rows as they were; columns that they do not have are filled and not looked at."""
    columns: dict[str, list[Any]] = {}
    for column in find_table(table).columns:
        if column.name in rows[0]:
            columns[column.name] = [_value(column.type, row[column.name]) for row in rows]
        elif not column.nullable:
            empty = {} if column.type.startswith("MAP") else _EMPTY.get(column.type, 0)
            columns[column.name] = [empty] * len(rows)
    unknown = rows[0].keys() - columns.keys()
    if unknown:
        raise ValueError("it has other columns")
    with from_core():
        return make(table, columns)


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "TIMESTAMP_NS":
        return nanoseconds(value)
    return float(value) if kind in ("DOUBLE", "FLOAT") else value


def _why(error: Exception) -> str:
    """The reason, without what a line holds."""
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).partition("\n")[0][:200]
