"""What no user means to do: closed streams, endless questions, names that are no text, a full disk."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from helpers import TIDEGATE, Run, wait_for
from rows import Conns

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@contextmanager
def started(environment: dict[str, str], *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`tidegate ARGUMENTS`, killed at the end if it still runs."""
    process = subprocess.Popen(
        [*TIDEGATE, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_endless_question_can_be_ended(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    Conns().add(uid="C1", state="closed").save(tmp_path / "s", "20261120T100000000000-00000001")
    room = tmp_path / "room"
    room.mkdir()
    asked = environment | {"TMPDIR": str(room)}
    with started(asked, "query", ENDLESS, "--store", tmp_path / "s") as asking:
        wait_for(lambda: _cpu_seconds(asking.pid) > 2)
        asking.send_signal(number)
        told = asking.communicate(timeout=30)[1].strip()
    assert (asking.returncode, told) == (code, "")
    assert not list(room.iterdir()), "nothing is left behind"


def _cpu_seconds(pid: int) -> float:
    """What it has used so far: starting takes a part of a second, so more is the question's."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_a_pipe_can_be_ended(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with started(environment, "read", tmp_path / "pipe") as reading:
        wait_for(lambda: "pipe" in _names(reading.pid))
        reading.send_signal(number)
        told = reading.communicate(timeout=30)[1].strip()
    assert (reading.returncode, told) == (code, "")


def _names(pid: int) -> list[str]:
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            names.append((task / "comm").read_text().strip())
    return names


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_go_nowhere(environment: dict[str, str], capture: Path, closed: str) -> None:
    for arguments in (f"read {capture}", f"read {capture} --table conn", "--help", "tables"):
        command = f"{' '.join(TIDEGATE)} {arguments} {closed}"
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b""), command


def test_names_that_are_no_text(run: Run, capture: Path, tmp_path: Path) -> None:
    odd = capture.rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pcap"))
    assert run("read", odd.name).stdout.splitlines()[0].endswith("\\udcff.pcap")
    assert run("read", odd, "--table", "conn", "-o", f"{odd}.parquet").returncode == 0
    assert Path(f"{odd}.parquet").exists()
    for arguments in (["read", odd, "-f", "\udcff"], ["query", "\udcff"], ["watch", "-i", "\udcff"]):
        done = run(*arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "UTF-8" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "small.pcap", "--max-flows", 10**12],
        ["watch", "-i", "lo", "-c", 10**30],
        ["watch", "-i", "lo", "-w", "x", "--rotate-size", "9" * 400],
        ["watch", "-i", "lo", "--for", "99999999999999h"],
        ["watch", "-i", "lo", "-w", ""],
        ["query", "SELECT 1", "--store", ""],
    ],
)
def test_impossible_values_are_usage(run: Run, capture: Path, arguments: list[object]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("tidegate: Invalid value")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_read_is_not_overwritten(run: Run, capture: Path, tmp_path: Path) -> None:
    before = capture.read_bytes()
    (tmp_path / "link").symlink_to(capture)
    for format in ("tsv", "parquet"):
        done = run("read", capture, "-o", "link", "--table", "conn", "--format", format)
        assert done.returncode == 2
        assert "would be overwritten" in done.stderr
        assert capture.read_bytes() == before


def test_a_mistake_leaves_the_output_of_before(run: Run, capture: Path, tmp_path: Path) -> None:
    (tmp_path / "old.tsv").write_text("precious")
    (tmp_path / "noise").write_text("this is not a capture, whatever it may be called")
    assert run("read", "noise", "-o", "old.tsv").returncode == 1
    assert run("read", capture, "-f", "host (", "-o", "old.tsv").returncode == 2
    assert (tmp_path / "old.tsv").read_text() == "precious"


def test_a_terminal_that_knows_no_unicode(run: Run, capture: Path, environment: dict[str, str]) -> None:
    named = capture.rename(capture.with_name("ä" * 100 + ".pcap"))
    ask = ["read", named, "--table", "conn", "--format", "table"]
    done = run(*ask, env=environment | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "\\xe4" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="watching needs root")
def test_a_recording_that_fails_is_said_and_no_success(environment: dict[str, str], tmp_path: Path) -> None:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    command = [*TIDEGATE, "watch", "-i", "lo", "--no-store", "--for", "2s", "-w", "full.pcapng"]
    command += ["-o", "/dev/null", "-s", "64"]
    watch = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=small
    )
    ping = ["ping", "-q", "-c", "200", "-i", "0.005", "127.0.0.1"]
    while watch.poll() is None:
        subprocess.run(ping, check=True, capture_output=True)
    told = watch.communicate()[1]
    assert watch.returncode == 1, told
    assert "tidegate: warning: recording: full.pcapng: File too large" in told
    assert "packets are missing in it" in told
