"""A report as files: all of them, or none and a line that says why."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from itertools import count
from pathlib import Path

from tidegate.model.document import Document
from tidegate.model.errors import TidegateError

PAGE, TEXT = "report.html", "report.txt"
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def write(document: Document, folder: Path) -> Path:
    """Writes page, text, pictures and sheets into the folder; the page's path. Raises TidegateError.

    A folder that is not there yet comes with all of them or not at all. In one that is, each is written
    beside its place first, so that a full disk leaves what was there before as it was.
    """
    if not os.path.lexists(folder):
        return _anew(document, folder, iter([folder]))
    with _one_line(folder):
        return _into(document, folder)


def write_named(document: Document, place: Path) -> Path:
    """The same into a new folder in this place, called by report and window; nothing is overwritten."""
    name = name_of(document)
    names = (place / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return _anew(document, place / name, names)


def name_of(document: Document) -> str:
    """ "web-2026-11-20" of a day (the last one, if there are several), else with the time it ends at."""
    end = document.end
    if end.time() == time():
        return f"{document.name}-{(end.replace(tzinfo=None) - timedelta(days=1)):%Y-%m-%d}"
    return f"{document.name}-{end:%Y-%m-%d-%H%M}{f'{end:%S}' if end.second else ''}"


def _anew(document: Document, folder: Path, names: Iterator[Path]) -> Path:
    """Writes it beside its place, and gives it the first of these names that nobody has."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    with _one_line(folder):
        try:
            shutil.rmtree(beside, ignore_errors=True)  # in a container the one that was killed had our number
            beside.mkdir(parents=True)
            for name, content in _files(document):
                _write(beside / name, content)
            for path in names:
                if not os.path.lexists(path) and _renamed(beside, path):
                    return path / PAGE
            return _into(document, folder)  # somebody made it meanwhile
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _renamed(beside: Path, path: Path) -> bool:
    try:
        beside.rename(path)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def _into(document: Document, folder: Path) -> Path:
    beside: list[tuple[Path, Path]] = []
    try:
        for name, content in _files(document):
            temporary = folder / f".{name}.{os.getpid()}.tmp"
            beside.append((temporary, folder / name))
            _write(temporary, content)
        for temporary, path in beside:
            temporary.replace(path)
    finally:
        for temporary, _ in beside:
            try:
                temporary.unlink(missing_ok=True)
            except OSError:
                continue
    return folder / PAGE


@contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TidegateError(f"{folder}: the report could not be written: {reason}") from None


def _files(document: Document) -> Iterator[tuple[str, bytes]]:
    for sheet in document.sheets:
        yield sheet.name, sheet.csv
    for picture in document.pictures:
        yield picture.name, picture.png
    yield TEXT, document.text.encode("utf-8", "backslashreplace")
    yield PAGE, document.standalone().encode("utf-8", "backslashreplace")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
