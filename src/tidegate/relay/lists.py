"""Files of addresses and networks, one a line; read again when they change."""

import logging
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tidegate.model.ends import parse_network
from tidegate.model.errors import UsageError
from tidegate.model.text import clip, safe_text

LARGEST = 64 << 20
"""Bytes of a file at most."""
MOST = 1_000_000
"""Networks of a file at most."""

_log = logging.getLogger("tidegate")

_Signature = tuple[int, int, int] | None
"""Inode, size and time of change; None while there is no file."""


def read_list(path: Path) -> tuple[str, ...]:
    """The networks of a file, each once; raises UsageError with file and line."""
    data = _bytes_of(path)
    if len(data) > LARGEST:
        raise UsageError(f"{path}: larger than {LARGEST >> 20} MiB, no list")
    networks: dict[str, None] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        said = line.partition(b"#")[0].strip()
        if not said:
            continue
        try:
            networks[parse_network(said.decode())] = None
        except UnicodeDecodeError:
            raise UsageError(f"{path}:{number}: not text in UTF-8") from None
        except UsageError as error:
            raise UsageError(f"{path}:{number}: {error}") from None
        if len(networks) > MOST:
            raise UsageError(f"{path}:{number}: more than {MOST:,} networks")
    return tuple(networks)


def _bytes_of(path: Path) -> bytes:
    """LARGEST + 1 bytes at most; never waits: opening a pipe would, for ever, and no signal would end it."""
    if "\0" in str(path):
        raise UsageError(f"{str(path)!r} is no path: it has a NUL byte")
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{path}: no regular file")
            return file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


class Lists:
    """The files of a configuration. A version that is wrong, or gone, leaves the one before in force."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Reads them; raises UsageError for one that cannot be read or is wrong."""
        files = [Path(path) for path in dict.fromkeys(paths)]
        self._signatures: dict[Path, _Signature] = {path: _signature(path) for path in files}
        self._networks = {path: read_list(path) for path in files}
        self._wrong: dict[Path, str] = {}

    def networks(self) -> dict[str, tuple[str, ...]]:
        """What each file says."""
        return {str(path): networks for path, networks in self._networks.items()}

    @property
    def errors(self) -> list[str]:
        """Why files are not in force as they stand on disk."""
        return list(self._wrong.values())

    def look(self) -> bool:
        """Reads what has changed; whether any file says something else than before."""
        changed = False
        for path, before in list(self._signatures.items()):
            now = _signature(path)
            if now != before:
                self._signatures[path] = now
                changed |= self._read(path)
        return changed

    def _read(self, path: Path) -> bool:
        try:
            networks = read_list(path)
        except UsageError as error:
            self._wrong[path] = safe_text(clip(str(error), 300))
            _log.warning("%s; the %d networks of before stay in force", self._wrong[path], self._count(path))
            return False
        self._wrong.pop(path, None)
        if networks == self._networks[path]:
            return False
        self._networks[path] = networks
        _log.info("%s: read again, %d networks", safe_text(str(path)), len(networks))
        return True

    def _count(self, path: Path) -> int:
        return len(self._networks[path])


def _signature(path: Path) -> _Signature:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
