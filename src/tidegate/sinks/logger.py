"""Sink: rows as records of Python's logging, for any handler: syslog, the Windows event log, rotating files.

The configuration is a dictionary as `logging.config.dictConfig` takes it, and conmon had it. What it says of
the root logger is applied to the logger `tidegate.rows`, so that our own messages do not mix with the rows.
Each row is a record of level INFO: its message is the conmon line, its time the row's, and its attributes are
the eleven columns (`source_ip`, `program`, …; the message as `text`), the columns of its table (`row_name`
and the like where a record has such an attribute itself), and `columns`, which is a tab and all of the line
but the time.

Two keys are ours: `per` (connection, or segment as conmon has it) and `filter`, as logs have them.

The section runs what it names: classes are imported, factories called. Whoever may write it may run programs.
"""

import logging
import logging.config
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.errors import SettingError, UsageError, tried
from tidegate.model.filter import EVERYTHING, parse_filter
from tidegate.model.tables import find_table
from tidegate.model.text import safe_text
from tidegate.sinks.choice import check_filter, chosen
from tidegate.sinks.conmon import COLUMNS, SEGMENT_COLUMNS, Conmon, ConmonSegments
from tidegate.sinks.emitter import Emitter
from tidegate.sinks.format import check_columns
from tidegate.sinks.logger_check import LOGGER

_CONMONS = "%(asctime)s%(message)s"
"""conmon's own format: its messages began with a tab, and without the time."""

_TAKEN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class LoggerSink:
    """Rows of conn, or data segments, to the handlers of a configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Applies the configuration; raises UsageError that says what is wrong with it."""
        per, filter = config.get("per", "connection"), config.get("filter", "")
        if per not in ("connection", "segment"):
            raise UsageError("logger: per is connection or segment")
        self._wanted = parse_filter(str(filter)) if filter else EVERYTHING
        self._segments = ConmonSegments(self._wanted) if per == "segment" else None
        self.tables = ("conn", "packet") if self._segments else ("conn",)
        """The tables whose rows it has to be given."""
        columns = SEGMENT_COLUMNS if self._segments else check_columns("conn", ())
        for error in tried(lambda: check_filter(self._wanted, columns), "filter"):
            raise SettingError(error.text, *error.key, of="logger: filter")
        self._emitter = Emitter(configure(config))

    @property
    def lost(self) -> int:
        """Rows that a handler refused, or that found no room while it was slow."""
        return self._emitter.lost

    @property
    def waiting(self) -> int:
        """Rows that the handlers did not take yet."""
        return self._emitter.waiting

    @property
    def lag(self) -> float:
        """Seconds for which the handlers have not been through with all that there was."""
        return self._emitter.lag

    @property
    def trouble(self) -> str:
        """What is wrong with its handlers now; empty while they take rows."""
        return self._emitter.trouble

    def write(self, batch: Batch) -> None:
        """Hands on connections that are over, or keeps data segments until their program is known."""
        if self._segments and batch.table in self.tables:
            if self._segments.take(batch):
                self.flush()
        elif batch.table == "conn":
            rows = chosen(batch, self._wanted, interim=False)
            self._emitter.put(records(rows, Conmon().cells(rows)))

    def flush(self) -> None:
        """Hands on the data segments that waited."""
        if self._segments:
            for rows in self._segments.waited():
                self._emitter.put(records(rows, self._segments.cells(rows)))

    def reopen(self) -> None:
        """Lets handlers that write files open them anew, as after logrotate renamed them."""
        self._emitter.reopen()

    def close(self) -> None:
        """Hands on what waits, and closes the handlers."""
        self.flush()
        self._emitter.close()


def configure(config: Mapping[str, Any]) -> logging.Logger:
    """Applies a configuration of logging, and gives the logger for rows; raises UsageError."""
    for part in ("formatters", "filters", "handlers", "loggers"):
        if not isinstance(config.get(part, {}), Mapping):
            raise UsageError(f"logger: {part} has to be names, each with what it is made of")
    ours = deepcopy(dict(config))
    if ours.get("incremental"):
        raise UsageError(
            "logger: incremental configurations change handlers that are there; there are none yet"
        )
    loggers = ours.setdefault("loggers", {})
    root = ours.pop("root", None)
    if root is not None:
        loggers.setdefault(LOGGER, root)
    if LOGGER not in loggers:
        raise UsageError(
            f"logger: no handlers for the rows; give root, or {LOGGER} under loggers, some handlers"
        )
    ours["disable_existing_loggers"] = False
    for formatter in ours.get("formatters", {}).values():
        if isinstance(formatter, dict) and formatter.get("format") == _CONMONS:
            formatter["format"] = "%(asctime)s%(columns)s"
    try:
        logging.config.dictConfig(ours)
    except (ValueError, TypeError, AttributeError, ImportError, LookupError, OSError) as error:
        why = "".join(f": {cause}" for cause in (error.__cause__,) if cause)
        raise UsageError(safe_text(f"logger: {error}{why}")) from None
    found = logging.getLogger(LOGGER)
    found.propagate = False
    if found.level == logging.NOTSET:
        found.setLevel(logging.INFO)
    return found


def records(batch: Batch, lines: Sequence[tuple[str, ...]]) -> list[logging.LogRecord]:
    """A record for each row and its conmon line."""
    kinds = {column.name: column.type for column in find_table(batch.table).columns}
    names = [f"row_{name}" if name in _TAKEN else name for name in kinds]
    found = []
    for cells, values in zip(lines, zip(*batch.columns(list(kinds)), strict=True), strict=True):
        ts = values[0]
        record = logging.LogRecord(LOGGER, logging.INFO, "", 0, "\t".join(cells), (), None)
        record.created, record.msecs = ts / 1e9, ts % 1_000_000_000 / 1e6
        record.__dict__.update(zip(names, values, strict=True))
        record.__dict__.update(zip(_CELLS, cells, strict=True))
        record.__dict__["columns"] = "".join(f"\t{cell}" for cell in cells[1:])
        found.append(record)
    return found


_CELLS = (*COLUMNS[:-1], "text")
