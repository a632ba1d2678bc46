"""One writer per store."""

import fcntl
import os
import time
from types import TracebackType
from typing import Self

from tidegate.model.errors import StoreError
from tidegate.store.layout import Layout

PAUSE = 0.05
"""Seconds after which a lock that is held is tried once more: it may have been one that only looked."""


def is_written(layout: Layout) -> bool:
    """Whether somebody holds the store as its writer, also if nothing comes; yes where we may not look."""
    try:
        fd = os.open(layout.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


class StoreLock:
    """Held from creation to close(); the kernel lets go of it when the process dies."""

    def __init__(self, layout: Layout) -> None:
        """Takes the lock; raises StoreError naming the process that holds it."""
        self._fd = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            self._take()
        except BlockingIOError:
            holder = os.read(self._fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreError(
                f"{layout.root}: process {holder} is writing to this store; "
                "choose another with --store, or --no-store"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def _take(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Lets another writer in. The file stays, or two could hold locks on different files."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
