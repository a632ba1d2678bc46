"""What is written to: the store, and the logs and recordings that the configuration names."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.model.units import human_bytes
from tidegate.store.layout import default_root

NOT_WRITABLE = "not writable for this user"


def check_store(config: Config) -> Iterator[Finding]:
    """Whether the store can be written, and whether there is room for what it may keep."""
    root = Path(config.store.path) if config.store.path else default_root()
    there = _nearest(root)
    disk = shutil.disk_usage(there)
    if there.is_dir() and not disk.total:
        text = f"{root}: {there} is no disk, nothing can be kept there"
        yield broken("store", text, "choose another: store.path, or --store DIR")
    elif why := _refused(there):
        sudo = _or_sudo() if there.is_dir() else ""
        yield broken("store", f"{root}: {why}", f"choose another: store.path, or --store DIR{sudo}")
    elif disk.free <= config.store.keep_free:
        fix = f"make room on the disk of {there}"
        if disk.free:
            fix += f", or set store.keep_free below {human_bytes(disk.free)}"
        yield broken("store", f"{human_bytes(disk.free)} free, all of it left alone", fix)
    elif disk.free < config.store.keep_bytes:
        wanted = human_bytes(config.store.keep_bytes)
        text = f"{root}: {human_bytes(disk.free)} free, less than the {wanted} it may keep"
        yield limited(
            "store", text, "nothing: the oldest rows go when the disk is full; or set store.keep_bytes"
        )
    else:
        yield ok("store", f"{root}, {human_bytes(disk.free)} free")


def check_files(config: Config) -> Iterator[Finding]:
    """Whether logs and recordings can be written where the configuration has them."""
    named = [("logs", log.path) for log in config.logs if log.path != "-"]
    if config.watch.record:
        named.append(("recording", config.watch.record.path))
    for what, path in named:
        with _as_worker(config.service.user) as who:
            found = _file(what, Path(path))
        yield found if who is None or found.verdict == "ok" else _for(found, Path(path), who)


def _file(what: str, path: Path) -> Finding:
    there = _nearest(path)
    if there == path.absolute():
        writable = _may(there, os.W_OK) and not there.is_dir()
        why = "" if writable else f"{there} is {'a directory' if there.is_dir() else NOT_WRITABLE}"
    else:
        why = _refused(there)
    if why:
        return broken(what, f"{path}: {why}", f"choose another file{_or_sudo()}")
    folder = path.absolute().parent
    if not folder.exists() and os.geteuid() != 0:  # root's are made
        return broken(what, f"{path}: its directory is not there", f"mkdir -p {folder}")
    return ok(what, str(path))


@contextmanager
def _as_worker(user: str) -> Iterator[str | None]:
    """As root, looks with the eyes of the user whom `service.user` names; gives the name."""
    if os.geteuid() != 0 or not user or sys.platform != "linux":
        yield None
        return
    from tidegate.helper import identity

    try:
        found = identity.named(user)
    except UsageError:  # the settings' own mistake, told there
        yield None
        return
    with identity.acting_as(found):
        yield user


def _for(found: Finding, path: Path, who: str) -> Finding:
    """The same, said to root about the user it will run as."""
    folder = path.absolute().parent
    text = found.text.replace(NOT_WRITABLE, f"not writable for {who} (service.user)")
    if not folder.exists():
        return ok(found.what, f"{path}: its directory is made, for {who}")
    place = path if path.is_file() else folder
    return broken(found.what, text, f"chown {who} {place}, or choose another file")


def _nearest(path: Path) -> Path:
    """What is there of a path: itself, or else the nearest directory above it."""
    whole = path.absolute()
    # A Path would raise where we may not look.
    return next(place for place in (whole, *whole.parents) if os.path.exists(place))  # noqa: PTH110


def _refused(there: Path) -> str:
    """Why nothing can be made in what is there; empty if it can."""
    if not there.is_dir():
        return f"{there} is no directory"
    return "" if _may(there, os.W_OK | os.X_OK) else f"{there} is {NOT_WRITABLE}"


def _may(there: Path, mode: int) -> bool:
    """Whether the user we are at this moment may."""
    return os.access(there, mode, effective_ids=os.access in os.supports_effective_ids)


def _or_sudo() -> str:
    return "" if os.geteuid() == 0 else ", or run as root, with sudo"
