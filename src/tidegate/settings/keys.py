"""The keys that can be set, found by walking the settings classes: the one place that reads their types."""

import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from keyword import iskeyword
from typing import Annotated, Any, Literal, get_args, get_origin

from tidegate.model.config import Config
from tidegate.model.config.option import Written, doc_of

SEPARATOR = "__"
PREFIX = "TIDEGATE_"


@dataclass(frozen=True)
class Key:
    """A setting: its path (an item of a list is `[]`), what is expected, its default."""

    path: tuple[str, ...]
    doc: str
    expected: str
    default: object
    group: type | None
    """The settings class of what lies below, if anything does."""
    several: bool
    """Whether it is a list."""

    @property
    def name(self) -> str:
        """ "alerts.rules[].window"."""
        return ".".join(self.path).replace(".[]", "[]")

    @property
    def variable(self) -> str:
        """The environment variable that sets it; empty for what lies in a list."""
        return "" if "[]" in self.path else PREFIX + SEPARATOR.join(self.path).upper()

    @property
    def list_variable(self) -> str:
        """The variable that sets the whole list it lies in; its own where it lies in none."""
        outer = self.path[: self.path.index("[]")] if "[]" in self.path else self.path
        return PREFIX + SEPARATOR.join(outer).upper()


def all_keys(kind: type = Config, above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key, in the order in which they are written down."""
    for key in keys_of(kind):
        placed = Key((*above, *key.path), key.doc, key.expected, key.default, key.group, key.several)
        yield placed
        if key.group:
            yield from all_keys(key.group, (*placed.path, "[]") if key.several else placed.path)


@cache
def keys_of(kind: type) -> tuple[Key, ...]:
    """The keys of one settings class."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(
        _key(setting, hints[setting.name]) for setting in fields(kind) if "instead" not in setting.metadata
    )


def written(field: str) -> str:
    """The key of a field: `from_`, which Python would not take for a name otherwise, is `from`."""
    return field.removesuffix("_")


def field_of(key: str) -> str:
    """The other way round."""
    return f"{key}_" if iskeyword(key) else key


def instead_of(kind: type, name: str) -> str:
    """The key that sets what this name would, if it is none itself; empty for any other name."""
    return next((str(each.metadata.get("instead", "")) for each in fields(kind) if each.name == name), "")


def _key(setting: Field[Any], hint: Any) -> Key:
    inner, several = _unwrapped(hint)
    group = inner if isinstance(inner, type) and is_dataclass(inner) else None
    default = setting.default if setting.default is not MISSING else MISSING
    return Key(
        (written(setting.name),), doc_of(setting), _expected(inner, several, group), default, group, several
    )


def _unwrapped(hint: Any) -> tuple[Any, bool]:
    """The type without "or none", and of a list its items' type."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    return hint, False


_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _expected(inner: Any, several: bool, group: type | None) -> str:
    if group:
        return "a list of these" if several else "these keys"
    if get_origin(inner) is Annotated:
        written = next((mark for mark in inner.__metadata__ if isinstance(mark, Written)), None)
        word = written.like if written else _WORDS.get(inner.__origin__, "a value")
    elif get_origin(inner) is Literal:
        word = "one of " + ", ".join(map(str, get_args(inner)))
    else:
        word = _WORDS.get(inner, "keys and values")
    return f"a list: {word}" if several else word
