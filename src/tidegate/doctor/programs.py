"""Programs of connections: the method that works, and why better ones do not."""

import os
from collections.abc import Iterator
from pathlib import Path

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.enrich.watch import open_source
from tidegate.model.config import Config
from tidegate.model.config.enrich import TOLD
from tidegate.model.errors import TidegateError


def check_programs(config: Config) -> Iterator[Finding]:
    """How programs would be found here."""
    wanted = config.programs.method
    if wanted == "none":
        yield ok("programs", "not wanted (programs: method: none)")
        return
    try:
        source = open_source(config.programs)
    except TidegateError as error:
        said = _true(str(error))
        yield broken("programs", said, _mend(said, wanted))
        return
    method, refused = source.method, list(source.refused)
    source.stop()
    why = "; ".join(dict.fromkeys(f"{name}: {_true(words)}" for name, words in refused))
    said = f" ({why})" if why else ""
    if method in TOLD:
        yield ok("programs", f"by {method}: short-lived ones too{said}")
    else:
        text = f"by {method}: only what lives long enough{said}"
        yield limited("programs", text, _mend(why, wanted))


def _true(why: str) -> str:
    """Why a method does not work. One may not even see what is mounted in a directory that is closed."""
    missing = "tracefs is not mounted"
    if missing not in why or not _is_mounted("tracefs"):
        return why
    before = why.partition(missing)[0]
    return f"{before}tracefs is there, but not for this user"


def _is_mounted(kind: str) -> bool:
    """Whether a file system of this kind is mounted anywhere here."""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.split()[2:3] == [kind] for line in mounts)


def _mend(why: str, wanted: str) -> str:
    if os.geteuid() != 0 and wanted in ("best", *TOLD):
        return "sudo tidegate watch (sudo tidegate doctor says by what it would do so)"
    if wanted != "best":
        return "programs: method: best"
    if "tracefs is not mounted" in why:
        return "mount -t tracefs nodev /sys/kernel/tracing"
    return "see docs/programs.md"
