"""`tidegate relay` as a user runs it: doors, lines, bytes, rows, commands, signals."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from doors import LOCAL, answering, call, said

from helpers import TIDEGATE, Run, free_port, wait_for

Started = Callable[..., "Running"]


@dataclass
class Running:
    """A relay that was started, and where it is asked."""

    process: subprocess.Popen[str]
    lines: list[str]
    socket: Path

    def has_said(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Started]:
    """Starts `tidegate relay ARGUMENTS`, and waits until its doors are open."""
    started: list[tuple[subprocess.Popen[str], list[threading.Thread]]] = []

    def run(*arguments: object, port: int = 0) -> Running:
        words = [*TIDEGATE, "relay", "--no-helper", *map(str, arguments)]
        process = subprocess.Popen(
            words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        lines: list[str] = []
        threads = [
            threading.Thread(target=lines.extend, args=(stream,), name="reader")
            for stream in (process.stdout, process.stderr)
        ]
        for thread in threads:
            thread.start()
        started.append((process, threads))
        store = tmp_path / "store"
        running = Running(process, lines, store / "relay.sock")
        wait_for(lambda: running.has_said("files may be open") or process.poll() is not None)
        return running

    yield run
    for process, threads in started:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@contextmanager
def relaying(start: Started, tmp_path: Path, *arguments: object) -> Iterator[tuple[int, Running]]:
    port = free_port()
    with answering() as backend:
        spec = f"{LOCAL}:{port}={LOCAL}:{backend}"
        yield port, start("-p", spec, "--store", tmp_path / "store", *arguments)


def test_a_door_is_opened_and_everything_is_on_record(start: Started, tmp_path: Path, run: Run) -> None:
    with relaying(start, tmp_path, "-D") as (port, running):
        assert said(port, b"GET /a HTTP/1.1\r\nHost: x.example\r\n\r\n")
        wait_for(lambda: running.has_said("(fin)"))
        assert running.has_said(f"+ #1 {LOCAL}:{port}")
        assert running.end() == 0
    assert running.has_said("relayed 1 connection in")
    assert running.has_said("kept in")
    sql = "SELECT type, connection_id FROM relay WHERE connection_id IS NOT NULL ORDER BY ts"
    answer = run("query", "--store", tmp_path / "store", sql, "--format", "csv").stdout.splitlines()[1:]
    assert answer[0] == "accept,1"
    assert answer[-1] == "close,1"
    sql = "SELECT uri, relay_service FROM http JOIN conn USING (uid)"
    answer = run("query", "--store", tmp_path / "store", sql, "--format", "csv").stdout.splitlines()
    assert answer[1] == f"/a,{LOCAL}:{port}"


def test_bytes_are_printed_both_ways_and_not_kept(start: Started, tmp_path: Path, run: Run) -> None:
    with relaying(start, tmp_path, "--hex") as (port, running):
        said(port, b"secret\x1b")
        wait_for(lambda: running.has_said("> 127.0.0.1") and running.has_said("< 127.0.0.1"))
        wait_for(lambda: running.has_said("|secret.|"))
        assert running.end() == 0
    sql = "SELECT count(*) AS n FROM relay WHERE payload IS NOT NULL"
    assert run("query", "--store", tmp_path / "store", sql, "--format", "csv").stdout.split() == ["n", "0"]


def test_rows_are_written_as_asked_for(start: Started, tmp_path: Path) -> None:
    with relaying(start, tmp_path, "--format", "autonapt", "-o", tmp_path / "x.log") as (port, running):
        said(port)
        wait_for(lambda: '"close"' in (tmp_path / "x.log").read_text())
        assert running.end(signal.SIGINT) == 0
    types = [json.loads(line)["type"] for line in (tmp_path / "x.log").read_text().splitlines()]
    assert types == ["accept", "connect", "close"]


def test_a_running_relay_is_asked_and_told(start: Started, tmp_path: Path, run: Run) -> None:
    with relaying(start, tmp_path) as (port, running), call(port, "127.0.0.2") as client:
        client.sendall(b"a")
        assert client.recv(1) == b"a"

        def ask(*words: object) -> str:
            done = run("relay", "--store", tmp_path / "store", *words)
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert f"service   {LOCAL}:{port}  1 open, 1 in all" in ask("status")
        told = json.loads(ask("status", "--json"))
        assert told["connections"][0]["client_ip"] == "127.0.0.2"
        assert "is rejected" in ask("reject", "127.0.0.2")
        assert "rejected already" in ask("reject", "127.0.0.2")
        wait_for(lambda: not json.loads(ask("status", "--json"))["connections"])
        assert said(port, source="127.0.0.2") == b""
        assert json.loads(ask("release", "127.0.0.2", "--json"))["changed"]
        assert said(port, source="127.0.0.2") == b"hello"
        refused = run("relay", "--store", tmp_path / "store", "kill", 999)
        assert (refused.returncode, "no connection 999" in refused.stderr) == (2, True)
        with call(port) as other:
            other.sendall(b"a")
            assert other.recv(1) == b"a"
            (live,) = json.loads(ask("status", "--json"))["connections"]
            ask("kill", live["id"])
            wait_for(lambda: not json.loads(ask("status", "--json"))["connections"])
        ask("reload")
        ask("drain")
        assert running.process.wait(30) == 0


def test_the_configuration_is_read_anew_and_nobody_notices(start: Started, tmp_path: Path) -> None:
    one, two = free_port(), free_port()
    file = tmp_path / "t.yml"
    with answering() as backend:
        service = f"{{name: a, listen: '{LOCAL}:%d', backend: ':{backend}'}}"
        text = f"store: {{path: {tmp_path}/store}}\nrelay: {{services: [{service}]}}\n"
        file.write_text(text % one)
        running = start("--config", file)
        with call(one) as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            file.write_text(text % two)
            running.process.send_signal(signal.SIGHUP)
            wait_for(lambda: running.has_said("reload: done"))
            assert said(two) == b"hello"
            client.sendall(b"b")
            assert client.recv(1) == b"b"
            file.write_text("relay: {services: 5}")
            running.process.send_signal(signal.SIGHUP)
            wait_for(lambda: running.has_said("reload: nothing changed"))
            assert said(two) == b"hello"
        assert running.end() == 0


def test_the_bytes_of_the_day_outlive_a_restart(start: Started, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "t.yml"
    with answering() as backend:
        limits = "limits: {bytes_per_day: 1000}"
        service = f"{{name: a, listen: '{LOCAL}:{port}', backend: ':{backend}', {limits}}}"
        file.write_text(f"store: {{path: {tmp_path}/store}}\nrelay: {{services: [{service}]}}\n")
        for answer in (b"x" * 600, b""):
            running = start("--config", file)
            assert said(port, b"x" * 600) == answer
            assert running.end() == 0


def test_the_first_signal_waits_for_connections_the_second_does_not(start: Started, tmp_path: Path) -> None:
    with relaying(start, tmp_path) as (port, running), call(port) as client:
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: running.has_said("1 connection has 30 s"))
        client.sendall(b"b")
        assert client.recv(1) == b"b"
        assert running.end() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", ":22"], "LISTEN=BACKEND is expected"),
        (["-p", "x"], "LISTEN=BACKEND is expected"),
        (["-p", ":99999=:1"], "LISTEN=BACKEND is expected"),
        (["-p", ":1=:3", "-p", ":1=:2"], "is there already"),
        ([], "nothing to relay"),
        (["-p", ":1=:1", "--steering", "magic"], "--steering"),
        (["-p", ":1=:1", "--store", "x", "--no-store"], "contradict"),
        (["-p", "127.0.0.1:1=no.such.host.invalid:1", "--no-store", "--no-helper"], "no.such.host.invalid"),
        (["status"], "no relay answers"),
        (["reject", "x"], "no relay answers"),
        (["status", "--socket", "none"], "no Tidegate answers"),
    ],
)
def test_a_mistake_is_one_line(
    run: Run, environment: dict[str, str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    # Not the usual place, where a relay of another test may be.
    done = run("relay", *arguments, env=environment | {"TIDEGATE_STORE__PATH": str(tmp_path / "store")})
    assert done.returncode == 2
    assert said in done.stderr
    assert len([line for line in done.stderr.splitlines() if "debug build" not in line]) == 1


def test_services_of_a_file_that_is_not_named_stay_closed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    from tidegate.cli.relaying import Options

    file = tmp_path / "t.yml"
    file.write_text("relay: {services: [{name: a, listen: 9, backend: ':1'}]}\n")

    def options(config: Path | None, *specs: str) -> Options:
        return Options(specs, False, False, None, (), None, None, None, True, (), None, config, True)

    assert [each.name for each in options(file).configured().relay.services] == ["a"]
    assert [each.name for each in options(file, ":8=:1").configured().relay.services] == ["a", ":8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_CONFIG", str(file))
        assert [each.name for each in options(None, ":8=:1").configured().relay.services] == [":8"]
        assert [each.name for each in options(None).configured().relay.services] == ["a"]
