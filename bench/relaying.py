"""The relay beside others, logs on: bulk, new connections, requests on a kept one, memory."""

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from measure import BUILT, Check, Report, compiled
from relay_peers import Peer, free_port, relays, running

SECONDS = "2"
FEW, IDLE = 1000, 8900
BULK, SHORT = 1.3, 1.0


def load(*words: object) -> list[float]:
    """What the load measures."""
    command = [compiled("load"), *map(str, words)]
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True).stdout.split()]


def idle(peer: Peer) -> float:
    """Bytes of memory that a connection at rest costs, beyond the first thousand."""
    with held(peer.port, FEW) as few:
        before = peer.resident()
        with held(peer.port, IDLE - few) as more:
            return (peer.resident() - before) / more


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


def figures(peer: Peer) -> dict[str, float]:
    """One round of one relay."""
    found = {}
    for streams, words in ((1, "1 stream"), (8, "8 streams")):
        before = peer.cpu()
        found[f"bulk, {words}, GB/s"] = rate = load("bulk", peer.port, streams, SECONDS)[0] / 1e9
        found[f"bulk, {words}, CPU ms a GB"] = (peer.cpu() - before) / (rate * float(SECONDS)) * 1e3
    before = peer.cpu()
    found["new connections/s"] = rate = load("short", peer.port, 50, SECONDS)[0]
    found["CPU us per new connection"] = (peer.cpu() - before) / (rate * float(SECONDS)) * 1e6
    found["1 KB request, p50 us"], found["1 KB request, p99 us"] = load("kept", peer.port, SECONDS)
    return found


def relaying(rounds: int, threads: int = 1) -> Report:
    """Rounds in turns."""
    BUILT.mkdir(parents=True, exist_ok=True)
    backend = free_port()
    with running(backend, compiled("load"), "serve", str(backend)), relays(threads, backend) as peers:
        # socat has a process for each connection.
        memory = {name: idle(peer) for name, peer in peers.items() if name != "socat"}
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
        for _ in range(rounds):
            for name, peer in peers.items():
                taken[name].append(figures(peer))
    others = [name for name in taken if name != "tidegate"]
    titles = ("tidegate", *(word for name in others for word in (name, "ratio")))
    rows: list[tuple[str, ...]] = [(f"{threads} threads", *titles)]
    ratios = {}
    for what in taken["tidegate"][0]:
        ours = [each[what] for each in taken["tidegate"]]
        row = [f"{statistics.median(ours):.4g}"]
        for name in others:
            theirs = [each[what] for each in taken[name]]
            ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
            ratios.setdefault(what, ratio)  # of the first of them, HAProxy
            row += [f"{statistics.median(theirs):.4g}", f"{ratio:.2f}"]
        rows.append((what, *row))
    costs = [f"{memory[name]:.0f}" if name in memory else "" for name in taken]
    rows.append(("bytes per idle connection", costs[0], *(word for cost in costs[1:] for word in (cost, ""))))
    checks = [
        Check("bulk, 1 stream, against HAProxy", ratios["bulk, 1 stream, GB/s"], BULK, at_least=True),
        Check("bulk, 8 streams, against HAProxy", ratios["bulk, 8 streams, GB/s"], BULK, at_least=True),
        Check("new connections/s against HAProxy", ratios["new connections/s"], SHORT, at_least=True),
        Check("median of a request against HAProxy", ratios["1 KB request, p50 us"], 1.0, at_least=False),
        Check("99th percentile against HAProxy", ratios["1 KB request, p99 us"], 1.0, at_least=False),
        Check("bytes per idle connection", memory["tidegate"], 1000, at_least=False),
    ]
    return Report(rows, checks)


if __name__ == "__main__":
    relaying(*map(int, sys.argv[1:] or ["5"])).print("relaying")
