"""Where a verb's rows go: stdout, a file, or a file per table in a directory."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from tidegate.model.config import FORMATS
from tidegate.model.config.sinks import FOR_ALL_TABLES, OF_RELAY
from tidegate.model.errors import UsageError
from tidegate.model.tables import default_tables
from tidegate.sinks import Sink
from tidegate.sinks.parquet import ParquetSink
from tidegate.sinks.table import TableSink
from tidegate.sinks.text import TextSink

RowSink = TextSink | TableSink | ParquetSink


def chosen_format(given: str | None, output: Path | None) -> str:
    """The format asked for; else the file's suffix, a table for a terminal, TSV for a program."""
    suffix = output.suffix.removeprefix(".") if output else ""
    if given:
        return given
    if suffix in ("tsv", "csv", "jsonl", "parquet"):
        return suffix
    return "table" if output is None and sys.stdout.isatty() else "tsv"


def shown_tables(format: str) -> list[str]:
    """What is written where no table is named: `conn`, but all of them by formats that hold them."""
    if format in OF_RELAY:
        return ["relay"]
    every = format in FOR_ALL_TABLES or format == "parquet"
    return default_tables() if every else ["conn"]


def table_files(tables: Sequence[str], format: str, output: Path) -> dict[str, Path]:
    """A file per table: in a directory for several tables or where there is one, else the file itself."""
    suffix = "txt" if format == "table" else format
    if format not in FORMATS:
        return log_files(tables, format, output)
    if len(tables) > 1 or output.is_dir() or (format == "parquet" and not output.suffix):
        output.mkdir(parents=True, exist_ok=True)
        return {table: output / f"{table}.{suffix}" for table in tables}
    return {tables[0]: output}


def log_files(tables: Sequence[str], format: str, output: Path) -> dict[str, Path]:
    """A file per table, or one for all, as the format of a log wants it."""
    from tidegate.sinks.log import file_name

    one = format in FOR_ALL_TABLES
    if output.is_dir() or (len(tables) > 1 and not one):
        output.mkdir(parents=True, exist_ok=True)
        return {table: output / file_name(format, table) for table in tables}
    return dict.fromkeys(tables, output)


@contextmanager
def open_sinks(tables: Sequence[str], format: str, output: Path | None) -> Iterator[list[Sink]]:
    """A sink per table or for all of them; the files are closed at the end of the block."""
    with ExitStack() as files:
        if format not in FORMATS:
            yield _logs(tables, format, output, files)
        elif output is None:
            if len(tables) > 1 and format != "parquet":
                raise UsageError("several tables need files: add -o DIR, or name one with --table")
            yield [stdout_sink(format, tables[0])]
        else:
            paths = table_files(tables, format, output)
            yield [file_sink(path, format, table, files) for table, path in paths.items()]


def _logs(tables: Sequence[str], format: str, output: Path | None, files: ExitStack) -> list[Sink]:
    from tidegate.sinks.log import stream_log

    if output is None and len(tables) > 1 and format not in FOR_ALL_TABLES:
        raise UsageError("several tables need files: add -o DIR, or name one with --table")
    if output is None:
        return [stream_log(format, tables, sys.stdout.buffer)]
    paths = log_files(tables, format, output)
    return [
        stream_log(
            format, [table for table in tables if paths[table] == path], files.enter_context(path.open("wb"))
        )
        for path in dict.fromkeys(paths.values())
    ]


def stdout_sink(format: str, table: str | None) -> RowSink:
    """A sink that writes to stdout; raises UsageError for a format that needs a file."""
    if format == "parquet":
        raise UsageError("Parquet needs a place: add -o PATH")
    return text_sink(sys.stdout, format, table)


def text_sink(out: TextIO, format: str, table: str | None) -> TextSink | TableSink:
    """A sink that writes text to an open stream."""
    if format == "table":
        return TableSink(out, table)
    binary: BinaryIO = out.buffer
    return TextSink(binary, format, table)


def file_sink(path: Path, format: str, table: str | None, files: ExitStack) -> RowSink:
    """A sink that writes to a new file."""
    if format == "parquet":
        return ParquetSink(path, table)
    return text_sink(files.enter_context(path.open("w", encoding="utf-8", newline="\n")), format, table)
