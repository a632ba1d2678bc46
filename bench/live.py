"""Live over a veth pair at rising rates: what is lost, and CPU per packet, ours beside tcpdump's."""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import BUILT, Check, Report, compiled

SENDER, WATCHER, DEVICE = "tgb-sender", "tgb-watcher", "net0"
RATES = (100_000, 200_000, 400_000, 0)
"""Packets per second asked of the flooder; 0 is all it can."""
SECONDS = 5
MANY, FRAME = 10**9, 60
"""Frames at most, and bytes in each."""
PATIENCE = 20.0


@dataclass(frozen=True)
class Watched:
    """One program, one flood."""

    sent: int
    seen: int
    dropped: int
    cpu: float
    """User and system seconds."""

    @property
    def lost(self) -> int:
        """Packets sent and not seen, whatever the program says about it."""
        return max(0, self.sent - self.seen)


def ip(*words: str) -> None:
    """Runs ip(8)."""
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def pair() -> Iterator[None]:
    """Two namespaces with a veth pair between them, silent but for the flood."""
    remove()
    for name in (SENDER, WATCHER):
        ip("netns", "add", name)
        quiet = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        ip("netns", "exec", name, "sysctl", "-qw", *quiet)
    ip("-n", SENDER, "link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE, "netns", WATCHER)
    for name in (SENDER, WATCHER):
        ip("-n", name, "link", "set", DEVICE, "up")
    try:
        yield
    finally:
        remove()


def remove() -> None:
    """Takes the namespaces away, if they are there."""
    for name in (SENDER, WATCHER):
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)


def listening() -> bool:
    """Whether some packet socket is open on the watcher's side."""
    words = ["ip", "netns", "exec", WATCHER, "cat", "/proc/net/packet"]
    return len(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()) > 1


def arrived() -> int:
    """Packets that have come out of the pair; what the kernel's backlog refused is in nobody's reach."""
    words = ["ip", "-n", WATCHER, "-json", "-stats", "link", "show", DEVICE]
    shown = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return int(shown[0]["stats64"]["rx"]["packets"])


def watch(words: list[str], rate: int) -> tuple[int, str, float]:
    """Floods while a program watches: packets sent, what the program said, its CPU seconds."""
    log = BUILT / "watched"
    with log.open("w+b") as out:
        program = subprocess.Popen(["ip", "netns", "exec", WATCHER, *words], stdout=out, stderr=out)
        deadline = time.monotonic() + PATIENCE
        while not listening():
            if time.monotonic() > deadline or program.poll() is not None:
                raise SystemExit(f"{words[0]} did not start: {log.read_text()}")
            time.sleep(0.05)
        time.sleep(0.3)
        flood = [
            "ip",
            "netns",
            "exec",
            SENDER,
            compiled("flood"),
            DEVICE,
            str(MANY),
            str(FRAME),
            str(SECONDS),
            str(rate),
        ]
        before = arrived()
        subprocess.run(flood, check=True, stdout=subprocess.DEVNULL)
        sent = arrived() - before
        time.sleep(1.5)  # tcpdump takes up what lies in its ring once a second
        program.send_signal(signal.SIGINT)
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    return sent, log.read_text(errors="replace"), used.ru_utime + used.ru_stime


def tcpdump(rate: int) -> Watched:
    """tcpdump, writing to nowhere."""
    sent, said, cpu = watch(["tcpdump", "-i", DEVICE, "-Z", "root", "-w", "/dev/null"], rate)
    found = {what: int(number) for number, what in re.findall(r"(\d+) packets? (captured|dropped)", said)}
    return Watched(sent, found["captured"], found["dropped"], cpu)


def tidegate(program: str, rate: int) -> Watched:
    """Ours, connections counted and thrown away; it says itself what it saw, in the table `health`."""
    words = [program, "watch", "-i", DEVICE, "--no-store", "--table", "health", "--format", "jsonl"]
    sent, said, cpu = watch(words, rate)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    seen = sum(row["packets"] for row in rows if row["source"])
    dropped = sum(row["dropped_kernel"] for row in rows if row["source"])
    return Watched(sent, seen, dropped, cpu)


def line(rate: int, name: str, runs: list[Watched]) -> tuple[str, ...]:
    """A row of the report: medians over the rounds, the worst loss."""
    sent = statistics.median(run.sent for run in runs) / SECONDS
    each = statistics.median(run.cpu / run.seen for run in runs if run.seen) * 1e9
    asked = f"{rate:,}" if rate else "all it can"
    return asked, name, f"{sent:,.0f}", f"{max(run.lost for run in runs):,}", f"{each:.0f}"


def live(program: str, rounds: int) -> Report:
    """Floods at each rate, the two programs taking turns."""
    rows: list[tuple[str, ...]] = [("packets/s asked", "", "sent/s", "lost at worst", "CPU ns per packet")]
    report = Report(rows)
    with pair():
        for rate in RATES:
            theirs, mine = [], []
            for _ in range(rounds):
                theirs.append(tcpdump(rate))
                mine.append(tidegate(program, rate))
            rows += [line(rate, "tcpdump -w /dev/null", theirs), line(rate, "tidegate watch", mine)]
            if not any(run.lost for run in theirs):
                lost = max(run.lost for run in mine)
                name = f"packets lost at {rate or 'full'} packets/s, where tcpdump loses none"
                report.checks.append(Check(name, lost, 0, at_least=False))
    return report


def possible() -> str | None:
    """Why this benchmark cannot run here, if so."""
    if os.geteuid() != 0:
        return "needs root (network namespaces)"
    return None if (Path(__file__).parent / "flood.c").exists() else "bench/flood.c is missing"
