"""Helpers that tests share: running the program, and waiting without sleeping too long."""

import subprocess
import sys
import time
from collections.abc import Callable

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs `tidegate ARGUMENTS` to its end."""

TIDEGATE = [sys.executable, "-m", "tidegate"]
"""The program, as this environment has it."""


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Waits until the condition is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
