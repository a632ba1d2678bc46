"""Settings of logs: what is written where, in which format, and when a file is full."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, SIZE, option, required

LogFormat = Literal["conmon", "tsv", "csv", "jsonl", "zeek", "eve", "ecs"]


@dataclass(frozen=True)
class LogSettings:
    """One log: a file of rows."""

    name: str = required("name of the log; each has its own")
    path: str = required('file it is written to; "-" is standard output')
    format: LogFormat = option("conmon", "conmon (eleven columns, TSV), tsv, csv, jsonl, zeek, eve or ecs")
    tables: tuple[str, ...] = option(("conn",), "tables whose rows are written")
    columns: tuple[str, ...] = option((), "columns, in order; all of the format unless given")
    filter: str = option("", 'only rows that match, such as "prog:curl -net:10.0.0.0/8"')
    per: Literal["connection", "segment"] = option(
        "connection", "conmon: a row for each connection when it ends, or for each data segment"
    )
    rotate_size: Annotated[int, SIZE] = option(0, "a new file at this size; 0: never")
    rotate_time: Annotated[float, DURATION] = option(0.0, "a new file after this time; 0: never")
    keep: int = option(7, "old files that are kept")


@dataclass(frozen=True)
class ExcerptSettings:
    """Payload beside the rows: off unless asked for, and kept for its own, shorter time."""

    bytes: Annotated[int, SIZE] = option(0, "bytes of each data segment that are kept as text; 0: none")
    keep_time: Annotated[float, DURATION] = option(86400.0, "how long the store keeps them")
