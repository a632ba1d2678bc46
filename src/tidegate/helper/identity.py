"""Who the worker is after start: the user named, or who called sudo, or the same one without rights."""

import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidegate.model.errors import UsageError


@dataclass(frozen=True)
class Identity:
    """A user of the system."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    name: str
    home: str = ""

    @property
    def is_root(self) -> bool:
        """Whether it is the superuser, who owns the system's files even without any capability."""
        return self.uid == 0


def current() -> Identity:
    """Who we are."""
    return _of_number(os.geteuid(), os.getegid())


def named(user: str) -> Identity:
    """The user of that name or number; raises UsageError."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        if user.isdecimal() and int(user) < 1 << 32:
            return _of_number(int(user), int(user))
        raise UsageError(f'there is no user "{user}"') from None
    return _of_entry(entry)


def caller(environment: Mapping[str, str]) -> Identity | None:
    """Who called sudo; None if nobody did, or root."""
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    if not uid.isdecimal() or int(uid) == 0:
        return None
    return _of_number(int(uid), int(gid) if gid.isdecimal() else int(uid))


def can_read_program(identity: Identity) -> bool:
    """Whether that user may read Tidegate and the libraries it loads later on. For root only."""
    folders = {Path(__file__).parents[1], Path(os.__file__).parent, Path(sys.prefix)}
    folders |= {Path(path) for path in sys.path if path and Path(path).is_dir()}
    with acting_as(identity):
        return all(_listable(folder) for folder in folders)


def cannot_read(identity: Identity) -> str:
    """What is said of a user that may not."""
    return (
        f"{identity.name} cannot read Tidegate's files (in {Path(__file__).parents[1]}, or Python's); "
        "install it where that user can read it, or name another user"
    )


def _listable(folder: Path) -> bool:
    try:
        with os.scandir(folder):
            return True
    except PermissionError:
        return False
    except OSError:
        return True


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """For a moment, as far as files are concerned. Only while there is no other thread."""
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups(list(identity.groups))
    os.setegid(identity.gid)
    os.seteuid(identity.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def _of_number(uid: int, gid: int) -> Identity:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Identity(uid, gid, (gid,), str(uid))
    found = _of_entry(entry)
    return Identity(uid, gid, (*{gid, *found.groups},), found.name, found.home)


def _of_entry(entry: pwd.struct_passwd) -> Identity:
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Identity(entry.pw_uid, entry.pw_gid, groups, entry.pw_name, entry.pw_dir)
