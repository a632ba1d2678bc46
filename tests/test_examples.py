"""Every example runs, as its reader would run it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doors import answering, said

from helpers import free_port, wait_for

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


@contextmanager
def running(name: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """An example that goes on, and what it prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    assert process.stdout
    reader = threading.Thread(target=lines.extend, args=(process.stdout,), name="reader")
    reader.start()
    try:
        wait_for(lambda: lines or process.poll() is not None)
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def test_example_forwards() -> None:
    port = free_port()
    with (
        answering() as backend,
        running("relay_forward.py", f"127.0.0.1:{port}", f"127.0.0.1:{backend}") as (
            _,
            lines,
        ),
    ):
        assert said(port) == b"hello"
        wait_for(lambda: "127.0.0.1 fin 5 5\n" in lines)


def test_example_is_a_honeypot() -> None:
    port = free_port()
    with running("relay_honeypot.py", f"127.0.0.1:{port}") as (process, lines):
        assert said(port, b"SSH-2.0-scan\r\n").startswith(b"SSH-2.0-")
        wait_for(lambda: any('"close"' in line for line in lines))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert [each["type"] for each in told][:3] == ["accept", "recv", "send"]
    assert bytes.fromhex(told[1]["said"]) == b"SSH-2.0-scan\r\n"
    assert "service=trap" in lines[-1]


def test_examples_in_the_documentation_are_those_that_run() -> None:
    page = (EXAMPLES.parent / "docs" / "relay.md").read_text()
    shown = re.findall(r"```python\n(.*?)```", page, re.S)
    for name, block in zip(("relay_forward.py", "relay_honeypot.py"), shown, strict=True):
        code = (EXAMPLES / name).read_text()
        for line in block.splitlines():
            assert line.partition("  #")[0].strip() in code, line
        assert len(block.splitlines()) <= (11 if name == "relay_forward.py" else 40)


def test_every_example_is_tested() -> None:
    others = {"watch_a_while.py", "relay_forward.py", "relay_honeypot.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*OFFLINE, *others}
