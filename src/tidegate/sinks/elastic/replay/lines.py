"""Lines of a log, plain or compressed by gzip, with where they end; what is too long is passed over."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.model.errors import CaptureError

LONGEST = 16 << 20
"""Bytes of a line at most."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Line:
    """A line without its end; `end` is where the next one begins, in bytes of what is not compressed."""

    text: bytes
    end: int
    too_long: bool = False


class LogReader:
    """An open log."""

    def __init__(self, name: str, file: BinaryIO, raw: BinaryIO, size: int | None) -> None:
        self._name = name
        self._file = file
        self._raw = raw
        self.size = size
        """Bytes of the file as it lies on disk; None where nobody knows."""

    @property
    def position(self) -> int:
        """Bytes read so far, of the file as it lies on disk."""
        return self._raw.tell() if self.size is not None else 0

    def first(self) -> bytes:
        """The first line, or as much of it as says which log it is; only before anything else."""
        with self._told():
            line = self._file.readline(1 << 16)
            if self.size is not None:
                self._file.seek(0)
            return line

    def lines(self, start: int) -> Iterator[Line]:
        """Lines from a place on; raises CaptureError where the file ends too early."""
        with self._told():
            if start:
                self._file.seek(start)
        at = start
        while True:
            with self._told():
                text = self._file.readline(LONGEST)
                at += len(text)
                too_long = len(text) == LONGEST and not text.endswith(b"\n")
                part = text
                while too_long and part and not part.endswith(b"\n"):
                    part = self._file.readline(LONGEST)
                    at += len(part)
            if not text:
                return
            yield Line(b"" if too_long else text.rstrip(b"\r\n"), at, too_long)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except EOFError:
            raise CaptureError(f"{self._name}: ends early; what was whole is sent") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise CaptureError(f"{self._name}: broken: {error}; what came before is sent") from None


@contextmanager
def open_log(name: str) -> Iterator[LogReader]:
    """A log by its path; "-" is standard input. Raises CaptureError, OSError."""
    if name == "-":
        raw = cast(BufferedReader, sys.stdin.buffer)
        yield LogReader(name, _plain(raw), raw, None)
        return
    path = Path(name)
    if path.is_dir():
        raise CaptureError(f"{name}: is a directory; name the files in it")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise CaptureError(f"{name}: no such file") from None
    with file:
        regular = path.is_file()
        yield LogReader(name, _plain(file), file, path.stat().st_size if regular else None)


def _plain(raw: BufferedReader) -> BinaryIO:
    """Without compression, if there is any."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if raw.peek(2)[:2] == _GZIP else raw
