"""What can go wrong, in one line that says what to do; and the exit code it gives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tidegate import _core

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


class TidegateError(Exception):
    """Base of every error a user can mend. Its text is one line."""

    exit_code = 1

    def lines(self) -> list[str]:
        """Everything it has to say; most errors are of one line."""
        return [str(self)]


class UsageError(TidegateError, ValueError):
    """Asked for something that does not exist or does not parse: a filter, table, option, setting or SQL.

    A ValueError too, so that the reader of the configuration can say where it stands.
    """

    exit_code = 2


class SettingError(UsageError):
    """A setting that cannot be used. `key` says where it stands, below what was looked at."""

    def __init__(self, text: str, *key: str | int, of: str = "") -> None:
        """`of` names what it is a setting of, for whoever does not know the key."""
        super().__init__(f"{of}: {text}" if of else text)
        self.text = text
        self.key = key


@contextmanager
def keyed(*key: str | int) -> Iterator[None]:
    """What is refused inside is about the setting at this key."""
    try:
        yield
    except SettingError as error:
        raise SettingError(error.text, *key, *error.key) from None
    except UsageError as error:
        raise SettingError(str(error), *key) from None


def tried(attempt: Callable[[], object], *key: str | int) -> Iterator[SettingError]:
    """What is wrong with the setting at the key, if the attempt to use it says something."""
    try:
        with keyed(*key):
            attempt()
    except SettingError as error:
        yield error


def tried_again(use: Callable[[S], object], settings: S, harmless: S) -> Iterator[SettingError]:
    """Everything that is wrong with a settings class whose use tells one mistake at a time.

    What was told is replaced by what stands in `harmless`.
    """
    told: set[str | int] = set()
    while True:
        errors = list(tried(partial(use, settings)))
        if not errors or (errors[0].key and errors[0].key[0] in told):
            return
        yield from errors
        if not errors[0].key:
            return
        name = str(errors[0].key[0])
        told.add(name)
        settings = replace(settings, **{name: getattr(harmless, name)})


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
