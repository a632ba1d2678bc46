"""Every command as it describes itself, for the manual page and the reference."""

from collections.abc import Iterator
from dataclasses import dataclass

import rich_click as click

from tidegate.cli import VERBS, cli, load
from tidegate.cli.report import Report


@dataclass(frozen=True)
class Described:
    """A command: how it is called, what it does, what can be said to it."""

    name: str
    """ "tidegate alerts ack"."""
    usage: str
    """What follows the name."""
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    """Each with its names as they are written, and its line."""


def described() -> Iterator[Described]:
    """All commands, in the order of the help; those of a group behind it."""
    with click.Context(cli, info_name="tidegate") as top:
        for verb in VERBS:
            yield from _below(load(verb), verb, top)


def _below(command: click.Command, name: str, above: click.Context) -> Iterator[Described]:
    with click.Context(command, info_name=name, parent=above) as context:
        yield _one(command, context)
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                below = command.get_command(context, each)
                if below and not below.hidden:
                    yield from _below(below, each, context)
    if isinstance(command, Report):
        for each, below in command.below().items():
            yield from _below(below, f"{name} {each}", above)


def _one(command: click.Command, context: click.Context) -> Described:
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    records = [record for option in options if (record := option.get_help_record(context))]
    return Described(
        context.command_path,
        " ".join(command.collect_usage_pieces(context)),
        tuple(" ".join(part.split()) for part in (command.help or "").split("\n\n") if part.strip()),
        tuple((names, " ".join(text.split())) for names, text in records),
    )
