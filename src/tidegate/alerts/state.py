"""The file alerts are remembered in: JSON beside the store, written whole or not at all, one writer."""

import fcntl
import json
import logging
import os
from pathlib import Path

from tidegate.alerts.ledger import BrokenStateError, Ledger, from_json
from tidegate.model.errors import StoreError
from tidegate.store.layout import write_durably

NAME = "alerts.json"
LARGEST = 256 << 20
"""Bytes of a state file at most; ours are far smaller."""

_log = logging.getLogger("tidegate.alerts")


class BusyError(StoreError):
    """Another process has the state."""


class StateFile:
    """Holds the file from creation to close(); only its holder writes."""

    def __init__(self, path: Path) -> None:
        """Takes the lock; raises StoreError naming the process that has it."""
        self.path = path
        try:
            self._lock = _locked(path.with_name(path.name + ".lock"))
        except OSError as error:
            raise StoreError(f"{path}: alerts cannot be remembered here: {error.strerror}") from None
        self.failures = 0
        """Times it could not be written."""

    def load(self) -> Ledger:
        """What was remembered. A file that is damaged is set aside, and said."""
        try:
            return self._load()
        except BaseException:
            self.close()  # who tries again must not meet our own lock
            raise

    def _load(self) -> Ledger:
        try:
            return read_state(self.path)
        except BrokenStateError as error:
            aside = self.path.with_name(self.path.name + ".broken")
            _log.warning("%s; it is kept as %s, alerts begin anew", error, aside)
            self.path.replace(aside)
            return Ledger()

    def save(self, ledger: Ledger) -> bool:
        """Writes it down; False, counted and said once, if the disk does not take it."""
        try:
            self._write(ledger)
        except OSError as error:
            if not self.failures:
                _log.warning("%s: alerts are not remembered over a restart: %s", self.path, error.strerror)
            self.failures += 1
            return False
        return True

    def must_save(self, ledger: Ledger) -> None:
        """Writes it down; raises StoreError if the disk does not take it."""
        try:
            self._write(ledger)
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from None

    def _write(self, ledger: Ledger) -> None:
        write_durably(self.path, json.dumps(ledger.to_json(), ensure_ascii=True) + "\n")
        _give_away(self.path)

    def close(self) -> None:
        """Lets another process in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def read_state(path: Path) -> Ledger:
    """What is remembered there; an empty one if there is nothing. Raises BrokenStateError or StoreError."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise StoreError(f"{path}: not a file")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from None
    try:
        if len(text) > LARGEST:
            raise BrokenStateError("is too large")
        return from_json(json.loads(text))
    except BrokenStateError as error:
        raise BrokenStateError(f"{path} {error}") from None
    except (ValueError, RecursionError):
        raise BrokenStateError(f"{path} is no JSON") from None


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise BusyError(f"{path.parent}: process {holder} is watching over its alerts") from None
    _give_away(path)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _give_away(path: Path) -> None:
    """What root makes belongs to whom the directory belongs to, or the worker could not open it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
