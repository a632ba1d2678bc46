"""A mistake in the configuration: where it stands, and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.model.errors import SettingError, UsageError
from tidegate.model.text import clip
from tidegate.settings.document import Document, Path_

MOST = 20
"""Mistakes that are told at a start."""


@dataclass(frozen=True)
class Problem:
    """One mistake: the key, what is said to be its place, and what is wrong."""

    path: Path_
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"

    def covers(self, path: Path_) -> bool:
        """Whether what is said of that key only follows from this."""
        return path[: len(self.path)] == self.path


class ConfigError(UsageError):
    """A configuration that cannot be used. Its text is the first mistake and how many more there are."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        more = len(problems) - 1
        rest = f" (and {more} more: tidegate config check)" if more else ""
        super().__init__(f"{problems[0]}{rest}")

    def lines(self) -> list[str]:
        """Every mistake, up to a screenful."""
        told = [str(problem) for problem in self.problems[:MOST]]
        more = len(self.problems) - len(told)
        return [*told, f"and {more} more: tidegate config check"] if more else told


def at(document: Document, path: Path_, text: str) -> Problem:
    """A mistake at a key, its name before what is said of it unless that names it already."""
    name = dotted(path)
    if path:
        text = text.removeprefix(f"{path[-1]}: ")
    named = not name or text.startswith("unknown key")
    return Problem(path, document.place(path), text if named else f"{name}: {text}")


def located(document: Document, error: UsageError, *above: str | int) -> UsageError:
    """The error with its line, where it is about a key."""
    if not isinstance(error, SettingError) or not (*above, *error.key):
        return error
    return ConfigError([at(document, (*above, *error.key), error.text)])


def twice(path: Path_, names: Sequence[str], taken: Sequence[str] = ()) -> Iterator[SettingError]:
    """Things of a list at the path that have no name, or one that is `taken` or that another has."""
    for number, name in enumerate(names):
        if not name.strip():
            yield SettingError("a name is needed", *path, number, "name")
        elif name in names[:number] or name in taken:
            text = f'"{clip(name, 40)}" is taken already; each needs a name of its own'
            yield SettingError(text, *path, number, "name")


def dotted(path: Path_) -> str:
    """ "alerts.rules[0].window"."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
