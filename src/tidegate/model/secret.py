"""Passwords and keys that stand in a file of their own, or in the environment."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from tidegate.model.errors import SettingError, UsageError, keyed

LONGEST = 1024

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd says where a unit's credentials lie."""

KEPT = Path("/etc/tidegate/credentials")
"""Where the service's lie before systemd hands them over: root, by hand, takes them from there."""


def secret_in(file: str, what: str, environment: Mapping[str, str]) -> str:
    """What a setting `..._file` leads to: a file, or ${CREDENTIALS_DIRECTORY}/NAME; raises UsageError."""
    before, variable, name = file.partition(f"${{{CREDENTIALS}}}/")
    if not variable or before:
        return read_secret(Path(file).expanduser(), what)
    if "/" in name or name in ("", ".", ".."):
        raise UsageError(f'"{name}" is no name of a credential')
    folder = environment.get(CREDENTIALS, "")
    if not folder:
        return _kept(name, what)
    # systemd hands them out itself: root's, readable by the unit's user by the group or an access list.
    return _read(Path(folder) / name, what, private=0o007, owned=False)


def _kept(name: str, what: str) -> str:
    """A credential of the service, for who is not run by systemd."""
    path = KEPT / name
    try:
        os.close(os.open(path, os.O_RDONLY | _AT_ONCE))
    except FileNotFoundError:
        raise UsageError(
            f"systemd gave no credentials, and {path} is not there: write the {what} into it"
        ) from None
    except PermissionError:
        raise UsageError(f"{path} is root's: use sudo; a unit needs: LoadCredential={name}:{path}") from None
    return read_secret(path, what)


def read_secret(path: Path, what: str = "password") -> str:
    """The first line of a file that nobody but its owner can read; raises UsageError."""
    return _read(path, what, private=0o077, owned=True)


def _read(path: Path, what: str, private: int, owned: bool) -> str:
    try:
        # A pipe, too, is opened without waiting for whoever writes to it.
        fd = os.open(path, os.O_RDONLY | _AT_ONCE)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path} is no file that could be read")
            text = os.read(fd, LONGEST + 1)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: {reason}") from None
    if status.st_mode & private:
        raise UsageError(f"others can read {path}; run: chmod 600 {path}")
    if owned and os.geteuid() not in (0, status.st_uid):
        raise UsageError(f"{path} belongs to somebody else")
    try:
        line = text.decode("utf-8-sig", "strict" if len(text) <= LONGEST else "replace").partition("\n")[0]
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not text in UTF-8") from None
    line = line.rstrip("\r")
    if "\0" in line:
        raise UsageError(f"{path}: there is a zero byte in the {what}")
    if not line or len(text) > LONGEST:
        raise UsageError(f"{path}: its first line should be the {what}")
    return line


def secret_of(key: str, text: str, file: str, environment: Mapping[str, str]) -> str:
    """What `key: ${VARIABLE}` or `key_file: PATH` says; empty where neither is given. Raises SettingError."""
    if text and file:
        raise SettingError(f"give {key} or {key}_file, not both", key)
    if file:
        with keyed(f"{key}_file"):
            return secret_in(file, key, environment)
    if not text:
        return ""
    named = _VARIABLE.fullmatch(text)
    if not named:
        raise SettingError(f'a secret does not belong here: write "${{VARIABLE}}", or use {key}_file', key)
    value = environment.get(named[1], "")
    if not value:
        raise SettingError(f"the environment has no variable {named[1]}", key)
    return value
