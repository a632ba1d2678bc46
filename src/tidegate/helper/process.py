"""What /proc says of a process, other users' included."""

import os
from pathlib import Path
from typing import Any

_CMDLINE = 4096
_SMALL = 2048


def facts(pid: int) -> dict[str, Any]:
    """Name, path, command line, parent, user, start (clock ticks since boot) and control group.

    What is denied or gone is None; raises OSError if there is no such process.
    """
    folder = Path(f"/proc/{pid}")
    stat = _read(folder / "stat", _SMALL)
    if stat is None:
        raise ProcessLookupError(3, "no such process")
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    return {
        "pid": pid,
        "name": name,
        "parent": int(fields[1]),
        "started": int(fields[19]),
        "path": _link(folder / "exe"),
        "cmdline": _read(folder / "cmdline", _CMDLINE),
        "uid": _uid(_read(folder / "status", _SMALL)),
        "cgroup": _read(folder / "cgroup", _SMALL),
    }


def _read(path: Path, most: int) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return os.fsdecode(os.read(descriptor, most))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path would lose what it says of a deleted file
    except OSError:
        return None


def _uid(status: str | None) -> int | None:
    lines = (status or "").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Uid:")), None)
