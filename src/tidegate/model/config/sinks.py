"""Settings of logs: what is written where, in which format, and when a file is full."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, SIZE, option, required

LogFormat = Literal["conmon", "tsv", "csv", "jsonl", "zeek", "eve", "ecs", "autonapt", "cowrie"]


FOR_EACH_TABLE = frozenset({"tsv", "csv", "jsonl", "zeek"})
"""Formats whose lines do not say which table they are of: each table has its own file."""

FOR_ALL_TABLES = frozenset({"eve", "ecs"})
"""Formats whose lines do."""

OF_RELAY = frozenset({"autonapt", "cowrie"})
"""Formats of the relay's events and of nothing else."""


@dataclass(frozen=True)
class LogSettings:
    """One log: a file of rows, or a file for each table."""

    name: str = required("name of the log; each has its own")
    path: str = required(
        "file it is written to; {table} in it stands for the table, as formats with a file for each need it; "
        '"-" is standard output'
    )
    format: LogFormat = option(
        "conmon",
        "conmon (eleven columns, TSV), tsv, csv, jsonl, zeek, eve, ecs, or for the relay autonapt or cowrie",
    )
    tables: tuple[str, ...] = option(
        ("conn",), "tables whose rows are written; conmon: conn only; autonapt and cowrie: relay, always"
    )
    columns: tuple[str, ...] = option(
        (), "columns of the tables, in order; all unless given; conmon always has its eleven"
    )
    filter: str = option("", 'only rows that match, such as "prog:curl -net:10.0.0.0/8"')
    per: Literal["connection", "segment"] = option(
        "connection", "conmon: a row for each connection when it ends, or for each data segment"
    )
    interim: bool = option(False, "rows of connections that are still open, too, not only their last one")
    readable: Literal["owner", "group"] = option(
        "owner", "who can read new files: the owner, or the group too"
    )
    rotate_size: Annotated[int, SIZE] = option(0, "a new file at this size; 0: never")
    rotate_time: Annotated[float, DURATION] = option(
        0.0, "a new file after this time, counted from midnight UTC of 1970 (1d: at midnight); 0: never"
    )
    rotate_lines: int = option(0, "a new file after this many lines; 0: never")
    keep: int = option(7, "old files that are kept, NAME.1 being the latest; 0: all")
    buffer: Annotated[int, SIZE] = option(
        16_000_000,
        "bytes that wait in memory while the file cannot be written; what is more is lost, and counted",
    )


@dataclass(frozen=True)
class ExcerptSettings:
    """Payload beside the rows: off unless asked for, and kept for its own, shorter time."""

    bytes: Annotated[int, SIZE] = option(0, "bytes of each data segment that are kept as text; 0: none")
    keep_time: Annotated[float, DURATION] = option(86400.0, "how long the store keeps them")
