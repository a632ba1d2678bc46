"""`tidegate relay` whose reader takes nothing: a signal loses no byte, and ends it in any case."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from doors import LOCAL, answering, said

from helpers import TIDEGATE, Run, free_port, wait_for

CALLS = 600
"""Connections whose rows are more than a pipe holds."""


@contextmanager
def stuck(environment: dict[str, str], tmp_path: Path, *more: object) -> Iterator[subprocess.Popen[bytes]]:
    """A relay that waits for the reader of its rows."""
    port = free_port()
    with answering() as backend:
        spec = f"{LOCAL}:{port}={LOCAL}:{backend}"
        kept = map(str, more or ["--no-store"])
        words = [*TIDEGATE, "relay", "--no-helper", *kept, "--format", "jsonl", "-p", spec]
        with subprocess.Popen(
            words,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                wait_for(lambda: reached(port))
                # Rows that come late, after the pipe is full, are those that a signal may cut.
                for _ in range(CALLS):
                    said(port)
                wait_for(lambda: any("pipe_write" in where for where in waiting(process.pid)))
                yield process
            finally:
                process.kill()


def waiting(pid: int) -> list[str]:
    """Where in the kernel each thread waits."""
    return [(task / "wchan").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]


def reached(port: int) -> bool:
    with suppress(OSError):
        return bool(said(port))
    return False


pytestmark = pytest.mark.skipif(
    not os.access("/proc/self/wchan", os.R_OK), reason="no /proc/PID/wchan: who waits for a pipe is not told"
)


def test_a_signal_in_the_middle_of_a_row_loses_none(environment: dict[str, str], tmp_path: Path) -> None:
    with stuck(environment, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        rows: list[bytes] = []
        assert process.stdout
        reader = threading.Thread(target=lambda: rows.extend(process.stdout or ()), name="reader")
        reader.start()
        assert process.wait(30) == 0
        reader.join()
    closed = [row for row in map(json.loads, rows) if row["type"] == "close"]
    assert len(closed) >= CALLS


def test_two_signals_end_it_whoever_does_not_read(environment: dict[str, str], tmp_path: Path) -> None:
    with stuck(environment, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 1
        assert process.stderr
        assert b"ended by force" in process.stderr.read()


def test_the_store_does_not_wait_for_who_does_not_read(
    environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    store = tmp_path / "store"
    with stuck(environment, tmp_path, "--store", store) as process:
        sql = "SELECT count(*) AS n FROM relay WHERE type = 'close'"

        def kept() -> int:
            return int(run("query", "--store", store, sql, "--format", "csv").stdout.split()[1])

        wait_for(lambda: kept() >= CALLS)
        assert process.poll() is None
