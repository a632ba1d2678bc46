"""The relay started as root, in a network of its own: low ports, wide ports, next to a capture."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import LOCAL, answering, said

from helpers import TIDEGATE, Run, wait_for
from nets import Net
from streets import inside

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


@pytest.fixture
def net() -> Iterator[Net]:
    """A network of its own, in which this process is meanwhile."""
    with Net() as made, inside(made):
        yield made


@pytest.fixture
def rows(environment: dict[str, str], tmp_path: Path, net: Net) -> Path:
    """Where rows of events are written."""
    return tmp_path / "rows"


def until_open(process: subprocess.Popen[str]) -> list[str]:
    """What it said until its doors were open."""
    lines: list[str] = []
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        if "files may be open" in line:
            return lines
    pytest.fail("".join(lines))


@pytest.mark.parametrize("steering", ["auto", "redirect", "sockets"])
def test_ports_are_opened_by_the_helper_and_the_original_one_is_on_record(
    steering: str, environment: dict[str, str], tmp_path: Path, rows: Path
) -> None:
    with answering() as backend:
        ports = "7,80" if steering == "sockets" else f"1-65535 except {backend}"
        spec = f"{LOCAL}:{ports}={LOCAL}:{backend}"
        words = [
            "relay",
            "-p",
            spec,
            "--steering",
            steering,
            "--no-store",
            "--format",
            "jsonl",
            "-o",
            str(rows),
        ]
        process = subprocess.Popen(
            [*TIDEGATE, *words], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        try:
            lines = until_open(process)
            assert ("sk_lookup" in "".join(lines) or steering != "auto") or "redirect" in "".join(lines)
            wanted = (7, 80) if steering == "sockets" else (7, 80, 40_000)
            for port in wanted:
                assert said(port) == b"hello"
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
            assert process.stderr
            process.stderr.close()
    events = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [event["server_port"] for event in events if event["type"] == "accept"] == list(wanted)


def test_run_carries_it_next_to_the_capture(
    environment: dict[str, str], tmp_path: Path, net: Net, run: Run
) -> None:
    with answering() as backend:
        service = f"{{name: front, listen: '{LOCAL}:80', backend: '{LOCAL}:{backend}'}}"
        settings = "store: {path: s}\nwatch: {interfaces: lo}\nprograms: {method: none}\n"
        file = tmp_path / "t.yml"
        file.write_text(f"{settings}relay: {{services: [{service}]}}\n")
        words = [*TIDEGATE, "run", "--config", "t.yml"]
        process = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:

            def relay() -> dict[str, object]:
                done = run("relay", "--config", "t.yml", "status", "--json")
                return json.loads(done.stdout)["relay"]["services"] if done.returncode == 0 else {}

            wait_for(lambda: "front" in relay())
            assert said(80) == b"hello"
            assert "front" in run("relay", "--config", "t.yml", "status").stdout
            status = run("control", "--config", "t.yml", "status").stdout
            assert "relay     0 connections of 1 service" in status
            file.write_text(settings)
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: "no relay runs" in run("relay", "--config", "t.yml", "status").stderr)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    sql = "SELECT relay_service, iface FROM conn WHERE dst_port = 80 ORDER BY iface"
    answer = run("query", "--store", tmp_path / "s", sql, "--format", "csv").stdout.split()
    assert answer[1:] == ["front,"]
