"""What can go wrong, in one line that says what to do; and the exit code it gives."""

from collections.abc import Iterator
from contextlib import contextmanager

from tidegate import _core


class TidegateError(Exception):
    """Base of every error a user can mend. Its text is one line."""

    exit_code = 1


class UsageError(TidegateError, ValueError):
    """Asked for something that does not exist or does not parse: a filter, table, option, setting or SQL.

    A ValueError too, so that the reader of the configuration can say where it stands.
    """

    exit_code = 2


class CaptureError(TidegateError):
    """A file or interface that cannot be opened, read or written."""


class StoreError(TidegateError):
    """A store that cannot be opened, read or written."""


@contextmanager
def from_core() -> Iterator[None]:
    """Maps the core's errors to ours at the border."""
    try:
        yield
    except _core.UsageError as error:
        raise UsageError(str(error)) from None
    except _core.CoreError as error:
        raise CaptureError(str(error)) from None
