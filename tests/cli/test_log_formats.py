"""The formats of logs in `read` and `watch`, and what strangers send on its way through all of it."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

import pcaps
from helpers import TIDEGATE, Run, wait_for

GOLDEN = Path(__file__).parents[1] / "golden"

HOSTILE = [
    b"[/foo]",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\xc2\x9b31m",
    "\u202eexe.txt".encode(),
    b"a\tb",
    b"\xff\xfe\x80",
    b'"q",\'x\\',
    b"A" * 30_000,
]

ACTED_ON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]"
)
"""What a terminal would act on."""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Requests with a hostile Host and User-Agent each."""
    frames = []
    for number, name in enumerate(HOSTILE):
        request = b"GET / HTTP/1.1\r\nHost: " + name + b"\r\nUser-Agent: " + name + b"\r\n\r\n"
        frames += pcaps.http_get(("10.0.0.5", 40_000 + number), start=float(number), request=request)
    return pcaps.write_pcap(tmp_path / "hostile.pcap", frames)


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl", "zeek", "eve", "ecs"])
def test_what_strangers_send_keeps_lines_whole(run: Run, hostile: Path, format: str) -> None:
    done = run("read", hostile, "--format", format, "--table", "http")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.split("\n")[:-1] if not line.startswith(("#", "ts"))]
    assert len(rows) == len(HOSTILE)
    if format in ("zeek", "eve", "ecs"):  # the others are made safe in logs, and on terminals
        assert not ACTED_ON.search(done.stdout)


def test_excerpts_of_what_strangers_send(run: Run, hostile: Path) -> None:
    done = run("read", hostile, "--format", "conmon", "--table", "packet", "--excerpt", "65535")
    rows = [line.split("\t") for line in done.stdout.split("\n")[:-1]]
    assert len(rows) == 2 * len(HOSTILE)
    assert {len(cells) for cells in rows} == {11}
    assert not ACTED_ON.search(done.stdout)
    assert r"\x1b]52;c;aGVsbG8=\x07" in rows[2][10]


def test_a_directory_gets_the_files_that_readers_expect(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("read", GOLDEN / "tls.pcap", "--format", "zeek", "-t", "conn", "-t", "tls", "-o", out)
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in out.iterdir()) == ["conn.log", "ssl.log"]
    for file in out.iterdir():
        lines = file.read_text().splitlines()
        assert lines[0] == r"#separator \x09"
        assert lines[-1].startswith("#close\t")
    assert run("read", GOLDEN / "tls.pcap", "--format", "eve", "-o", out).returncode == 0
    kinds = {json.loads(line)["event_type"] for line in (out / "eve.json").read_text().splitlines()}
    assert {"flow", "tls", "stats"} <= kinds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "zeek", "-t", "conn", "-t", "dns"], "several tables need files: add -o DIR"),
        (["--format", "conmon", "-t", "http"], "conmon writes connections"),
        (["--format", "zek"], "Invalid value for '--format'"),
    ],
)
def test_what_makes_no_sense(run: Run, arguments: list[str], said: str) -> None:
    done = run("read", GOLDEN / "dns.pcap", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_to_a_question_is_of_no_table(run: Run) -> None:
    done = run("query", "SELECT 1", "--format", "zeek")
    assert done.returncode == 2
    assert "Invalid value for '--format'" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="watching needs root")
def test_watching_writes_them_too(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        command = [
            *TIDEGATE,
            "watch",
            "-i",
            "lo",
            "--no-store",
            "--format",
            "eve",
            "-o",
            str(path),
            "-c",
            "20",
        ]
        with subprocess.Popen(
            [*command, f"udp port {port}"], env=environment, stderr=subprocess.PIPE, text=True
        ) as watch:
            try:

                def over() -> bool:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                        sender.sendto(b"hello", ("127.0.0.1", port))
                    return watch.poll() is not None

                wait_for(over)
            finally:
                watch.kill()
            _, told = watch.communicate(timeout=30)
    assert watch.returncode == 0, told
    events = [json.loads(line) for line in path.read_text().splitlines()]
    flows = [event for event in events if event["event_type"] == "flow"]
    assert flows
    assert {event["dest_port"] for event in flows} == {port}
    assert len({event["flow_id"] for event in flows}) == len(flows), "no rows of connections still open"
