"""Settings from the environment: TIDEGATE_STORE__KEEP_AGE=7d is store.keep_age."""

import difflib
from collections.abc import Mapping
from typing import Any

from tidegate.settings.document import Document, Path_, parse_value
from tidegate.settings.keys import PREFIX, Key, all_keys

NOT_SETTINGS = frozenset({"TIDEGATE_CONFIG", "TIDEGATE_CAPTURES"})
"""Variables of ours that are no settings: the file's path, and a folder of the tests."""


def with_environment(document: Document, environment: Mapping[str, str]) -> Document:
    """The document with what the environment sets in place of what stands in it.

    Lists of groups and the logger section are written as YAML in one line; lists of texts as YAML, or with
    commas. Variables that set nothing are the document's `strays`.
    """
    known = {key.variable: key for key in all_keys() if key.variable}
    values: dict[str, Any] = dict(document.values)
    places: dict[Path_, str] = {}
    strays: list[tuple[Path_, str]] = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in known:
            near = difflib.get_close_matches(variable, known, 1)
            hint = f"did you mean {near[0]}?" if near else "see tidegate config explain"
            strays.append(((variable,), f"sets nothing; {hint}"))
            places[(variable,)] = f"environment: {variable}"
            continue
        key = known[variable]
        places[key.path] = variable
        values = _put(values, key.path, _value(environment[variable], key))
    return Document(document.name, values, document.nodes, places, tuple(strays))


def _value(text: str, key: Key) -> object:
    structured = key.group is not None or key.expected == "keys and values"
    written = text.strip()[:1] in ("[", "{") or structured or _is_scalar(text)
    return parse_value(text) if written else text


def _is_scalar(text: str) -> bool:
    return text in ("true", "false", "null") or text.replace(".", "", 1).isdigit()


def _put(values: Any, path: tuple[str, ...], value: object) -> dict[str, Any]:
    below = dict(values) if isinstance(values, Mapping) else {}
    below[path[0]] = _put(below.get(path[0]), path[1:], value) if len(path) > 1 else value
    return below
