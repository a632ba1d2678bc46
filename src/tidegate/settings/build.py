"""From a document to settings. The one door to pydantic; every mistake is told with its line."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.settings.document import Document, Path_
from tidegate.settings.keys import Key, keys_of

_DEEPEST = 8


@dataclass(frozen=True)
class Problem:
    """A mistake: where it stands and what to do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class ConfigError(UsageError):
    """A configuration that cannot be used. Its text is the first mistake and how many more there are."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        more = len(problems) - 1
        rest = f" (and {more} more: tidegate config check)" if more else ""
        super().__init__(f"{problems[0]}{rest}")


def build(document: Document) -> Config:
    """The settings of a document; raises ConfigError with everything that is wrong."""
    unknown = [Problem(document.place(path), text) for path, text in _unknown(document.values, Config, ())]
    values = _lists(document.values, Config)
    config, wrong = _validated(values, document)
    problems = unknown + wrong
    if config is None or problems:
        raise ConfigError(problems)
    return config


def _validated(values: Mapping[str, Any], document: Document) -> tuple[Config | None, list[Problem]]:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Config).validate_python(values), []
    except ValidationError as error:
        problems = [_problem(dict(one), document) for one in error.errors(include_url=False)]
        return None, problems


def _problem(error: dict[str, Any], document: Document) -> Problem:
    path: Path_ = error["loc"]
    where = dotted(path)
    if error["type"] == "missing":
        return Problem(document.place(path[:-1]), f'{dotted(path[:-1]) or "the file"} needs "{path[-1]}"')
    if error["type"] == "value_error":
        said = str(error["ctx"]["error"])
    else:
        said = f"{expected(path)} is expected, not {clip(repr(error['input']), 40)}"
    return Problem(document.place(path), f"{where}: {said}" if where else said)


def expected(path: Path_) -> str:
    """What is expected at a path."""
    kind: type | None = Config
    key: Key | None = None
    for part in path:
        if isinstance(part, int):
            continue
        key = next((key for key in keys_of(kind) if key.path == (part,)), None) if kind else None
        kind = key.group if key else None
    if key is None:
        return "something else"
    if path and isinstance(path[-1], int):
        return key.expected.removeprefix("a list: ").replace("a list of these", "a group of keys")
    return key.expected.replace("these keys", "a group of keys").replace(
        "a list of these", "a list of groups"
    )


def dotted(path: Path_) -> str:
    """ "alerts.rules[0].window"."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _unknown(values: object, kind: type, above: Path_) -> Iterator[tuple[Path_, str]]:
    """Keys that mean nothing."""
    if not isinstance(values, Mapping) or len(above) > _DEEPEST:
        return
    known = {key.path[0]: key for key in keys_of(kind)}
    for name, value in values.items():
        path = (*above, name)
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
            yield path, f'unknown key "{clip(dotted(path), 60)}"; {hint}'
        elif group := known[name].group:
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for number, item in items:
                yield from _unknown(item, group, path if number is None else (*path, number))


def _lists(values: Any, kind: type) -> Any:
    """The same, a single text where a list is expected taken as a list: "eth0, wlan0"."""
    if not isinstance(values, Mapping):
        return values
    known = {key.path[0]: key for key in keys_of(kind)}
    return {name: _listed(value, known[name]) for name, value in values.items() if name in known}


def _listed(value: Any, key: Key) -> Any:
    if key.group:
        if isinstance(value, list):
            return tuple(_lists(item, key.group) for item in value)
        return _lists(value, key.group)
    if key.several and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if key.several and isinstance(value, list) else value
