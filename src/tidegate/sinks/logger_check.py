"""What is wrong with a `logger:` section, found without opening a handler: classes are imported, not called.

`logging.config.dictConfig` tells one mistake at a time, by words of its own, once files are open.
"""

import inspect
import logging
import logging.config
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tidegate.model.errors import SettingError, UsageError, tried
from tidegate.model.filter import parse_filter
from tidegate.model.text import clip, meant
from tidegate.sinks.choice import check_filter
from tidegate.sinks.conmon import SEGMENT_COLUMNS
from tidegate.sinks.format import check_columns

LOGGER = "tidegate.rows"
"""The logger that rows are given to."""

_PARTS = ("formatters", "filters", "handlers", "loggers")
_TOP = ("version", "root", *_PARTS, "disable_existing_loggers", "incremental", "per", "filter")
_PER = ("connection", "segment")

Found = Iterator[SettingError]
Section = Mapping[str, Any]


def mistakes(section: Section) -> Found:
    """Everything that is wrong, with its key."""
    for name in section:
        if name not in _TOP:
            yield SettingError(f'there is no "{clip(name, 40)}"{meant(name, _TOP)}', name)
    if section.get("version") != 1:
        yield SettingError("version: 1 is needed, as Python's logging has it", *_key(section, "version"))
    if section.get("incremental"):
        text = "incremental configurations change handlers that are there; there are none yet"
        yield SettingError(text, "incremental")
    yield from _ours(section)
    wrong = [name for name in _PARTS if not isinstance(section.get(name, {}), Mapping)]
    for name in wrong:
        yield SettingError("names are expected, each with what it is made of", name)
    if wrong:
        return
    for kind, check in (("formatters", _formatter), ("filters", _filter), ("handlers", _handler)):
        for name, made in section.get(kind, {}).items():
            for error in _group(made, check, section):
                yield SettingError(error.text, kind, name, *error.key)
    yield from _loggers(section)


def _ours(section: Section) -> Found:
    """The keys that Python's logging does not have."""
    per = section.get("per", "connection")
    if per not in _PER:
        yield SettingError(f'"connection" or "segment" is expected, not {clip(repr(per), 40)}', "per")
    columns = SEGMENT_COLUMNS if per == "segment" else check_columns("conn", ())
    text = str(section.get("filter") or "")
    yield from tried(lambda: check_filter(parse_filter(text), columns), "filter")


def _group(made: object, check: Callable[[Section, Section], Found], section: Section) -> Found:
    if isinstance(made, Mapping):
        yield from check(made, section)
    else:
        yield SettingError(f"a group of keys is expected, not {clip(repr(made), 40)}")


def _formatter(made: Section, _section: Section) -> Found:
    if "()" in made or "class" in made:
        yield from _class(made, "()" if "()" in made else "class", ("format", "datefmt", "style"))
        return
    for name in made:
        if name not in _FORMATTER:
            yield SettingError(f'there is no "{clip(name, 40)}"{meant(name, _FORMATTER)}', name)
    try:
        logging.Formatter(made.get("format"), made.get("datefmt"), made.get("style", "%"))
    except (ValueError, TypeError, AttributeError) as error:
        yield SettingError(str(error), *_key(made, "format"))


def _filter(made: Section, _section: Section) -> Found:
    if "()" in made:
        yield from _class(made, "()", ())


def _handler(made: Section, section: Section) -> Found:
    if "level" in made:
        yield from _level(made)
    for name in _texts(made, "filters"):
        yield from _known(name, section.get("filters", {}), "filter", "filters")
    if "formatter" in made:
        yield from _known(made["formatter"], section.get("formatters", {}), "formatter", "formatter")
    if "()" not in made and "class" not in made:
        yield SettingError('a handler needs "class", such as logging.handlers.SysLogHandler')
        return
    yield from _class(made, "()" if "()" in made else "class", ("level", "filters", "formatter"))
    if "filename" in made:
        yield from tried(lambda: _folder(Path(str(made["filename"]))), "filename")


