"""A `logger:` section is looked through without opening anything; what passes works."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tidegate.sinks.logger import LoggerSink
from tidegate.sinks.logger_check import mistakes

OUT = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "level": "DEBUG", "formatter": "f"}
TURNED = {"class": "logging.handlers.RotatingFileHandler", "filename": "x.log", "maxBytes": 5, "delay": True}
RIGHT: dict[str, Any] = {
    "version": 1,
    "formatters": {
        "f": {"format": "%(asctime)s%(message)s", "datefmt": "%H"},
        "g": {"()": "logging.Formatter"},
    },
    "filters": {"one": {"name": "tidegate"}},
    "handlers": {
        "out": OUT,
        "none": {"()": "logging.NullHandler", "filters": ["one"]},
        "turned": TURNED,
    },
    "root": {"level": "INFO", "handlers": ["out", "none"]},
}


def said(**changes: Any) -> list[str]:
    return [".".join([*map(str, error.key), error.text]) for error in mistakes({**RIGHT, **changes})]


def handler(**keys: Any) -> list[str]:
    found = said(handlers={**RIGHT["handlers"], "h": keys})
    return [line.removeprefix("handlers.h.") for line in found]


def test_what_is_right_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said() == []
    assert list(tmp_path.iterdir()) == []
    LoggerSink(RIGHT).close()


def test_what_is_wrong_with_the_whole() -> None:
    assert said(handlrs={}) == ['handlrs.there is no "handlrs"; did you mean "handlers"?']
    assert said(version=2) == ["version.version: 1 is needed, as Python's logging has it"]
    assert said(per="packet") == ['per."connection" or "segment" is expected, not \'packet\'']
    assert said(filter="prg:x") == ['filter.filter: there is no field "prg"; did you mean "prog"?']
    assert "looks at status" in said(filter="status:1", per="segment")[0]
    assert said(handlers=[]) == ["handlers.names are expected, each with what it is made of"]
    assert said(incremental=True)
    assert said(root=None) == [
        "no handlers for the rows; give root, or tidegate.rows under loggers, some handlers"
    ]
    assert said(root=None, loggers={"tidegate.rows": {"handlers": ["out"]}}) == []
    assert said(root={"handlers": ["ot"], "levle": 1}) == [
        'root.levle.there is no "levle"; did you mean "level"?',
        'root.handlers.there is no handler "ot" in this section; did you mean "out"?',
    ]


def test_what_is_wrong_with_a_handler(tmp_path: Path) -> None:
    assert "cannot be imported: No module named 'nope'" in handler(**{"class": "nope.Handler"})[0]
    assert handler(**{"class": "logging.NOTSET"}) == ["class.a class or a function is expected, not 0"]
    assert handler(level="INF") == [
        "level.'INF' is no level; did you mean \"INFO\"?",
        'a handler needs "class", such as logging.handlers.SysLogHandler',
    ]
    wrong = {"class": "logging.FileHandler", "filname": "x", "formatter": "ff", "filters": ["two"]}
    assert handler(**wrong) == [
        'filters.there is no filter "two" in this section; there are one',
        'formatter.there is no formatter "ff" in this section; did you mean "f"?',
        'filname.FileHandler takes no "filname"; did you mean "filename"?',
        'FileHandler needs "filename"',
    ]
    gone = handler(**{"class": "logging.FileHandler", "filename": str(tmp_path / "no" / "x")})
    assert gone == [f"filename.its directory is not there: mkdir -p {tmp_path}/no"]


def test_what_is_wrong_with_a_formatter() -> None:
    assert said(formatters={"f": {"fromat": "x"}}) == [
        'formatters.f.fromat.there is no "fromat"; did you mean "format"?'
    ]
    assert "formatters.f.format.Invalid format" in said(formatters={"f": {"format": "%(x"}})[0]
    assert said(formatters={"f": 5}) == ["formatters.f.a group of keys is expected, not 5"]


def test_a_module_that_fails_to_be_imported_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brokenhandlers.py").write_text("def (:\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = threading.active_count()
    [line] = handler(**{"class": "brokenhandlers.Handler"})
    assert "cannot be imported: invalid syntax" in line
    assert threading.active_count() == before
