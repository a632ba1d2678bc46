"""`tidegate config`: is the configuration right, what can it say, and what do others' become?"""

from collections.abc import Iterator
from dataclasses import MISSING
from pathlib import Path

import rich_click as click

from tidegate.app import checking
from tidegate.cli.completing import completing, key_names
from tidegate.cli.options import PATH
from tidegate.model.config.option import DURATION, SIZE
from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text
from tidegate.settings import find
from tidegate.settings.keys import Key, all_keys, keys_of
from tidegate.settings.problem import ConfigError


@click.group(no_args_is_help=True)
def config() -> None:
    """Check, explain or import the configuration."""


@config.command()
@click.argument("file", type=PATH, required=False)
def check(file: Path | None) -> int:
    """Say everything that is wrong in FILE (the one that would be used, unless named), with its line.

    Names are looked up, filters compiled, classes imported and the questions of your own reports tried out;
    nothing is opened or written.
    """
    found = find.find(file)
    try:
        settings = checking.load(file, reports=True)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(safe_text(str(problem)), err=True)
        return 2
    notes = checking.notes(settings)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    right = "nothing is wrong, but see the notes" if notes else "all is well"
    click.echo(f"{found}: {right}" if found else f"no file, all defaults; looked in {_places()}")
    return 0


@config.command()
@click.argument("key", required=False, shell_complete=completing(key_names))
def explain(key: str | None) -> int:
    """Show every KEY below this one (all unless named): what it means, what is expected, its default."""
    shown = [known for known in all_keys() if key is None or _lies_below(known.name, key)]
    if not shown:
        import difflib

        near = difflib.get_close_matches(key or "", [known.name for known in all_keys()], 1)
        raise UsageError(f'there is no key "{key}"' + (f'; did you mean "{near[0]}"?' if near else ""))
    for known in shown:
        click.echo("\n".join(_lines(known)))
    return 0


@config.command(name="import")
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
def import_(files: tuple[Path, ...]) -> int:
    """Print what settings of conmon, monconn or AutoNapt become as a configuration of ours.

    AutoNapt has ports.json, protocols.json and elastic.ini. What could not be carried over is said on stderr.
    """
    import sys

    from ruamel.yaml import YAML

    from tidegate.settings.imports import import_files

    made = import_files(files)
    for note in made.notes:
        click.echo(safe_text(note), err=True)
    click.echo(f"# Taken over from {made.program}. Use it with: tidegate {made.verb} --config THIS_FILE")
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(made.settings, sys.stdout)
    return 0


def _places() -> str:
    import os

    return ", ".join(str(place) for place in find.places(os.environ))


def _lies_below(name: str, key: str) -> bool:
    return name == key or name.startswith((f"{key}.", f"{key}[]"))


def _lines(key: Key) -> Iterator[str]:
    yield key.name
    yield f"    {key.doc}"
    if key.group is None:
        yield f"    {expected_and_default(key)}"
    if variable := _variable(key):
        yield f"    {variable}"


def expected_and_default(key: Key) -> str:
    """What may stand there, and what holds where nothing does."""
    return f"{key.expected}; {_default(key)}"


def _variable(key: Key) -> str:
    """How the environment sets it."""
    if not key.variable:
        return f"inside {key.list_variable}"
    if key.group and not key.several:
        return ""  # each of its keys has one
    if key.group:
        needed = [each.path[0] for each in keys_of(key.group) if each.default is MISSING]
        item = ", ".join(f"{name}: …" for name in needed or ["…"])
        return f"{key.variable}, as YAML in one line: [{{{item}}}]"
    if key.expected == "keys and values":
        return f"{key.variable}, as YAML in one line: {{version: 1, …}}"
    return f"{key.variable}, with commas or as YAML: [a, b]" if key.several else key.variable


def _default(key: Key) -> str:
    if key.default is MISSING:
        return "has to be given"
    if key.default is None or key.default in ("", ()):
        return "not set unless given"
    if key.expected == DURATION.like and isinstance(key.default, float):
        return f"{_written(key.default, ((86400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')))} unless given"
    if key.expected == SIZE.like and isinstance(key.default, int):
        return f"{_written(key.default, _SIZES)} unless given"
    if isinstance(key.default, bool):
        return f"{str(key.default).lower()} unless given"
    if isinstance(key.default, tuple):
        return f"{', '.join(map(str, key.default))} unless given"
    return f"{key.default} unless given"


_SIZES = ((1 << 30, "Gi"), (1 << 20, "Mi"), (10**9, "G"), (10**6, "M"), (1 << 10, "Ki"), (1000, "K"))


def _written(value: float, units: tuple[tuple[int, str], ...]) -> str:
    """The number as it would be written in the file: 30d, 64M."""
    for size, unit in units:
        if value and value % size == 0:
            return f"{value // size:.0f}{unit}"
    return f"{value:g}"
