"""How a setting is written: a field with its default and a line of what it means."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field
from typing import Any

from tidegate.model.units import parse_duration, parse_size


@dataclass(frozen=True)
class Written:
    """Marks a number that people may write with a unit. Pydantic asks it how text becomes the number."""

    parse: Callable[[str], float]
    like: str
    """What is expected, for messages."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """The number's own schema, behind the parser of its text."""
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def _read(self, value: object) -> object:
        return self.parse(value) if isinstance(value, str) else value


DURATION = Written(parse_duration, "a duration: 90, 200s, 5m, 2h, 1d")
SIZE = Written(parse_size, "a size: 1000, 64K, 100M, 10G")


def option(default: Any, doc: str) -> Any:
    """A field with a default. `doc` is what `tidegate config explain` says of it."""
    if isinstance(default, list | dict | set):
        raise TypeError("settings never change: use a tuple")
    return field(default=default, metadata={"doc": doc})


def internal(default: Any, doc: str, instead: str) -> Any:
    """A field that the configuration sets by another key: `instead`."""
    return field(default=default, metadata={"doc": doc, "instead": instead})


def required(doc: str) -> Any:
    """A field that has to be given."""
    return field(metadata={"doc": doc})


def doc_of(setting: Field[Any]) -> str:
    """What it means."""
    return str(setting.metadata.get("doc", ""))
