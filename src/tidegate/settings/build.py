"""From a document to settings. The one door to pydantic; every mistake is told with its line."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.model.config import Config
from tidegate.model.errors import SettingError
from tidegate.model.text import clip
from tidegate.settings.document import Document, Path_
from tidegate.settings.keys import Key, field_of, instead_of, keys_of, written
from tidegate.settings.problem import ConfigError, Problem, at, dotted

_DEEPEST = 8
_ROUNDS = 8
"""How often what is wrong is taken out, to see what is wrong with the rest."""
_STAND_IN = "?"
"""Stands for what has to be given and is not, so that the rest can be looked at."""


def build(document: Document) -> Config:
    """The settings of a document; raises ConfigError with everything that is wrong."""
    config, problems = examine(document)
    if problems:
        raise ConfigError(problems)
    return config


def examine(document: Document) -> tuple[Config, list[Problem]]:
    """The settings, with defaults in place of what cannot be used, and everything that is wrong."""
    if not document.values and not document.strays:
        return Config(), []  # without pydantic, which takes its time
    problems = [Problem(path, document.place(path), text) for path, text in document.strays]
    problems += [at(document, path, text) for path, text in _unknown(document.values, Config, ())]
    values = _lists(document.values, Config)
    for _ in range(_ROUNDS):
        config, errors = _validated(values)
        if config is not None:
            return config, problems
        for error in errors:
            problem = _problem(error, document)
            if not any(told.covers(problem.path) for told in problems):
                problems.append(problem)
            _take_out(values, problem.path, error["type"] == "missing")
    return Config(), problems


def _validated(values: Mapping[str, Any]) -> tuple[Config | None, list[dict[str, Any]]]:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Config).validate_python(values), []
    except ValidationError as error:
        return None, [dict(one) for one in error.errors(include_url=False)]


def _problem(error: dict[str, Any], document: Document) -> Problem:
    path = _written(error["loc"])
    if error["type"] == "missing":
        text = f'{dotted(path[:-1]) or "the file"} needs "{path[-1]}"'
        return Problem(path, document.place(path[:-1]), text)
    if error["type"] != "value_error":
        given, wanted = error["input"], expected(path)
        near = _near(given, wanted) if isinstance(given, str) else ""
        return at(document, path, f"{wanted} is expected, not {_as_given(given)}{near}")
    said = error["ctx"]["error"]
    if isinstance(said, SettingError):
        return at(document, (*path, *said.key), said.text)
    return at(document, path, str(said))


def _written(path: Path_) -> Path_:
    """A path of fields as one of keys."""
    return tuple(written(part) if isinstance(part, str) else part for part in path)


def _as_given(value: object) -> str:
    try:
        return clip(repr(value), 40)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number that long"


def _near(given: str, wanted: str) -> str:
    near = difflib.get_close_matches(given, wanted.removeprefix("one of ").split(", "), 1)
    return f'; did you mean "{near[0]}"?' if near and wanted.startswith("one of ") else ""


def _take_out(values: dict[str, Any], path: Path_, missing: bool) -> None:
    """Removes what stands at the path, so that its default holds; puts something there where it is missing.

    An item of a list keeps its place, since the lines of those behind it go by their number.
    """
    if not path:
        return values.clear()
    place: Any = values
    key = _key_at(path)
    path = tuple(field_of(part) if isinstance(part, str) else part for part in path)
    if isinstance(path[-1], int) and not (key and key.group):
        path = path[:-1]  # one text of a list: the whole list
    for part in path[:-1]:
        try:
            place = place[part]
        except (KeyError, IndexError, TypeError):
            return None
    if missing:
        place[path[-1]] = [_STAND_IN] if key and key.several else _STAND_IN
    elif isinstance(path[-1], int):
        place[path[-1]] = {}
    elif isinstance(place, dict):
        place.pop(path[-1], None)
    return None


def _key_at(path: Path_) -> Key | None:
    """The key that a path is of, or an item of."""
    kind: type | None = Config
    key: Key | None = None
    for part in path:
        if isinstance(part, int):
            continue
        key = next((key for key in keys_of(kind) if key.path == (part,)), None) if kind else None
        kind = key.group if key else None
    return key


def expected(path: Path_) -> str:
    """What is expected at a path."""
    key = _key_at(path)
    if key is None:
        return "something else"
    if path and isinstance(path[-1], int):
        sentence = getattr(key.group, "IN_WORDS", "")
        words = key.expected.removeprefix("a list: ").replace("a list of these", "a group of keys")
        return f"{words} or {sentence}" if sentence else words
    words = key.expected.replace("these keys", "a group of keys").replace("a list: text", "a list of texts")
    return words.replace("a list of these", "a list of groups")


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
            if instead := instead_of(kind, str(name)):
                hint = f"set {instead}"
            yield path, f'unknown key "{clip(dotted(path), 60)}"; {hint}'
        elif group := known[name].group:
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for number, item in items:
                yield from _unknown(item, group, path if number is None else (*path, number))


def _lists(values: Any, kind: type) -> Any:
    """A copy in which a single text is a list where one is expected: "eth0, wlan0"."""
    if not isinstance(values, Mapping):
        return values
    known = {key.path[0]: key for key in keys_of(kind)}
    return {field_of(name): _listed(value, known[name]) for name, value in values.items() if name in known}


def _of_words(item: Any, kind: type) -> Any:
    """An item as keys, where it may be a sentence and is one."""
    read = getattr(kind, "of_words", None)
    return (read(item) if read and isinstance(item, str) else None) or item


def _listed(value: Any, key: Key) -> Any:
    if key.group:
        if isinstance(value, str) and hasattr(key.group, "of_words"):
            value = [value]
        if isinstance(value, list):
            return [_lists(_of_words(item, key.group), key.group) for item in value]
        return _lists(value, key.group)
    if key.several and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if key.several and isinstance(value, list) else value
