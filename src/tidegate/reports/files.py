"""Files of reports: those that are shipped, and a user's own, which come first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.text import clip, meant, one_line, safe_text
from tidegate.model.units import parse_size
from tidegate.queries.questions import find_question
from tidegate.reports.definition import PICTURES, Report, Section
from tidegate.reports.window import parse_window
from tidegate.settings.document import Document, parse_document, read_document

SHIPPED = ("overnight", "pings", "web", "relay", "quota")
MOST_SECTIONS = 30
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_"


def find_report(name: str, folders: Sequence[Path]) -> Report:
    """The report of that name, or in that file; raises UsageError for one that is not there or is wrong."""
    if name.endswith((".yml", ".yaml")):
        return parse_report(Path(name).stem.lower(), read_document(Path(name)))
    if file := _own_file(name, folders):
        return parse_report(name, read_document(file))
    if name in SHIPPED:
        return parse_report(name, parse_document(shipped(name), f"{name}.yml"))
    raise UsageError(f'there is no report "{one_line(name, 40)}"{meant(name, names(folders))}')


def shipped(name: str) -> str:
    """The text of a shipped report's file."""
    return (files("tidegate.reports") / "shipped" / f"{name}.yml").read_text("utf-8")


def text_of(name: str, folders: Sequence[Path]) -> str:
    """The text of the file of that report, to be copied; raises UsageError."""
    if file := _own_file(name, folders):
        try:
            return file.read_text("utf-8", "replace")
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror or error}") from None
    if name not in SHIPPED:
        raise UsageError(f'there is no report "{one_line(name, 40)}"{meant(name, names(folders))}')
    return shipped(name)


def is_own(name: str, folders: Sequence[Path]) -> bool:
    """Whether that report is a user's own, and not one that is shipped."""
    return name not in SHIPPED or _own_file(name, folders) is not None


def names(folders: Sequence[Path]) -> list[str]:
    """Every report there is."""
    return list(dict.fromkeys([*SHIPPED, *_own(folders)]))


def _own(folders: Sequence[Path]) -> Iterator[str]:
    for folder in folders:
        try:
            found = [file for file in folder.glob("*.yml") if _is_name(file.stem) and file.is_file()]
            yield from sorted(file.stem for file in found)
        except OSError:
            continue


def _own_file(name: str, folders: Sequence[Path]) -> Path | None:
    """A user's own report of that name; what may not be looked at is not there."""
    for folder in folders if _is_name(name) else ():
        try:
            if (file := folder / f"{name}.yml").is_file():
                return file
        except PermissionError:
            continue
    return None


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= 60 and set(text) <= set(_NAME)


def parse_report(name: str, document: Document) -> Report:
    """The report that a file describes; raises UsageError that names the line."""
    if not _is_name(name):
        raise UsageError(f'"{clip(name, 40)}" is no name of a report: small letters, digits, - and _')
    given = _Given(document, document.values, ())
    given.only("title", "window", "filter", "figures", "sections", "reset_day", "limit")
    sections = document.values.get("sections")
    if not isinstance(sections, list) or not 0 < len(sections) <= MOST_SECTIONS:
        raise UsageError(
            f"{document.place(('sections',))}: a list of 1 to {MOST_SECTIONS} sections is needed"
        )
    reset_day = given.count("reset_day", 0)
    if reset_day > 31:
        raise given.wrong("reset_day", "a day from 1 to 31 is needed")
    limit = str(document.values.get("limit", "0"))
    return Report(
        name=name,
        title=safe_text(given.text("title", name)),
        window=given.tried("window", _check_window, given.text("window", "last 24h")),
        sections=tuple(_section(document, number, each) for number, each in enumerate(sections)),
        filter=given.tried("filter", parse_filter),
        figures=given.text("figures"),
        reset_day=reset_day,
        limit=parse_size(limit) if given.tried("limit", parse_size, limit) else 0,
    )


def _check_window(text: str) -> None:
    """Raises UsageError for words that never mean a window, whatever the clock says now."""
    parse_window(text, datetime(2200, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


def _section(document: Document, number: int, values: Any) -> Section:
    if not isinstance(values, Mapping):
        raise UsageError(f"{document.place(('sections', number))}: a section is written as `key: value`")
    given = _Given(document, values, ("sections", number))
    given.only(*Section.__dataclass_fields__)
    question, sql, picture = given.text("question"), given.text("sql"), given.text("picture", "none")
    if bool(question) == bool(sql):
        raise given.wrong("question" if question else "title", "a section needs question or sql, one of them")
    if question:
        given.tried("question", find_question)
    if picture not in PICTURES:
        raise given.wrong("picture", f"one of {', '.join(PICTURES)} is expected")
    section = Section(
        title=one_line(given.text("title", question or "Answer"), 100),
        question=question,
        sql=sql,
        about=safe_text(given.text("about")),
        set=given.values_of("set"),
        columns=given.list("columns"),
        rows=given.count("rows", 10),
        picture=next(kind for kind in PICTURES if kind == picture),
        key=given.list("key"),
        value=given.text("value"),
        label=given.list("label"),
        also=given.list("also"),
        compare=given.flag("compare", True),
        without_own=given.flag("without_own", False),
        none=safe_text(given.text("none")),
    )
    if section.picture == "bars" and not (section.key and section.value):
        raise given.wrong("picture", "bars need key and value")
    if section.picture in ("time", "month") and not section.value:
        raise given.wrong("picture", f"{section.picture} needs value")
    return section


class _Given:
    """What stands at a place of a file, and the line of what is wrong there."""

    def __init__(self, document: Document, values: Mapping[str, Any], above: tuple[str | int, ...]) -> None:
        self._document = document
        self._values = values
        self._above = above

    def wrong(self, key: str, text: str) -> UsageError:
        return UsageError(f"{self._document.place((*self._above, key))}: {key}: {text}")

    def only(self, *known: str) -> None:
        for key in self._values:
            if key not in known:
                hint = meant(key, known)
                raise UsageError(
                    f'{self._document.place((*self._above, key))}: unknown key "{clip(key, 40)}"{hint}'
                )

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        if isinstance(value, list | Mapping) or len(str(value)) > 10_000:
            raise self.wrong(key, "text is expected")
        return default if value is None else str(value).strip()

    def list(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key) or ()
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, Mapping) or not hasattr(value, "__iter__"):
            raise self.wrong(key, "a list of texts is expected")
        return tuple(map(str, value))

    def count(self, key: str, default: int) -> int:
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000:
            raise self.wrong(key, "a whole number up to 10,000 is expected")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false is expected")
        return value

    def values_of(self, key: str) -> dict[str, str | int]:
        value = self._values.get(key) or {}
        if not isinstance(value, Mapping) or not all(isinstance(each, str | int) for each in value.values()):
            raise self.wrong(key, "a group of names and values is expected")
        return {str(name): each for name, each in value.items()}

    def tried(self, key: str, attempt: Any, text: str | None = None) -> str:
        """The text, once the attempt to use it has said nothing."""
        text = self.text(key) if text is None else text
        try:
            attempt(text)
        except UsageError as error:
            raise self.wrong(key, safe_text(str(error))) from None
        return text
