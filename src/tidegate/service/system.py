"""What every system's services can do, and the one that this machine has."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tidegate.model.durable import write_whole
from tidegate.model.errors import TidegateError
from tidegate.model.text import safe_text
from tidegate.service.description import NAME, Description

PATIENCE = 200.0
"""Seconds that a command of the system's may take; the start of a service waits for its capture."""

RUNNING, STOPPED, ABSENT = 0, 3, 4
"""Exit codes of `status`, as those of init scripts."""


class ServiceError(TidegateError):
    """The system refused, or has no such service."""


@dataclass(frozen=True)
class State:
    """How the service stands."""

    code: int
    """RUNNING, STOPPED or ABSENT."""
    lines: tuple[str, ...]


NOT_INSTALLED = State(ABSENT, ("not installed; install it with: tidegate service install",))


class System(Protocol):
    """A system that keeps services. What it cannot do raises ServiceError."""

    def written(self, description: Description) -> dict[str, str]:
        """What an installation writes: each place with its text."""

    def install(self, description: Description) -> list[str]:
        """Writes it, and takes it into use; what is to be said of it."""

    def start(self) -> str:
        """Starts it, and waits until it works; one line."""

    def stop(self) -> str:
        """Ends it, and waits for that."""

    def restart(self) -> str:
        """Both."""

    def state(self) -> State:
        """How it stands."""

    def remove(self, purge: bool) -> list[str]:
        """Takes it out of use; with `purge` all that it kept goes as well."""


def this_system(platform: str = sys.platform) -> System:
    """The one of this machine."""
    if platform == "win32":
        from tidegate.service.windows import Windows

        return Windows()
    if platform == "darwin":
        from tidegate.service.launchd import Launchd

        return Launchd()
    from tidegate.service.systemd import Systemd

    return Systemd()


def ran(*words: str, patience: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Runs a command of the system's; raises ServiceError where it is not there or takes too long."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=patience, errors="replace")
    except FileNotFoundError:
        raise ServiceError(f"{words[0]} is not here") from None
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{' '.join(words)} did not end within {patience:.0f} s") from None


def must(*words: str) -> str:
    """The same, and what it said; raises ServiceError with its last line if it failed."""
    done = ran(*words)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceError(
            f"{' '.join(words)}: {safe_text(said[-1]) if said else f'exit code {done.returncode}'}"
        )
    return done.stdout


def missing() -> ServiceError:
    """There is nothing to start or to stop."""
    return ServiceError("the service is not installed; run: tidegate service install")


def installed(auto: bool) -> str:
    """What is to be said once it is."""
    how = "starts with the machine" if auto else "is started by hand (--auto: with the machine)"
    return f"installed, it {how}; start it now with: tidegate service start"


def need_root(verb: str) -> None:
    """Raises ServiceError, with the command to run, for anybody else."""
    if os.geteuid() != 0:
        program = Path(sys.argv[0])
        name = NAME if shutil.which(NAME) or program.name != NAME else str(program.absolute())
        raise ServiceError(f"services are root's; run: sudo {name} service {verb}")


def write(path: Path, text: str) -> bool:
    """Writes a file whole or not at all; whether that changed anything."""
    try:
        if path.exists() and path.read_text() == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        path.chmod(0o644)
    except OSError as error:
        raise ServiceError(f"{path}: {error.strerror or error}") from None
    return True


def removed(paths: Sequence[Path]) -> list[str]:
    """Removes folders and all that is in them; what is to be said of each."""
    said = []
    for path in paths:
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            said.append(f"{path} could not be removed: {error.strerror or error}")
        else:
            said.append(f"removed {path}")
    return said
