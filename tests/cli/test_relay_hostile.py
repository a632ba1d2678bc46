"""`tidegate relay` beside bad guests and a bad disk: a good client is unharmed, every loss is counted."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
from doors import answering, said

from bystander import LOCAL, Bystander, answer
from helpers import TIDEGATE, Run, free_port, wait_for
from relays import server
from tidegate.pipeline.control import ask

HALF_OPEN = 9000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


class Relay:
    """A relay of a configuration, and what it said."""

    def __init__(self, folder: Path, environment: dict[str, str], **limits: Any) -> None:
        self._folder = folder
        self._environment = environment
        self._limits = limits
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        words = [*TIDEGATE, "relay", "--no-helper", "--config", "t.yml"]
        self.process = subprocess.Popen(
            words, env=self._environment, cwd=self._folder, stderr=subprocess.PIPE, text=True, **self._limits
        )
        assert self.process.stderr
        self._reader = threading.Thread(target=self.lines.extend, args=(self.process.stderr,), name="reader")
        self._reader.start()
        wait_for(lambda: self.has_said("files may be open") or self.process.poll() is not None)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()

    def has_said(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def asked(self, word: str) -> dict[str, Any]:
        return ask(self._folder / "store" / "relay.sock", {"do": word})

    def lost(self, name: str) -> int:
        """Lines that a log has lost so far."""
        return int(self.part(name)["lost"])

    def part(self, name: str) -> dict[str, Any]:
        """How a part stands."""
        parts = {part["name"]: part for part in self.asked("status")["parts"]}
        return parts[name]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def resident(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def configured(folder: Path, services: list[dict[str, Any]], **more: Any) -> None:
    """Writes the configuration; YAML takes JSON as it is."""
    store = {"path": str(folder / "store")}
    made = {"store": store, "relay": {"drain": "1s", "services": services}, **more}
    (folder / "t.yml").write_text(json.dumps(made))


def door(name: str, backend: object, **more: Any) -> tuple[int, dict[str, Any]]:
    port = free_port()
    return port, {"name": name, "listen": f"{LOCAL}:{port}", "backend": f"{LOCAL}:{backend}", **more}


GUESTS = """
import resource, sys
from bystander import guest
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
port, count = map(int, sys.argv[1:])
there = [guest(port) for _ in range(count)]
print(len(there), flush=True)
sys.stdin.read()  # for ever
"""


@contextmanager
def guests(port: int, count: int) -> Iterator[subprocess.Popen[str]]:
    """Clients that are silent and leave all at once, in a process of their own.

    In the good client's process both would wait for the interpreter rather than for the relay.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 2 * count + 500:
        pytest.skip(f"{hard} open files are too few for a relay of {count} connections")
    words = [sys.executable, "-c", GUESTS, str(port), str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, **pipes, cwd=Path(__file__).parents[1], text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == f"{count}\n"
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(300)
def test_nine_thousand_half_open_ones(environment: dict[str, str], tmp_path: Path) -> None:
    rule = {"name": "http", "protocols": "http", "backend": ":1"}
    with server(answer) as backend:
        # Nobody is behind them: a backend that all call when they leave would be what is measured.
        bad, half_open = door("half-open", 1, rules=[rule], timeouts={"first_byte": "1h"})
        good, served = door("good", backend)
        half_open["listen_backlog"] = 4096
        configured(tmp_path, [half_open, served])
        with Relay(tmp_path, environment) as relay:

            def there() -> int:
                return int(relay.asked("relay")["relay"]["services"]["half-open"]["connections"])

            with Bystander(good) as bystander:
                bystander.goes_on(5)
                before = relay.resident()
                with guests(bad, HALF_OPEN) as silent:
                    wait_for(lambda: there() == HALF_OPEN)
                    bystander.goes_on()
                    # What it costs at rest, and the rows of their beginning on their way into the store.
                    assert relay.resident() - before < HALF_OPEN * 4096 + 64_000_000
                    assert silent.poll() is None
                wait_for(lambda: there() == 0)
                bystander.goes_on()
            assert relay.end() == 0


def count(run: Run, folder: Path, condition: str = "true") -> int:
    """Rows of the relay's events in the store."""
    sql = f"SELECT count(*) AS n FROM relay WHERE {condition}"
    return int(run("query", "--store", folder / "store", sql, "--format", "csv").stdout.split()[1])


def log(path: Path) -> list[dict[str, Any]]:
    """A small memory, so that it is full soon."""
    return [
        {"name": "events", "path": str(path), "format": "jsonl", "tables": ["relay"], "buffer": "64K"},
    ]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@needs_root
def test_the_disk_of_the_log_is_full(
    environment: dict[str, str], tmp_path: Path, disk: Path, run: Run
) -> None:
    with server(answer) as backend:
        good, served = door("good", backend, excerpts={"per_direction": 1000})
        configured(tmp_path, [served], logs=log(disk / "relay.jsonl"))
        with Relay(tmp_path, environment) as relay:
            with Bystander(good) as bystander:
                wait_for(lambda: relay.lost("log events") > 100)
                assert relay.has_said("No space left on device")
                told = run("relay", "--config", "t.yml", "status").stdout
                assert "rows by log events" in told
                assert "problem   log events: " in told
                bystander.goes_on()
                subprocess.run(["mount", "-o", "remount,size=500m", disk], check=True)
                wait_for(lambda: relay.has_said("again; "), 90)
                bystander.goes_on()
            assert relay.end() == 0
    lines = (disk / "relay.jsonl").read_text().splitlines()
    assert all(json.loads(line)["type"] for line in lines), "every line is whole"
    lost = int(next(line for line in relay.lines if "again; " in line).split(";")[1].split()[0])
    assert len(lines) + lost == count(run, tmp_path)
    assert count(run, tmp_path, "type = 'accept'") == count(run, tmp_path, "type = 'close'")


@pytest.mark.timeout(300)
def test_the_reader_of_the_log_is_slow(environment: dict[str, str], tmp_path: Path, run: Run) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    heard = bytearray()

    def listen() -> None:
        with suppress(BlockingIOError):
            while piece := os.read(end, 1 << 20):
                heard.extend(piece)

    with server(answer) as backend:
        good, served = door("good", backend, excerpts={"per_direction": 1000})
        configured(tmp_path, [served], logs=log(pipe))
        with Relay(tmp_path, environment) as relay:
            with Bystander(good) as bystander:
                wait_for(lambda: relay.lost("log events") > 100)
                bystander.goes_on()
                assert not relay.has_said("No space")
            # It tries again after 1, 2, 4 ... 60 s, which depends on how long all of this took.
            wait_for(lambda: listen() or not relay.part("log events")["waiting"], 150)
            ended = threading.Thread(target=relay.end, name="end")
            ended.start()
            while ended.is_alive():
                listen()
            ended.join()
            listen()
            wait_for(lambda: relay.has_said("could not be written"))
    os.close(end)
    lost = int(next(line for line in relay.lines if "could not be written" in line).split()[3])
    assert lost > 100
    assert len(heard.splitlines()) + lost == count(run, tmp_path)


@needs_root
def test_the_disk_of_the_store_is_full(environment: dict[str, str], tmp_path: Path, disk: Path) -> None:
    with server(answer) as backend:
        good, served = door("good", backend, excerpts={"per_direction": 1000})
        configured(tmp_path, [served], logs=log(tmp_path / "relay.jsonl"))
        settings = json.loads((tmp_path / "t.yml").read_text())
        settings["store"] = {"path": str(disk / "store"), "keep_free": 0}
        (tmp_path / "t.yml").write_text(json.dumps(settings))
        (tmp_path / "store").symlink_to(disk / "store")
        with Relay(tmp_path, environment) as relay:
            with Bystander(good) as bystander:
                wait_for(lambda: relay.has_said("No space left on device"), 90)
                bystander.goes_on(50)
                # The log goes on beside it.
                before = (tmp_path / "relay.jsonl").stat().st_size
                wait_for(lambda: (tmp_path / "relay.jsonl").stat().st_size > before)
            relay.end()
            assert relay.process.returncode == 1, "what was lost is told"


def test_a_port_that_is_taken_is_named_and_the_others_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with answering() as backend, socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
        free, served = door("free", backend)
        _, other = door("taken", backend, listen_retry="100ms")
        configured(tmp_path, [{**other, "listen": f"{LOCAL}:{port}"}, served])
        with Relay(tmp_path, environment) as relay:
            wait_for(lambda: relay.has_said(f"{LOCAL}:{port}: Address already in use; tried again"))
            assert said(free) == b"hello"
            taken.close()
            wait_for(lambda: relay.has_said(f"{LOCAL}:{port}: free now, listening"))
            assert said(port) == b"hello"
            assert relay.end() == 0
