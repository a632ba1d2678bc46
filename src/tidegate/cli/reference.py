"""`tidegate reference`: commands, configuration and tables as Markdown, from what the program knows."""

from collections.abc import Callable, Iterator

import rich_click as click

_PARTS = ("commands", "config", "tables")


@click.command()
@click.argument("part", type=click.Choice(_PARTS), required=False)
def reference(part: str | None) -> None:
    """Print the reference in Markdown: all of it, or only the commands, the configuration or the tables.

    It is made of what this version says of itself, so it is never out of date.
    """
    made: dict[str, Callable[[], Iterator[str]]] = {
        "commands": _commands,
        "config": _config,
        "tables": _tables,
    }
    for name in (part,) if part else _PARTS:
        click.echo("\n".join(made[name]()))


def _commands() -> Iterator[str]:
    from tidegate.cli.commands import described

    yield from ("# Commands", "")
    for command in described():
        yield from (f"## {command.name}", "", f"    {command.name} {command.usage}".rstrip(), "")
        for paragraph in command.paragraphs:
            yield from (_cell(paragraph), "")
        if command.options:
            yield from ("| option | meaning |", "|---|---|")
            yield from (f"| `{_cell(names)}` | {_cell(text)} |" for names, text in command.options)
            yield ""


def _config() -> Iterator[str]:
    from tidegate.cli.config import expected_and_default
    from tidegate.settings.keys import all_keys

    yield from ("# Configuration", "")
    for key in all_keys():
        level = "##" if len(key.path) == 1 else "" if key.group is None else "###"
        if level:
            yield from ("", f"{level} {key.name}", "", _cell(key.doc), "")
        if key.group is None:
            yield f"- `{key.name}`: {_cell(key.doc)}. {_cell(expected_and_default(key))}"
    yield ""


def _tables() -> Iterator[str]:
    from tidegate import app
    from tidegate.model.tables import find_table

    yield from ("# Tables", "")
    for name in (table.name for table in app.tables()):
        table = find_table(name)
        yield from (
            f"## {table.name}",
            "",
            _cell(table.doc),
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        )
        for column in table.columns:
            missing = " May be missing." if column.nullable else ""
            yield f"| `{column.name}` | {_cell(column.type)} | {_cell(column.doc)}{missing} |"
        yield ""


def _cell(text: str) -> str:
    """One line in which nothing ends a cell."""
    return " ".join(text.split()).replace("|", "\\|")
