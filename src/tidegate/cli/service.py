"""`tidegate service`: Tidegate as a service of the machine."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from tidegate.cli.options import PATH
from tidegate.model.text import safe_text

if TYPE_CHECKING:
    from tidegate.service.description import Description
    from tidegate.service.system import System

_CREDENTIAL = re.compile(r"\$\{CREDENTIALS_DIRECTORY\}/([\w.-]+)")


@click.group(no_args_is_help=True)
def service() -> None:
    """Install, start, stop and remove Tidegate as a service of the machine."""


@service.command()
@click.option(
    "--config", type=PATH, metavar="FILE", help="Its configuration; else /etc/tidegate/tidegate.yml."
)
@click.option("--user", metavar="NAME", help="Who it runs as; a user of its own, tidegate, unless given.")
@click.option("--auto", is_flag=True, help="Start it with the machine.")
@click.option("--print", "only_shown", is_flag=True, help="Show what would be written, and write nothing.")
def install(config: Path | None, user: str | None, auto: bool, only_shown: bool) -> None:
    """Install the service, or take over what has changed; it is started by `start`, or with the machine."""
    description = _described(config, user, auto)
    system = _system()
    if only_shown:
        for place, text in system.written(description).items():
            click.echo(f"# {place}\n{text}")
        return
    _say(system.install(description))


@service.command()
def start() -> None:
    """Start it, and wait until its capture is open."""
    _say([_system().start()])


@service.command()
def stop() -> None:
    """End it, with everything written."""
    _say([_system().stop()])


@service.command()
def restart() -> None:
    """End it and start it again."""
    _say([_system().restart()])


@service.command()
def status() -> int:
    """Say how it stands; exit code 0 if it runs, 3 if it does not, 4 if it is not installed."""
    state = _system().state()
    _say(state.lines)
    return state.code


@service.command()
@click.option("--purge", is_flag=True, help="Remove its store, logs and user as well; settings stay.")
def remove(purge: bool) -> None:
    """Stop it and remove it; what it kept stays, unless with --purge."""
    _say(_system().remove(purge))


def _system() -> "System":
    """The one of this machine, which is loaded when it is asked for."""
    from tidegate.service.system import this_system

    return this_system()


def _described(file: Path | None, user: str | None, auto: bool) -> "Description":
    """The service for this configuration, once that is right; raises UsageError."""
    from tidegate.app.checking import load
    from tidegate.app.paths import outlets
    from tidegate.service.description import USER, describe
    from tidegate.settings import find

    # The machine's own, not the one of whoever installs it.
    used = file or (find.SYSTEM if find.SYSTEM.is_file() else None)
    config = load(used, reports=True)
    text = used.read_text() if used else ""
    writes = [path.absolute().parent for path in outlets(config).files]
    writes += [Path(config.store.path)] if config.store.path else []
    return describe(
        file.absolute() if file else None,
        auto,
        user or config.service.user or USER,
        writes,
        _CREDENTIAL.findall(text),
        _knows_fine_rights(),
    )


def _knows_fine_rights() -> bool:
    """Whether the kernel has rights of their own for tracing and BPF (Linux 5.8)."""
    from tidegate.helper import capabilities

    try:
        return capabilities.last() >= capabilities.BPF
    except OSError:
        return True


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(safe_text(line), err=line.startswith("note: "))
