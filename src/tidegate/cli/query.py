"""`tidegate query`: one SELECT over the store."""

from contextlib import ExitStack
from pathlib import Path

import rich_click as click

from tidegate import app
from tidegate.cli import output
from tidegate.cli.options import PATH, format_option, store_option


@click.command()
@click.argument("sql")
@store_option
@format_option
@click.option("-o", "--output", "target", type=PATH, metavar="FILE", help="Write to this file.")
def query(sql: str, store: Path | None, format: str | None, target: Path | None) -> None:
    """Answer SQL, one SELECT in DuckDB's dialect, over the store; every table is a view.

    It reads only the store, and changes nothing. In conn each connection is there once, with its
    latest counters; conn_rows has the interim rows too.
    """
    chosen = output.chosen_format(format, target)
    with ExitStack() as files:
        answer = app.query(sql, store)
        files.callback(answer.close)
        sink = output.file_sink(target, chosen, None, files) if target else output.stdout_sink(chosen, None)
        for chunk in answer.chunks():
            sink.write_rows(chunk)
        sink.close()
