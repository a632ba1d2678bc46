"""What tests share: a capture, and the program itself as a user runs it."""

import faulthandler
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import pcaps
from helpers import TIDEGATE, Run

# The same examples each time, and no verdict on how fast a busy machine makes them.
settings.register_profile(
    "tidegate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tidegate")

# A shell that starts the tests in its background lets them ignore Ctrl-C, and all they start with them.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """A thread that a failed test left behind must not keep Python from ending: it is shown, and ended.

    One of several workers waits here for the others, and is ended by who began it.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        faulthandler.dump_traceback_later(60, exit=True, file=sys.__stderr__)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Three connections (one HTTP over TCP, two DNS over UDP), 14 packets, and an ARP frame."""
    frames = [
        *pcaps.http_get(),
        *pcaps.dns_exchange(1.0),
        *pcaps.dns_exchange(2.0, 50001),
        (3.0, pcaps.arp()),
    ]
    return pcaps.write_pcap(tmp_path / "small.pcap", frames)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The caller's environment, with a home of its own, no colours and no settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return plain | {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1", "COLUMNS": "80"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs `tidegate ARGUMENTS` in an empty directory and gives its output and exit code."""

    def run_tidegate(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [*TIDEGATE, *map(str, arguments)],
            **(
                {"env": environment, "cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
                | options
            ),
        )

    return run_tidegate
