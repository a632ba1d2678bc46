"""One writer per store."""

import fcntl
import os
from types import TracebackType
from typing import Self

from tidegate.model.errors import StoreError
from tidegate.store.layout import Layout


class StoreLock:
    """Held from creation to close(); the kernel lets go of it when the process dies."""

    def __init__(self, layout: Layout) -> None:
        """Takes the lock; raises StoreError naming the process that holds it."""
        self._fd = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreError(
                f"{layout.root}: process {holder} is writing to this store; "
                "choose another with --store, or --no-store"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

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
