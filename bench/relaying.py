"""The relay beside HAProxy, logs on: bulk, new connections, requests on a kept one, memory."""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from measure import BENCH, BUILT, Check, Report, compiled

SECONDS = "2"
FEW, IDLE = 1000, 8900
BULK, SHORT = 1.3, 1.0

HAPROXY = """
global
    maxconn 9000
    nbthread {threads}
    log {log} format raw local0
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:{listen}
    server backend 127.0.0.1:{backend}
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(port: int, *command: str) -> Iterator[int]:
    """A program that listens on a port; its process number."""
    with (BUILT / "relay.out").open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def relays(threads: int, backend: int) -> Iterator[Mapping[str, tuple[int, int]]]:
    """All of them at once, each idle while others are measured: port and process by name."""
    haproxy = shutil.which("haproxy")
    if haproxy is None:
        raise SystemExit("haproxy is not installed (apt-get install haproxy)")
    ours, theirs = free_port(), free_port()
    config = BUILT / "haproxy.cfg"
    config.write_text(
        HAPROXY.format(threads=threads, log="stdout", listen=theirs, backend=backend), encoding="utf-8"
    )
    here = [sys.executable, str(BENCH / "relay_here.py"), str(ours), str(backend), str(threads)]
    with (
        running(ours, *here, str(BUILT / "relay.jsonl")) as tidegate,
        running(theirs, haproxy, "-db", "-f", str(config)) as other,
    ):
        yield {"tidegate": (ours, tidegate), "haproxy": (theirs, other)}


def load(*words: object) -> list[float]:
    """What the load measures."""
    command = [compiled("load"), *map(str, words)]
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True).stdout.split()]


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Bytes of memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def idle(port: int, pid: int) -> float:
    """Bytes of memory that a connection at rest costs, beyond the first thousand."""
    with held(port, FEW) as few:
        before = resident(pid)
        with held(port, IDLE - few) as more:
            return (resident(pid) - before) / more


@contextlib.contextmanager
def held(port: int, wish: int) -> Iterator[int]:
    """So many connections that have asked once, until the block ends; how many they are."""
    words = [compiled("load"), "idle", str(port), str(wish)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        count = int(holder.stdout.readline())
        # Until what the log took up for them is given back.
        time.sleep(4)
        yield count
        assert holder.stdin is not None
        holder.stdin.close()


def figures(port: int, pid: int) -> dict[str, float]:
    """One round of one relay."""
    found = {"bulk, 1 stream, GB/s": load("bulk", port, 1, SECONDS)[0] / 1e9}
    found["bulk, 8 streams, GB/s"] = load("bulk", port, 8, SECONDS)[0] / 1e9
    before = cpu(pid)
    found["new connections/s"] = load("short", port, 50, SECONDS)[0]
    found["CPU us per new connection"] = (
        (cpu(pid) - before) / found["new connections/s"] / float(SECONDS) * 1e6
    )
    found["1 KB request, p50 us"], found["1 KB request, p99 us"] = load("kept", port, SECONDS)
    return found


def relaying(rounds: int, threads: int = 1) -> Report:
    """Rounds in turns."""
    BUILT.mkdir(parents=True, exist_ok=True)
    backend = free_port()
    taken: dict[str, list[dict[str, float]]] = {"tidegate": [], "haproxy": []}
    with running(backend, compiled("load"), "serve", str(backend)), relays(threads, backend) as ports:
        memory = {name: idle(*at) for name, at in ports.items()}
        for _ in range(rounds):
            for name, at in ports.items():
                taken[name].append(figures(*at))
    rows: list[tuple[str, ...]] = [(f"{threads} threads", "tidegate", "haproxy", "ratio")]
    ratios = {}
    for what in taken["haproxy"][0]:
        ours, theirs = ([each[what] for each in taken[name]] for name in ("tidegate", "haproxy"))
        ratios[what] = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        values = [f"{statistics.median(each):.4g}" for each in (ours, theirs)]
        rows.append((what, *values, f"{ratios[what]:.2f}"))
    rows.append(("bytes per idle connection", *(f"{memory[name]:.0f}" for name in taken), ""))
    checks = [
        Check("bulk, 1 stream, against HAProxy", ratios["bulk, 1 stream, GB/s"], BULK, at_least=True),
        Check("bulk, 8 streams, against HAProxy", ratios["bulk, 8 streams, GB/s"], BULK, at_least=True),
        Check("new connections/s against HAProxy", ratios["new connections/s"], SHORT, at_least=True),
        Check("median of a request against HAProxy", ratios["1 KB request, p50 us"], 1.0, at_least=False),
        Check("bytes per idle connection", memory["tidegate"], 1000, at_least=False),
    ]
    return Report(rows, checks)


if __name__ == "__main__":
    relaying(*map(int, sys.argv[1:] or ["5"])).print("relaying")
