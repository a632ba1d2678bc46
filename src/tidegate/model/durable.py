"""Small files that are there whole or not at all, after a power cut too; and locks between processes."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tidegate.model.errors import TidegateError

_SAFELY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Inherited by no program, through no link, byte for byte; where the system has such a thing."""


class BusyError(TidegateError):
    """Another process holds a lock."""


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes a file by way of another one beside it; raises OSError, and then nothing has changed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _SAFELY, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        give_away(beside)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def open_regular(path: Path) -> BinaryIO:
    """Opens a file to be read; follows no link, and waits for nobody who writes to a pipe. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | _SAFELY | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return os.fdopen(fd, "rb")
    os.close(fd)
    raise OSError(errno.EINVAL, "it is no file", str(path))


def remove(path: Path) -> None:
    """Removes a file for good; one that is gone is no mistake."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Forces a directory's names to disk, where the system can."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, AttributeError):  # Windows opens no directories
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Makes a directory, and those above it, if there is none; raises OSError."""
    missing = [each for each in (folder.absolute(), *folder.absolute().parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=mode, exist_ok=True)
        give_away(each)


def give_away(path: Path) -> None:
    """What root makes belongs to whom the directory belongs to: a worker without rights has to open it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = path.parent.stat()
        with suppress(PermissionError):  # root without the right to
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


class Lock:
    """Held from `take` to `free`; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def take(self, wait: bool = False) -> bool:
        """Takes it; False if another holds it, unless it is waited for. Raises OSError.

        Where there are no such locks (Windows), nobody holds it.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600)
        try:
            give_away(self._path)
            _flock(fd, wait)
        except BlockingIOError:
            os.close(fd)
            return False
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return True

    def free(self) -> None:
        """Lets go of it. The file stays, or two could hold locks on different files."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _flock(fd: int, wait: bool) -> None:
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        return
    flock(fd, LOCK_EX | (0 if wait else LOCK_NB))


@contextmanager
def locked(path: Path, busy: str = "", wait: bool = False) -> Iterator[None]:
    """Holds a lock; raises BusyError with `busy` where another does."""
    lock = Lock(path)
    if not lock.take(wait):
        raise BusyError(busy or f"{path}: another process holds it")
    try:
        yield
    finally:
        lock.free()
