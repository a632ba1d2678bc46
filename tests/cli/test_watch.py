"""`tidegate watch` on the loopback interface, as a user runs it."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tidegate
from helpers import TIDEGATE, Run, wait_for

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="watching needs root")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def traffic() -> Iterator[int]:
    """UDP datagrams to a port of the loopback interface, until the test ends; the port."""
    over = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = int(receiver.getsockname()[1])

        def talk() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                while not over.wait(0.02):
                    sender.sendto(b"hello", ("127.0.0.1", port))

        talker = threading.Thread(target=talk, name="talker")
        talker.start()
        yield port
        over.set()
        talker.join()


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts `tidegate watch -i lo ...`; killed at the end if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def start_watch(*arguments: object, **options: object) -> subprocess.Popen[str]:
        command = [*TIDEGATE, "watch", "-i", "lo", "--interim", "500ms", *map(str, arguments)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        watch = subprocess.Popen(command, text=True, env=environment, cwd=tmp_path, **streams)  # type: ignore[call-overload]
        running.append(watch)
        return watch  # type: ignore[no-any-return]

    yield start_watch
    for watch in running:
        watch.kill()
        watch.communicate()


def stored(store: Path, port: int) -> list[tuple[object, ...]]:
    """The connections to the port; none while there is no store."""
    if not (store / "VERSION").exists():
        return []
    return list(tidegate.query(f"SELECT state, up_packets FROM conn WHERE dst_port = {port}", store))


@needs_root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_everything_written(
    start: Start, tmp_path: Path, traffic: int, number: signal.Signals
) -> None:
    watch = start("--store", "s", f"udp port {traffic}")
    wait_for(lambda: stored(tmp_path / "s", traffic))
    watch.send_signal(number)
    _, told = watch.communicate(timeout=30)
    assert watch.returncode == 0, told
    assert "tidegate: watched lo for " in told
    assert "tidegate: dropped: " in told
    assert not list(tmp_path.glob("s/open/*/*"))
    assert [row[0] for row in stored(tmp_path / "s", traffic)] == ["closed"]


@needs_root
def test_asking_while_watching_sees_a_connection_once(start: Start, tmp_path: Path, traffic: int) -> None:
    start("--store", "s", f"udp port {traffic}")
    wait_for(lambda: stored(tmp_path / "s", traffic))
    first = stored(tmp_path / "s", traffic)
    assert [row[0] for row in first] == ["active"]
    wait_for(lambda: stored(tmp_path / "s", traffic) > first)
    assert len(stored(tmp_path / "s", traffic)) == 1


@needs_root
def test_a_connection_is_told_when_it_opens(start: Start, traffic: int) -> None:
    watch = start("--no-store", "--interim", "1h", "--format", "jsonl", f"udp port {traffic}")
    assert watch.stdout is not None
    row = json.loads(watch.stdout.readline())
    assert (row["dst_port"], row["state"]) == (traffic, "active")


@needs_root
def test_it_ends_by_itself_and_writes_rows(start: Start, traffic: int) -> None:
    watch = start("--no-store", "--for", "1s", "--format", "jsonl", f"udp port {traffic}")
    rows, told = watch.communicate(timeout=60)
    assert watch.returncode == 0, told
    last = json.loads(rows.splitlines()[-1])
    assert (last["dst_port"], last["state"]) == (traffic, "closed")


@needs_root
def test_a_reader_that_goes_away_ends_it_quietly(start: Start, tmp_path: Path, traffic: int) -> None:
    watch = start("--store", "s", "--format", "jsonl", f"udp port {traffic}")
    assert watch.stdout is not None
    assert watch.stdout.readline()
    watch.stdout.close()
    assert watch.wait(timeout=60) == 0
    assert watch.stderr is not None
    assert "Broken" not in watch.stderr.read()
    assert [row[0] for row in stored(tmp_path / "s", traffic)] == ["closed"]


@needs_root
def test_killed_and_started_again_nothing_written_is_lost(start: Start, tmp_path: Path, traffic: int) -> None:
    for _ in range(3):
        before = len(stored(tmp_path / "s", traffic))
        watch = start("--store", "s", f"udp port {traffic}")
        wait_for(lambda before=before: len(stored(tmp_path / "s", traffic)) > before)  # type: ignore[misc]
        watch.kill()
        watch.communicate()
    assert len(stored(tmp_path / "s", traffic)) == 3


@needs_root
def test_a_second_watch_is_told_who_writes(start: Start, tmp_path: Path, traffic: int) -> None:
    first = start("--store", "s", f"udp port {traffic}")
    wait_for(lambda: stored(tmp_path / "s", traffic))
    _, told = start("--store", "s").communicate(timeout=60)
    assert f"process {first.pid} is writing to this store" in told
    assert len([line for line in told.splitlines() if "writing" in line]) == 1


@needs_root
def test_recording_beside(start: Start, tmp_path: Path, traffic: int, run: Run) -> None:
    watch = start("--no-store", "-c", "5", "-w", "beside.pcapng", f"udp port {traffic}")
    _, told = watch.communicate(timeout=60)
    assert watch.returncode == 0, told
    recording = next(tmp_path.glob("beside*"))
    rows = run("read", recording, "--table", "packet", "--format", "tsv").stdout.splitlines()
    assert len(rows) >= 6
    assert recording.stat().st_mode & 0o777 == 0o640  # what others say is not for everybody


def test_interfaces_are_listed(run: Run) -> None:
    done = run("watch", "-D")
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("lo ") and "127.0.0.1" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-i", "nope0", "--no-store"], 1, "nope0"),
        (["--for", "soon"], 2, "200s"),
        (["--table", "nope"], 2, "there is no table"),
        (["--no-store", "--store", "x"], 2, "contradict"),
        (["--rotate-size", "1M"], 2, "add -w FILE"),
        (["-i", "lo", "--no-store", "tcp", "porrt", "80"], 2, "filter"),
    ],
)
def test_a_mistake_is_one_line(run: Run, arguments: list[str], code: int, words: str) -> None:
    done = run("watch", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
