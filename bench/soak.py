"""Everything bad at once against one `tidegate relay`, beside a good client: memory, CPU, losses, waits."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import BENCH, BUILT, Check, Report, compiled
from relay_peers import free_port, running
from watching import family, used

from tidegate.pipeline.control import ask

LOCAL = "127.0.0.1"
NAMES = ("good", "drip", "deaf", "half-open", "denied", "tarpit", "refuses", "hangs", "vanishes")
BACKENDS = ("page", "flood", "vanish", "echo", "hang", "closed")
SEGMENT = "5M"
"""Segments are closed early and often, so that what closing costs is measured too."""
REPLY = 1024
MOST_GROWTH = 1.1
WARM = 40.0
"""Seconds before anything is measured: all guests are there, caches are filled, segments were closed."""
PATIENCE = 60.0
MOST_WAIT = 5.0
"""Seconds that the good client may be kept waiting once, on a machine that has other things to do."""


@dataclass
class Bystander:
    """A good client: 1 KB on a kept connection, and on a new one, again and again."""

    port: int
    kept: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is told."""
        client = self._connect()
        while not self.over.wait(0.02):
            try:
                self.kept.append(self._page(client, b"k"))
                began = time.perf_counter()
                with self._connect() as other:
                    self._page(other, b"c")
                self.new.append(time.perf_counter() - began)
            except OSError as error:
                self.failed.append(str(error))
                client = self._connect()
        client.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection((LOCAL, self.port), 30)

    def _page(self, client: socket.socket, word: bytes) -> float:
        began = time.perf_counter()
        client.sendall(word)
        left = REPLY
        while left:
            piece = client.recv(left)
            if not piece:
                raise ConnectionError("ended in the middle")
            left -= len(piece)
        return time.perf_counter() - began


@dataclass
class Soaked:
    """What was seen."""

    memory: list[int] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    cpu: float = 0.0
    status: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    piped: int = 0
    """Lines that the slow reader of a log has had."""


