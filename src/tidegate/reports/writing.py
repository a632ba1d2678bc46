"""A report as files: all of them, or none and a line that says why."""

import os
from collections.abc import Iterator
from pathlib import Path

from tidegate.model.document import Document
from tidegate.model.errors import TidegateError

PAGE, TEXT = "report.html", "report.txt"


def write(document: Document, folder: Path) -> Path:
    """Writes page, text, pictures and sheets into the folder; the page's path. Raises TidegateError.

    Each is written beside its place first, so that a full disk leaves what was there before as it was.
    """
    beside: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _files(document):
            path = folder / name
            temporary = folder / f".{name}.{os.getpid()}.tmp"
            beside.append((temporary, path))
            _write(temporary, content)
        for temporary, path in beside:
            temporary.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TidegateError(f"{folder}: the report could not be written: {reason}") from None
    finally:
        for temporary, _ in beside:
            try:
                temporary.unlink(missing_ok=True)
            except OSError:
                continue
    return folder / PAGE


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
