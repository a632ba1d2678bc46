"""The one description of the service; each system writes it down in its own way."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tidegate.model import secret
from tidegate.model.errors import UsageError
from tidegate.model.text import clip, safe_text

NAME = "tidegate"
TITLE = "Tidegate"
SUMMARY = "Watches the connections of this machine"
USER = "tidegate"
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,30}")

STORE = Path("/var/lib/tidegate")
LOGS = Path("/var/log/tidegate")
CACHE = Path("/var/cache/tidegate")
SETTINGS = Path("/etc/tidegate")
CREDENTIALS = secret.KEPT
"""Passwords, each in a file; only root reads them here."""

RIGHTS = ("NET_RAW", "NET_ADMIN", "NET_BIND_SERVICE", "SYS_PTRACE", "DAC_READ_SEARCH")
"""Capture; steering and programs; low ports; who a program is; numbers of tracepoints, which are root's."""
FINE, COARSE = ("PERFMON", "BPF"), ("SYS_ADMIN",)
"""The right to trace, and what had to serve for it before Linux 5.8."""

HOMES = tuple(Path(home) for home in ("/home", "/root", "/run/user"))
"""What a service sees nothing of."""

RESTART = 5.0
"""Seconds until a service that failed is started again."""
WATCHDOG = 60.0
"""Seconds without a sign of life after which it is taken for hung."""
STOP = 60.0
"""Seconds to end; a relay that drains longer says so."""
MISTAKE = 2
"""Exit code of a mistake of the user's: starting again would not mend it."""


@dataclass(frozen=True)
class Description:
    """What is run, as whom, with which rights, and what it needs of the file system."""

    program: tuple[str, ...]
    """The command and its arguments, absolute."""
    files: tuple[Path, ...] = ()
    """Folders that the program's own files lie in."""
    user: str = USER
    config: Path | None = None
    """The configuration; None: the machine's own, if there is one."""
    auto: bool = False
    """Whether it starts with the machine."""
    rights: tuple[str, ...] = (*RIGHTS, *FINE)
    """Capabilities of Linux, without their CAP_. Its helper alone keeps them."""
    writes: tuple[Path, ...] = ()
    """Folders it writes to beside its own."""
    credentials: tuple[str, ...] = ()
    """Names of passwords that the configuration wants from the system, each a file in CREDENTIALS."""


def describe(
    config: Path | None,
    auto: bool = False,
    user: str = USER,
    writes: Iterable[Path] = (),
    credentials: Iterable[str] = (),
    fine: bool = True,
) -> Description:
    """The service as this installation would run it. `fine` is whether the kernel knows the finer rights.

    Raises UsageError for a name that no unit can hold.
    """
    writes = list(writes)
    for path in (config, *writes):
        if path and not str(path).isprintable():
            shown = safe_text(str(path))
            raise UsageError(f"{shown}: no service can be told this name: it has control characters")
    if not _USER.fullmatch(user):
        name = clip(safe_text(user), 40)
        raise UsageError(f'"{name}" is no name of a user: letters, digits, dots, dashes, 31 at most')
    words = (sys.executable, "-m", "tidegate", "run", "--worker")
    named = ("--config", str(config)) if config else ()
    rights = (*RIGHTS, *(FINE if fine else COARSE))
    return Description(
        (*words, *named),
        own_files(),
        user,
        config,
        auto,
        rights,
        _outside(writes),
        tuple(sorted(set(credentials))),
    )


def own_files() -> tuple[Path, ...]:
    """Where this program lies: its environment, the Python below it, its packages."""
    found = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2], *_python()]
    return _outermost(path.absolute() for path in found)


def _python() -> list[Path]:
    """The folders of the interpreter and of every link that leads to it."""
    found: list[Path] = []
    link = Path(sys.executable)
    while link.is_symlink() and len(found) < 8:
        found.append(link.parent)
        link = link.parent / link.readlink()
    return [*found, link.resolve().parents[1]]


def hidden(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those of them that lie in somebody's home."""
    return tuple(path for path in paths if any(path.is_relative_to(home) for home in HOMES))


def changeable_by(paths: Iterable[Path]) -> list[tuple[Path, int]]:
    """Folders of the program that a user other than root may change, with that user's number."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_uid != 0:
            found.append((path, status.st_uid))
    return found


def _outside(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Without those that lie in what the service has anyway."""
    own = (STORE, LOGS, CACHE)
    found = {path.absolute() for path in paths}
    return _outermost(path for path in found if not any(path.is_relative_to(one) for one in own))


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    found = sorted(set(paths))
    return tuple(
        path for path in found if not any(path != other and path.is_relative_to(other) for other in found)
    )
