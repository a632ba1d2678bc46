"""Removes what carries our name in the kernel and outlived its maker.

Whatever of ours stays in the kernel when its maker dies is called `tidegate-PID`: tracing instances,
pinned BPF objects (files or folders), nft tables (of them there may be several, `tidegate-PID-N`). It is a
leftover when no Tidegate with that PID runs.
"""

import json
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

TRACING = Path("/sys/kernel/tracing/instances")
PINNED = Path("/sys/fs/bpf")

_OURS = re.compile(r"tidegate-([1-9][0-9]{0,6})(?:-[0-9]{1,6})?")
_PATIENCE = 5.0


def clean(gone: int | None = None) -> None:
    """Removes leftovers, and what the process `gone` made, alive or not; what is in use stays."""
    for path in _leftovers(TRACING, gone):
        with suppress(OSError):
            path.rmdir()
    for path in _leftovers(PINNED, gone):
        with suppress(OSError):
            _unpin(path)
    _remove_tables(gone)


def is_leftover(name: str, gone: int | None) -> bool:
    """Whether the name is ours and its maker is not there any more."""
    match = _OURS.fullmatch(name)
    return match is not None and (int(match[1]) == gone or not _runs(int(match[1])))


def _runs(pid: int) -> bool:
    """Whether this process is a Tidegate; numbers of processes are used again."""
    try:
        return b"tidegate" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _leftovers(folder: Path, gone: int | None) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if is_leftover(path.name, gone)]
    except OSError:
        return []


def _unpin(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for pinned in path.iterdir():
            pinned.unlink()
        path.rmdir()
    else:
        path.unlink()


def _remove_tables(gone: int | None) -> None:
    program = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return
    for entry in _nft(program, "-j", "list", "tables").get("nftables", []):
        table = entry.get("table", {})
        family, name = str(table.get("family")), str(table.get("name"))
        if is_leftover(name, gone):
            _nft(program, "-j", "delete", "table", family, name)


def _nft(program: str, *arguments: str) -> dict[str, list[dict[str, dict[str, object]]]]:
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, timeout=_PATIENCE, env={"PATH": "/usr/sbin:/usr/bin"}
        )
        found = json.loads(done.stdout or b"{}")
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