def _loggers(section: Section) -> Found:
    """Who is given the rows, and whether all handlers they name are there."""
    loggers = section.get("loggers", {})
    named: list[tuple[tuple[str, ...], Any]] = [(("loggers", name), made) for name, made in loggers.items()]
    if section.get("root") is not None:
        named.append((("root",), section["root"]))
    elif LOGGER not in loggers:
        yield SettingError(f"no handlers for the rows; give root, or {LOGGER} under loggers, some handlers")
    for path, made in named:
        for error in _group(made, _logger, section):
            yield SettingError(error.text, *path, *error.key)


def _logger(made: Section, section: Section) -> Found:
    for name in made:
        if name not in _LOGGER:
            yield SettingError(f'there is no "{clip(name, 40)}"{meant(name, _LOGGER)}', name)
    if "level" in made:
        yield from _level(made)
    for name in _texts(made, "handlers"):
        yield from _known(name, section.get("handlers", {}), "handler", "handlers")
    for name in _texts(made, "filters"):
        yield from _known(name, section.get("filters", {}), "filter", "filters")


_FORMATTER = ("format", "datefmt", "style", "validate", "defaults", "class", "()")
_IMPORTING = (ValueError, TypeError, AttributeError, ImportError, LookupError, OSError, SyntaxError)
_LOGGER = ("level", "handlers", "filters", "propagate")


def _class(made: Section, key: str, not_arguments: tuple[str, ...]) -> Found:
    """Imports what is named, and holds the keys beside it against what it takes."""
    named = made[key]
    try:
        found = logging.config.BaseConfigurator({}).resolve(named) if isinstance(named, str) else named
    except _IMPORTING as error:
        why = error.__cause__ or error
        yield SettingError(f'"{clip(str(named), 60)}" cannot be imported: {why}', key)
        return
    if not callable(found):
        yield SettingError(f"a class or a function is expected, not {clip(repr(found), 60)}", key)
        return
    arguments = {name: value for name, value in made.items() if name not in (key, ".", *not_arguments)}
    if key == "class" and "format" in not_arguments:
        return  # the formatter's own keys are taken apart by dictConfig
    yield from _arguments(found, arguments)


def _arguments(found: Callable[..., object], arguments: Section) -> Found:
    try:
        signature = inspect.signature(found)
    except (ValueError, TypeError):  # something in C that does not say
        return
    parameters = signature.parameters.values()
    if not any(each.kind is each.VAR_KEYWORD for each in parameters):
        takes = [each.name for each in parameters if each.kind is not each.POSITIONAL_ONLY]
        for name in arguments:
            if name not in takes:
                hint = meant(name, takes)
                yield SettingError(f'{_called(found)} takes no "{clip(str(name), 40)}"{hint}', str(name))
    for each in parameters:
        named = each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        if named and each.default is each.empty and each.name not in arguments:
            yield SettingError(f'{_called(found)} needs "{each.name}"')


def _called(found: object) -> str:
    return str(getattr(found, "__name__", found))


def _level(made: Section) -> Found:
    levels = logging.getLevelNamesMapping()
    level = made["level"]
    if level not in levels and (isinstance(level, bool) or not isinstance(level, int)):
        hint = meant(str(level).upper(), levels)
        yield SettingError(f"{clip(repr(level), 40)} is no level{hint}", "level")


def _known(name: object, there: Section, what: str, key: str) -> Found:
    if name not in there:
        text = f'there is no {what} "{clip(str(name), 40)}" in this section{meant(str(name), there)}'
        yield SettingError(text, key)


def _texts(made: Section, key: str) -> list[str]:
    value = made.get(key, [])
    return value if isinstance(value, list) else [value]


def _key(section: Section, name: str) -> tuple[str, ...]:
    return (name,) if name in section else ()


def _folder(path: Path) -> None:
    if not path.absolute().parent.is_dir():
        raise UsageError(f"its directory is not there: mkdir -p {path.absolute().parent}")
