"""Helpers that tests share: running the program, and waiting without sleeping too long."""

import itertools
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import tidegate

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs `tidegate ARGUMENTS` to its end."""

TIDEGATE = [sys.executable, "-m", "tidegate"]
"""The program, as this environment has it."""

LIBRARIES = os.pathsep.join([str(Path(tidegate.__file__).parents[1]), sysconfig.get_path("purelib")])
"""What PYTHONPATH has to be for another Python to run it."""


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Waits until the condition is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def free_port() -> int:
    """A port of the loopback that nobody listens on, and that nobody else is given before it is used."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the ports never end")


def _ports() -> Iterator[int]:
    """Those of this worker of pytest, below those that Linux chooses by itself (from 32768), for ever."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (32768 - 10000) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    for at in itertools.count(os.getpid()):  # two runs at the same time begin at different ones
        yield 10000 + number * size + at % size


_PORTS = _ports()


def open_to_all(folder: Path) -> None:
    """Lets any user look into a temporary folder, and into those above it, which pytest keeps to its user."""
    top = Path(tempfile.gettempdir())
    for each in (folder, *folder.parents):
        if top in each.parents:
            each.chmod(0o755)


def receive(connection: socket.socket) -> bytes:
    """All bytes until the other end is done."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def ordinary_python(user: int) -> str:
    """A Python that this user can run Tidegate with."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run(
                [python, "-c", "import tidegate.cli.watch"], check=True, capture_output=True, cwd="/",
                env={"PYTHONPATH": LIBRARIES, "PYTHONWARNINGS": "ignore"}, user=user, group=user,
            )  # fmt: skip
        except (PermissionError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("no Python here that an ordinary user may run")