def half_open() -> int:
    """As many as leave room for the others, with both ends in processes of this limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(8000, hard // 2 - 1500)


def configuration(place: Path, ports: dict[str, int]) -> Path:
    """Services, and three logs: one that is well, one on a full disk, one whose reader is slow."""

    def service(name: str, backend: str, **more: Any) -> dict[str, Any]:
        made = {"name": name, "listen": f"{LOCAL}:{ports[name]}", "backend": f"{LOCAL}:{ports[backend]}"}
        return {**made, "listen_backlog": 4096, "excerpts": {"per_direction": 256}, **more}

    rules = [{"name": "http", "protocols": "http", "backend": f"{LOCAL}:{ports['echo']}"}]
    deny = {"deny": ["127.0.0.66"]}
    services = [
        service("good", "page"),
        service("drip", "echo", rules=rules, timeouts={"first_byte": "2s", "detect": "5s"}),
        service("deaf", "flood", timeouts={"write_stall": "10s"}),
        service("half-open", "closed", rules=rules, timeouts={"first_byte": "1h"}),
        service("denied", "closed", **deny, limits={"refusal": "reset"}),
        service("tarpit", "closed", **deny, limits={"refusal": "tarpit"}, timeouts={"tarpit": "5s"}),
        service("refuses", "closed"),
        service("hangs", "hang", timeouts={"connect": "1s"}),
        service("vanishes", "vanish"),
    ]
    log = {"format": "jsonl", "tables": ["relay"]}
    logs = [
        {**log, "name": "well", "path": str(place / "well.jsonl"), "rotate_size": "50M", "keep": 0},
        {**log, "name": "full", "path": str(place / "disk" / "full.jsonl"), "buffer": "1M"},
        {**log, "name": "slow", "path": str(place / "slow"), "buffer": "1M"},
    ]
    file = place / "soak.yml"
    relay = {"drain": "2s", "services": services}
    file.write_text(json.dumps({"store": {"path": str(place / "store")}, "relay": relay, "logs": logs}))
    return file


@contextlib.contextmanager
def small_disk(at: Path) -> Iterator[None]:
    """A disk of 1 MB for a log; the ordinary one where we may mount none."""
    at.mkdir()
    mounted = os.geteuid() == 0
    if mounted:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", at], check=True)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", at], check=True)


class Slow:
    """Reads 1 kB of a log a second; all of it at the end."""

    def __init__(self, pipe: Path) -> None:
        os.mkfifo(pipe)
        self._end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.lines = 0

    def read(self, most: int = 1024) -> int:
        """How much there was."""
        try:
            piece = os.read(self._end, most)
        except BlockingIOError:
            return 0
        self.lines += piece.count(b"\n")
        return len(piece)


def soaked(program: str, place: Path, seconds: float, bystander: Bystander, ports: dict[str, int]) -> Soaked:
    """Runs all of it."""
    seen, slow = Soaked(), Slow(place / "slow")
    words = [program, "relay", "--config", str(configuration(place, ports))]
    env = os.environ | {"TIDEGATE_STORE__SEGMENT_BYTES": SEGMENT}
    said = place / "said"
    asked = place / "store" / "relay.sock"
    bad = [sys.executable, str(BENCH / "soak_guests.py"), json.dumps(ports)]
    with said.open("wb") as out, subprocess.Popen(words, env=env, stdout=out, stderr=out) as relay:
        client = threading.Thread(target=bystander.run, name="bystander")
        try:
            wait(lambda: b"files may be open" in said.read_bytes() or relay.poll() is not None)
            client.start()
            with subprocess.Popen(bad, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guests:
                try:
                    assert guests.stdout
                    guests.stdout.readline()
                    time.sleep(WARM)
                    measure(relay.pid, seconds, asked, seen, slow)
                finally:
                    assert guests.stdin
                    guests.stdin.close()
            bystander.over.set()
            client.join()
            wait(lambda: not ask(asked, {"do": "relay"})["relay"]["connections"])
            seen.status = ask(asked, {"do": "relay"})["relay"]
        finally:
            bystander.over.set()
            relay.send_signal(signal.SIGTERM)
            while relay.poll() is None:
                slow.read(1 << 20)
                time.sleep(0.001)
    while slow.read(1 << 20):
        pass
    seen.piped, seen.said = slow.lines, said.read_text(errors="replace")
    return seen


def wait(condition: Any) -> None:
    """Until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("soak: waited in vain")
        time.sleep(0.1)


def measure(pid: int, seconds: float, asked: Path, seen: Soaked, slow: Slow) -> None:
    """Looks every second."""
    pids = family(pid)
    begun, (before, _) = time.monotonic(), used(pids)
    while time.monotonic() - begun < seconds:
        time.sleep(1.0)
        slow.read()
        seen.memory.append(used(pids)[1])
        seen.connections.append(ask(asked, {"do": "relay"})["relay"]["connections"])
    seen.cpu = (used(pids)[0] - before) / (time.monotonic() - begun)


@dataclass
class Record:
    """What a log says, by numbers of connections."""

    rows: int = 0
    accepted: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)


def recorded(place: Path) -> Record:
    """The log that was well."""
    found = Record()
    kinds = {"accept": found.accepted, "refused": found.refused, "close": found.closed}
    for file in place.glob("well.jsonl*"):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                found.rows += 1
                if row["type"] in kinds:
                    kinds[row["type"]].add(row["connection_id"])
    return found


def lost(said: str, name: str) -> int:
    """Lines that a log has lost, by what was said of it."""
    pattern = rf"log {name}: .*?(\d+) lines (?:could not be written|were lost)"
    return sum(map(int, re.findall(pattern, said)[-1:]))


