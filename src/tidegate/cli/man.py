"""`tidegate man`: the manual page, made of what the commands say of themselves."""

from collections.abc import Iterator
from importlib.metadata import version

import rich_click as click

from tidegate.cli.commands import Described, described

_ABOUT = (
    "Tidegate watches every connection that a machine makes or serves, live or from a capture: which program "
    "it belongs to, whom it calls, what is asked. It shows them on a screen, raises an alert when something "
    "leaves its bounds, writes logs, keeps every connection as a row, and answers in SQL."
)

_EXAMPLES = {
    "tidegate watch": "this machine's connections on the screen",
    "tidegate read capture.pcap": "what is in a capture, in a page of text",
    "tidegate query --named http-hosts --set since=2h": "which sites were asked for, in the last two hours",
    "tidegate report pings --from 22:00 --to 06:00": "who pinged last night, with a picture",
    "tidegate relay -p :2222=192.0.2.7:22": "a monitored door to another machine",
    "tidegate mail test kim@example.org": "whether mail works, and what to do if not",
    "sudo tidegate service install --auto": "have the machine run it",
}
_FILES = {
    "/etc/tidegate/tidegate.yml": "the configuration of root and of the service; before it, for others, "
    "~/.config/tidegate/tidegate.yml",
    "/var/lib/tidegate": "the store of root and of the service; of others ~/.local/state/tidegate",
    "/var/lib/tidegate/control.sock": "where a running one is reached",
}
_ENVIRONMENT = {
    "TIDEGATE_CONFIG": "the configuration, where --config names none",
    "TIDEGATE_...": "each key of the configuration has a variable; `tidegate config explain` names it",
    "NO_COLOR": "no colours, if it is set",
}
_CODES = {"0": "done", "1": "it could not be done", "2": "it was asked wrongly", "130": "interrupted"}


@click.command()
def man() -> None:
    """Print the manual page of all commands.

    To have it: tidegate man > ~/.local/share/man/man1/tidegate.1
    """
    click.echo("\n".join(page()))


def page() -> Iterator[str]:
    """The page, in man's macros."""
    yield f'.TH TIDEGATE 1 "" "tidegate {version("tidegate")}" "User Commands"'
    yield from (".nh", ".ad l")  # names and paths are copied: no hyphens in them
    yield from (".SH NAME", "tidegate \\- who is this machine talking to?")
    yield from (".SH SYNOPSIS", ".B tidegate", ".I command", "[options] [arguments]")
    yield from (".SH DESCRIPTION", _text(_ABOUT), ".SH COMMANDS")
    for command in described():
        yield from _command(command)
    for title, entries in (
        ("EXAMPLES", _EXAMPLES),
        ("FILES", _FILES),
        ("ENVIRONMENT", _ENVIRONMENT),
        ("EXIT STATUS", _CODES),
    ):
        yield f".SH {title}"
        for name, text in entries.items():
            yield from _entry(name, text)
    yield from (".SH SEE ALSO", _text("tidegate reference: all keys of the configuration, and all tables."))


def _command(command: Described) -> Iterator[str]:
    yield f".SS {_text(f'{command.name} {command.usage}')}"
    for number, paragraph in enumerate(command.paragraphs):
        yield from ((".PP", _text(paragraph)) if number else (_text(paragraph),))
    for names, text in command.options:
        yield from _entry(names, text)


def _entry(name: str, text: str) -> Iterator[str]:
    yield from (".TP", f"\\fB{_text(name)}\\fR", _text(text))


def _text(text: str) -> str:
    """Nothing in it is a macro; dashes can be copied."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    plain = plain.replace("~", "\\(ti").replace("^", "\\(ha").replace("|", "|\\:")  # choices may be broken
    return f"\\&{plain}" if plain.startswith(".") else plain
