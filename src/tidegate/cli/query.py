"""`tidegate query`: one SELECT over the store, or a question that has a name."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from tidegate import app
from tidegate.cli import closing, output
from tidegate.cli.completing import completing, question_names
from tidegate.cli.options import (
    FILE,
    PATH,
    answer_format_option,
    capture_stages,
    chosen_store,
    filter_option,
    only_option,
    place_option,
    store_option,
)
from tidegate.cli.progress import Progress
from tidegate.cli.questions import as_rows, overview
from tidegate.model.errors import UsageError

if TYPE_CHECKING:
    from tidegate.app import Answer


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--named", metavar="NAME", shell_complete=completing(question_names),
    help="Ask the question of this name instead of SQL.",
)  # fmt: skip
@click.option("--list", "listed", is_flag=True, help="List the named questions, what they answer and take.")
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="A parameter of the question; repeatable."
)
@click.option(
    "-r",
    "--read",
    "files",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Ask this capture, not the store; repeatable.",
)
@filter_option("BPF expression: only these packets of the captures.")
@place_option
@only_option
@store_option
@answer_format_option
@click.option("-o", "--output", "target", type=PATH, metavar="FILE", help="Write to this file.")
def query(
    sql: str | None,
    named: str | None,
    listed: bool,
    values: tuple[str, ...],
    files: tuple[str, ...],
    filter_option: str | None,
    places: tuple[str, ...],
    only: str,
    store: Path | None,
    format: str | None,
    target: Path | None,
) -> None:
    """Answer SQL, one SELECT in DuckDB's dialect, over the store; every table is a view.

    It reads only the store, and changes nothing. In conn each connection is there once, with its
    latest counters; conn_rows has the interim rows too. Common questions have names (--list) and
    need no SQL: tidegate query --named http-hosts --set since=2h. They can be asked of capture
    files as well (-r).
    """
    if (sql is not None) + (named is not None) + listed != 1:
        raise UsageError("one question at a time: give SQL, or --named NAME, or --list")
    if not named and (values or files or only):
        raise UsageError("--set, --only and -r are for questions with a name: add --named NAME (see --list)")
    if (filter_option or places) and not files:
        raise UsageError(f"--{'filter' if filter_option else 'place'} is for captures: add -r FILE")
    if listed and not (format or target):
        click.echo(overview(app.questions()))
        return
    chosen = output.chosen_format(format, target)
    with ExitStack() as opened:
        answer = (
            as_rows(app.questions())
            if listed
            else _answer(sql, named, values, files, filter_option, places, only, store)
        )
        opened.callback(answer.close)
        sink = output.file_sink(target, chosen, None, opened) if target else output.stdout_sink(chosen, None)
        for chunk in answer.chunks():
            sink.write_rows(chunk)
        sink.close()


def _answer(
    sql: str | None,
    named: str | None,
    values: Iterable[str],
    files: tuple[str, ...],
    expression: str | None,
    places: tuple[str, ...],
    only: str,
    store: Path | None,
) -> "Answer":
    """The answer, whoever is asked."""
    if named is None:
        return app.query(sql or "", chosen_store(store))
    given = dict(map(_assignment, values))
    if not files:
        return app.ask(named, chosen_store(store), only=only, **given)
    if store:
        raise UsageError("--store and -r: a question has one place to look; give one")
    capture = app.read(files, expression, stages=capture_stages(places, only))
    with Progress() as progress:
        answer = capture.ask(named, progress, **given)
    if capture.stats:
        closing.warn(capture.stats)
    return answer


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f'--set "{text}" sets nothing: write NAME=VALUE, such as limit=5')
    return name.strip(), value