def moments(values: list[int]) -> list[int]:
    """About a dozen of them, the last one included."""
    return values[:: max(1, len(values) // 12)] + values[-1:]


def percentiles(times: list[float]) -> str:
    """Milliseconds: median, 99th percentile, longest."""
    ordered = sorted(times)
    values = (ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])
    return ", ".join(f"{value * 1e3:.2f}" for value in values)


def soak(program: str, seconds: float) -> Report:
    """All of it, and whether it adds up."""
    BUILT.mkdir(parents=True, exist_ok=True)
    ports = {name: free_port() for name in (*NAMES, *BACKENDS)}
    ports["half-open count"] = half_open()
    bystander = Bystander(ports["good"])
    with (
        tempfile.TemporaryDirectory() as folder,
        small_disk(Path(folder) / "disk"),
        running(ports["page"], compiled("load"), "serve", str(ports["page"])),
    ):
        place = Path(folder)
        seen = soaked(program, place, seconds, bystander, ports)
        record = recorded(place)
        full = sum(file.read_bytes().count(b"\n") for file in (place / "disk").iterdir())
    return judged(seen, record, bystander, full, seconds)


def judged(seen: Soaked, record: Record, bystander: Bystander, full: int, seconds: float) -> Report:
    """Figures and promises."""
    third = max(1, len(seen.memory) // 3)
    first, last = (statistics.median(part) for part in (seen.memory[:third], seen.memory[-third:]))
    services = seen.status["services"]
    let_in = sum(service["total"] for service in services.values())
    refused = {
        cause: sum(service["refused"].get(cause, 0) for service in services.values())
        for cause in sorted({cause for service in services.values() for cause in service["refused"]})
    }
    left_full, left_slow = (lost(seen.said, name) for name in ("full", "slow"))
    rows: list[tuple[str, ...]] = [
        (f"{seconds:.0f} s of everything at once", ""),
        ("memory MB, first and last third", f"{first / 1e6:.0f}, {last / 1e6:.0f}"),
        ("memory MB, over time", ", ".join(f"{each / 1e6:.0f}" for each in moments(seen.memory))),
        ("CPU of one core", f"{seen.cpu:.1%}"),
        (
            "connections at once, median and most",
            f"{statistics.median(seen.connections):.0f}, {max(seen.connections)}",
        ),
        ("connections let in", str(let_in)),
        ("refused", ", ".join(f"{count} {cause}" for cause, count in refused.items())),
        ("rows of events", str(record.rows)),
        ("rows dropped by a full queue", str(seen.status["dropped"])),
        ("lines lost: disk full, reader slow", f"{left_full}, {left_slow}"),
        ("good client: requests on a kept connection", str(len(bystander.kept))),
        ("  ms: median, p99, longest", percentiles(bystander.kept)),
        ("good client: new connections", str(len(bystander.new))),
        ("  ms: median, p99, longest", percentiles(bystander.new)),
    ]
    seats = record.accepted | record.refused
    wrong = {
        "numbers of connections that are neither let in nor refused": max(seats) - len(seats),
        "connections both let in and refused": len(record.accepted & record.refused),
        "connections let in that have no end, or end twice": len(
            record.accepted ^ (record.closed - record.refused)
        ),
        "connections let in: counted less recorded": abs(let_in - len(record.accepted)),
        "connections refused: counted less recorded": abs(sum(refused.values()) - len(record.refused)),
        "rows of the log on a full disk, less those written and those lost": abs(
            record.rows - full - left_full
        ),
        "rows of the log that is read slowly, likewise": abs(record.rows - seen.piped - left_slow),
        "rows dropped": seen.status["dropped"],
        "failures of the good client": len(bystander.failed),
    }
    checks = [Check(name, value, 0, at_least=False) for name, value in wrong.items()]
    longest = max(*bystander.kept, *bystander.new)
    checks += [
        Check("longest wait of the good client", longest, MOST_WAIT, at_least=False, unit=" s"),
        Check("memory in the last third, times that in the first", last / first, MOST_GROWTH, at_least=False),
    ]
    return Report(rows, checks)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing is to stay behind
    tidegate = str(Path(sys.executable).with_name("tidegate"))
    report = soak(tidegate, float(sys.argv[1]) if len(sys.argv) > 1 else 600)
    report.print("soak")
    sys.exit(not all(check.holds for check in report.checks))
