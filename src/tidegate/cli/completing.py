"""What Tab proposes where a name of ours is expected; asked by the shell, and never an error."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from tidegate.model.errors import TidegateError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
Named = Iterator[tuple[str, str]]
"""Names, each with a word on it."""

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def completing(names: Callable[[], Named]) -> Completer:
    """The names that begin with what is written."""

    def complete(
        _context: click.Context, _parameter: click.Parameter, written: str
    ) -> "list[CompletionItem]":
        return _items(names, written)

    return complete


def report_words(context: click.Context, _parameter: click.Parameter, written: str) -> "list[CompletionItem]":
    """Of `tidegate report`: a report, or the file of one; what follows is a filter."""
    from click.shell_completion import CompletionItem

    if context.params.get("words"):
        return []
    found = _items(lambda: _reports(context.params.get("config")), written)
    return found or [CompletionItem(written, type="file")]


def _items(names: Callable[[], Named], written: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    try:
        return [CompletionItem(name, help=word) for name, word in names() if name.startswith(written)]
    except (TidegateError, OSError):  # there is nobody to tell in the middle of a line
        return []


def _reports(config: Any) -> Named:
    from tidegate.app.reporting import report_folders
    from tidegate.reports.files import find_report, names

    folders = report_folders(config)
    for name in names(folders):
        try:
            yield name, find_report(name, folders).title
        except TidegateError:
            yield name, "broken"
    yield "list", "which were mailed"


def question_names() -> Named:
    """The named questions."""
    from tidegate.queries.questions import QUESTIONS

    return ((question.name, question.doc) for question in QUESTIONS)


def table_names() -> Named:
    """The tables."""
    from tidegate.model.tables import all_tables

    return ((table.name, table.doc) for table in all_tables())


def interface_names() -> Named:
    """The interfaces of this machine."""
    from tidegate.sources.live import all_interfaces

    return ((interface.name, ", ".join(interface.addresses)) for interface in all_interfaces())


def key_names() -> Named:
    """The keys of the configuration."""
    from tidegate.settings.keys import all_keys

    return ((key.name, key.doc) for key in all_keys())


def day_names() -> Named:
    """Days with a name."""
    return iter((("today", "so far"), ("yesterday", "from midnight to midnight")))


def zone_names() -> Named:
    """Time zones."""
    from zoneinfo import available_timezones

    return _bare(sorted(available_timezones()))


def _bare(names: Iterable[str]) -> Named:
    return ((name, "") for name in names)
