"""How a setting is written: a field with its default and a line of what it means."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any

from tidegate.model.units import parse_duration, parse_size


@dataclass(frozen=True)
class Written:
    """Marks a number that people write with a unit; the reader of the configuration parses it."""

    parse: Callable[[str], float]
    like: str
    """What is expected, for messages."""


DURATION = Written(parse_duration, "a duration: 90, 200s, 5m, 2h, 1d")
SIZE = Written(parse_size, "a size: 1000, 64K, 100M, 10G")


def option(default: Any, doc: str) -> Any:
    """A field with a default. `doc` is what `tidegate config explain` says of it."""
    if isinstance(default, list | dict | set):
        raise TypeError("settings never change: use a tuple")
    return field(default=default, metadata={"doc": doc})


def required(doc: str) -> Any:
    """A field that has to be given."""
    return field(metadata={"doc": doc})


def doc_of(setting: Field[Any]) -> str:
    """What it means."""
    return str(setting.metadata.get("doc", ""))


def options_of(kind: type) -> tuple[Field[Any], ...]:
    """The fields of a settings class."""
    return fields(kind)
