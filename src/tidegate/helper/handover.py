"""Hands directories over to the worker's user, while we still may.

Their former owner may be a user who is not trusted with root's rights: nothing is followed out of a
directory, and a file that has a second name elsewhere is left alone.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.helper.identity import Identity
from tidegate.model.errors import StoreError, UsageError

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_READABLE_BY_GROUP = 0o750


def prepare_store(root: Path, identity: Identity) -> None:
    """Makes the store's directory if there is none, and gives all of the store to the user.

    A directory that holds anything but a store is left as it is. Raises StoreError.
    """
    try:
        _make(root, identity)
        if _is_store(root):
            with _unless_written(root) as free:
                if free:
                    _give(root, identity)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{root}: {reason}; choose another directory with --store") from None


def prepare_folder(folder: Path, identity: Identity) -> None:
    """Makes a directory for the user if there is none."""
    try:
        _make(folder, identity)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from None


def check_writable(path: Path, identity: Identity) -> None:
    """Raises UsageError if the user we are now cannot write this file, or make it. Call after the drop."""
    try:
        place, writable = _writable(path)
    except PermissionError:  # not even seen
        place, writable = path, False
    if not writable:
        who = "root without its capabilities" if identity.is_root else identity.name
        raise UsageError(
            f"{place}: not writable for {who}, as whom tidegate runs; choose another place, or --user NAME"
        )


def _writable(path: Path) -> tuple[Path, bool]:
    """The file, or else the directory that it would be in, and whether we may write there."""
    if path.is_fifo() or path.is_char_device():
        return path, True
    # A socket that was left there is removed and made anew.
    place = path if path.exists() and not path.is_socket() else path.absolute().parent
    return place, os.access(place, os.W_OK | (os.X_OK if place.is_dir() else 0))


def _make(folder: Path, identity: Identity) -> None:
    missing = [path for path in (folder.absolute(), *folder.absolute().parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=_READABLE_BY_GROUP)
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _is_store(root: Path) -> bool:
    return (root / "VERSION").is_file() or not any(root.iterdir())


@contextmanager
def _unless_written(root: Path) -> Iterator[bool]:
    """False if somebody writes to the store, whose files stay theirs then."""
    try:
        lock = os.open(root / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _give(root: Path, identity: Identity) -> None:
    device = root.stat().st_dev
    for _folder, folders, files, folder in os.fwalk(root, follow_symlinks=False):
        if os.fstat(folder).st_dev != device:
            folders.clear()
            continue
        _give_one(folder, identity)
        for name in files:
            _give_file(name, folder, identity)


def _give_file(name: str, folder: int, identity: Identity) -> None:
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except OSError:  # a link, or gone
        return
    try:
        _give_one(descriptor, identity)
    finally:
        os.close(descriptor)


def _give_one(descriptor: int, identity: Identity) -> None:
    found = os.fstat(descriptor)
    only = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
    if only and (found.st_uid, found.st_gid) != (identity.uid, identity.gid):
        os.fchown(descriptor, identity.uid, identity.gid)
