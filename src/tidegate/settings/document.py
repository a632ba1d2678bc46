"""A YAML document as plain values that still know their lines. The one door to ruamel.yaml."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tidegate.model.errors import UsageError
from tidegate.model.text import clip

LARGEST = 1 << 20
"""Bytes of a configuration file at most."""
MOST_VALUES = 100_000
"""Values in it at most, aliases (`*name`) written out."""

Path_ = tuple[str | int, ...]
"""Where a value stands: keys and places in lists, from the top."""


@dataclass(frozen=True)
class Document:
    """Values of a file; `name` is what messages call it."""

    name: str
    values: dict[str, Any]
    nodes: Any = None
    """What ruamel made of it, with lines."""
    variables: Mapping[Path_, str] = field(default_factory=dict)
    """The variables of the environment that set something, by its path."""
    strays: tuple[tuple[Path_, str], ...] = ()
    """Variables that set nothing, each with what is said of it."""

    def place(self, path: Path_) -> str:
        """ "tidegate.yml:12": the line of what stands at the path, or of the nearest thing around it.

        The variable's name where the environment has set it.
        """
        for length in range(len(path), 0, -1):
            if variable := self.variables.get(path[:length]):
                return variable
        line = self.line(path)
        return f"{self.name}:{line}" if line else self.name

    def line(self, path: Path_) -> int | None:
        """The line, counted from 1."""
        node: Any = self.nodes
        line: int | None = None
        for key in path:
            try:
                position = node.lc.item(key) if isinstance(key, int) else node.lc.key(key)
                line, node = position[0] + 1, node[key]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
        return line


def read_document(path: Path) -> Document:
    """Reads a file; raises UsageError that says what is wrong and in which line."""
    try:
        if path.is_fifo():  # it would be waited for who writes to it
            raise UsageError(f"{path}: not a file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: larger than 1 MiB, no configuration")
    try:
        return parse_document(data.decode(), str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not text in UTF-8") from None


def parse_document(text: str, name: str) -> Document:
    """Parses YAML 1.2; raises UsageError that says what is wrong and in which line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        nodes = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark else name
        said = " ".join(str(error.problem or error.context or "no YAML").split())
        raise UsageError(f"{place}: {_in_our_words(clip(said, 200))}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: no YAML: {clip(' '.join(str(error).split()), 200)}") from None
    except (AttributeError, KeyError, TypeError):  # a merge (<<) of what is not whole yet
        raise UsageError(f"{name}: no YAML that can be read; see what refers to itself") from None
    if nodes is None:
        nodes = {}
    if not isinstance(nodes, Mapping):
        raise UsageError(f"{name}: settings are written as `key: value`, this is a {_kind(nodes)}")
    try:
        return Document(name, _plain(nodes), nodes)
    except _TooMuch:
        raise UsageError(f"{name}: more than {MOST_VALUES} values, aliases written out") from None


def _in_our_words(said: str) -> str:
    """What the reader of YAML says, as somebody would say it who sees the file."""
    if twice := re.match(r'found duplicate key "([^"]*)"', said):
        return f'"{twice[1]}" is there twice in one group; keep one'
    if "'\\t'" in said:
        return "there is a tab; YAML is indented by spaces"
    if said.startswith("mapping values are not allowed"):
        return (
            "a key is not expected here: indent keys of one group alike, begin items of a list with -, "
            "and quote a text that holds a colon and a space"
        )
    return said


def parse_value(text: str) -> Any:
    """One value as YAML reads it; the text itself where it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return _plain(YAML(typ="safe", pure=True).load(text))
    except (YAMLError, ValueError, RecursionError, AttributeError, KeyError, TypeError, _TooMuch):
        return text


class _TooMuch(Exception):
    """Aliases of aliases."""


def _plain(node: Any, counter: Iterator[int] | None = None) -> Any:
    """Dictionaries, lists and scalars of Python's own; raises _TooMuch for more than MOST_VALUES."""
    counter = counter or count()
    if next(counter) > MOST_VALUES:
        raise _TooMuch
    if isinstance(node, Mapping):
        return {str(key): _plain(value, counter) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, counter) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _kind(node: Any) -> str:
    return "list" if isinstance(node, list) else "single value"
