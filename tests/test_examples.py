"""Every example runs, as its reader would run it."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
OFFLINE = sorted(path.name for path in EXAMPLES.glob("read_*.py"))


@pytest.mark.parametrize("name", OFFLINE)
def test_example_reads_a_capture(name: str, capture: Path) -> None:
    command = [sys.executable, str(EXAMPLES / name), str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="watching needs root")
def test_example_watches() -> None:
    command = [sys.executable, str(EXAMPLES / "watch_a_while.py"), "lo"]
    over = threading.Event()

    def talk() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not over.wait(0.05):
                sender.sendto(b"hello", ("127.0.0.1", 9))

    talker = threading.Thread(target=talk, name="talker")
    talker.start()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        over.set()
        talker.join()
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1" in done.stdout


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*OFFLINE, "watch_a_while.py"}
