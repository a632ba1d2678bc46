"""Options that several verbs share, and the types of their values."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from tidegate.cli.completing import completing, table_names
from tidegate.model.config import FORMATS, ROW_FORMATS, PlaceSettings
from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.units import parse_duration, parse_size
from tidegate.pipeline.pipeline import Stage

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


class Parsed(click.ParamType[Any]):
    """A value with a parser of its own."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parses text; what is parsed already passes."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


DURATION = Parsed("time", parse_duration)
SIZE = Parsed("size", parse_size)


def _path(text: str) -> Path:
    if not text:
        raise UsageError("an empty path names nothing")
    return Path(text)


class _File(Parsed):
    """The name of a file; the shell completes it."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Files."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


PATH = _File("path", _path)
FILE = _File("file", str)
"""As it is written: "-" may be standard input, and empty none."""

answer_format_option = click.option(
    "--format", "format", type=click.Choice(FORMATS), help="How rows are written."
)
format_option = click.option(
    "--format", "format", type=click.Choice(ROW_FORMATS), help="How rows are written."
)


def filter_option(help: str = "BPF expression, instead of the words at the end.") -> Callable[[F], F]:
    """The option -f."""
    return click.option("-f", "--filter", "filter_option", metavar="FILTER", help=help)


only_option = click.option(
    "--only",
    default="",
    metavar="FILTER",
    help='Only rows that match, such as "prog:curl -net:10.0.0.0/8"; not BPF, see docs/filter.md.',
)
sensor_option = click.option(
    "--sensor", default="", metavar="NAME", help="Name of the observer, for every row (live: the host's)."
)
max_flows_option = click.option(
    "--max-flows",
    metavar="N",
    type=click.IntRange(1, 2**32 - 1),
    help="Connections tracked at once at most (1,000,000).",
)
checksums_option = click.option(
    "--verify-checksums", is_flag=True, help="Packets with a wrong IP, TCP or UDP checksum do not count."
)
keep_credentials_option = click.option(
    "--keep-credentials",
    is_flag=True,
    help="Keep passwords, tokens and cookies as sent; else they are [redacted].",
)
redact_query_option = click.option(
    "--redact-query", is_flag=True, help="Leave out what follows the ? or # of a URI; it often holds secrets."
)
tables_option = click.option(
    "-t", "--table", "tables", multiple=True, metavar="NAME", shell_complete=completing(table_names),
    help="A table to write; can be repeated.",
)  # fmt: skip
place_option = click.option(
    "--place",
    "places",
    type=FILE,
    multiple=True,
    metavar="FILE.mmdb",
    help="Database of places, for countries, cities and networks of addresses; repeatable.",
)
store_option = click.option(
    "--store",
    type=PATH,
    metavar="DIR",
    help="The store (/var/lib/tidegate for root, else in your state directory).",
)


ascii_option = click.option("--ascii", is_flag=True, help="Draw the screen with plain characters only.")


def joined_filter(words: list[str], explicit: str | None) -> str | None:
    """The filter from the words at the end, or from -f; not both."""
    if words and explicit:
        raise UsageError(f'two filters: "{" ".join(words)}" and -f "{explicit}"; give one')
    return explicit or " ".join(words) or None


config_option = click.option(
    "--config",
    type=PATH,
    metavar="FILE",
    help="The configuration; else ~/.config/tidegate/tidegate.yml, /etc/tidegate/tidegate.yml.",
)


def capture_stages(databases: tuple[str, ...], only: str) -> list[Stage]:
    """The stages for captures; places by named databases only, so that one reads the same everywhere."""
    from tidegate.app.assembly import place_stage
    from tidegate.pipeline.only import Only

    return [
        *([place_stage(PlaceSettings(databases))] if databases else []),
        *([Only(parse_filter(only))] if only else []),
    ]


def chosen_store(store: Path | None) -> Path:
    """The store that is named, else the configuration's, else the default one."""
    from tidegate.app.paths import store_root
    from tidegate.settings.find import load_place

    return store or store_root(load_place())
