"""Gives up what rights there are, but for a helper that keeps the few that are needed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidegate.helper.outlets import Outlets
from tidegate.model.errors import UsageError

if TYPE_CHECKING:
    from tidegate.helper.launch import Separated
    from tidegate.helper.records import RecordSource


@contextmanager
def separate(
    user: str | None = None,
    outlets: Outlets | None = None,
    records: "Callable[[], RecordSource] | None" = None,
    steers: bool = False,
) -> "Iterator[Separated | None]":
    """Splits this process: a helper keeps the rights, we keep none. None where there are none to keep.

    Call it before any thread is started; it cannot be undone. `user` is who we become (SUDO_UID unless
    named), `outlets` are handed to that user, `records` opens the helper's source of process records, when
    `helper.records()` asks for it, `steers` lets a relay's ports be steered. Raises UsageError or StoreError.
    """
    if not _may_separate():
        if user:
            raise UsageError("only root, on Linux, can run as another user")
        yield None
        return
    from tidegate.helper import launch

    separated = launch.separate(user, outlets or Outlets(), records, steers)
    try:
        yield separated
    finally:
        separated.helper.close()


def _may_separate() -> bool:
    if sys.platform != "linux":
        return False
    from tidegate.helper import capabilities

    return capabilities.NET_RAW in capabilities.held()
