"""`tidegate tables`: the tables, and what their columns mean."""

import textwrap

import rich_click as click

from tidegate import app
from tidegate.cli.completing import completing, table_names
from tidegate.model.tables import ON_REQUEST, TableInfo, find_table

WIDTH = 80


@click.command()
@click.argument("name", required=False, shell_complete=completing(table_names))
def tables(name: str | None) -> None:
    """Show the tables, or the columns of the table NAME with their documentation."""
    if name:
        click.echo(describe(find_table(name)))
        return
    for table in app.tables():
        note = " Only with --table." if table.name in ON_REQUEST else ""
        click.echo(_entry(table.name, table.doc + note, 10))


def describe(table: TableInfo) -> str:
    """The table's meaning, and a line or more per column."""
    name_width = max(len(column.name) for column in table.columns) + 2
    type_width = min(max(len(column.type) for column in table.columns), 14) + 2
    lines = [textwrap.fill(f"{table.name}: {table.doc}", WIDTH), ""]
    for column in table.columns:
        kind = column.type if len(column.type) <= 14 else column.type.split("(")[0]
        head = f"{column.name:<{name_width}}{kind:<{type_width}}"
        lines.append(_entry(head, column.doc + (" May be missing." if column.nullable else ""), len(head)))
    return "\n".join(lines)


def _entry(head: str, text: str, indent: int) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{head:<{indent}}",
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
