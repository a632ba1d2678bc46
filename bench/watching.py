"""The screen under traffic: CPU and memory of a watch at 50,000 packets/s of 2,000 connections."""

import fcntl
import os
import pty
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from live import DEVICE, FRAME, MANY, PATIENCE, SENDER, WATCHER, listening, pair
from measure import Check, Report, compiled

RATE, FLOWS = 50_000, 2_000
COLUMNS, LINES = 100, 30
WARM = 40.0
"""Seconds before anything is measured: start, first rows, the first segment that is closed."""
SEGMENT = "5M"
"""Segments are closed early and often, so that what closing costs is measured too."""
MOST_CPU = 0.25
MOST_GROWTH = 1.05


@dataclass
class Seen:
    """What the processes of one watch used while it was measured."""

    cpu: float = 0.0
    """Of one core."""
    memory: list[int] = field(default_factory=list)
    """Resident bytes, every second."""
    drawn: int = 0
    """Bytes sent to the terminal."""


def family(pid: int) -> list[int]:
    """The process and its children's children."""
    below = [pid]
    for one in below:
        try:
            tasks = Path(f"/proc/{one}/task").iterdir()
            below += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return below


def used(pids: list[int]) -> tuple[float, int]:
    """CPU seconds so far and resident bytes of these processes."""
    cpu, memory = 0.0, 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        cpu += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        memory += int(stat[21]) * os.sysconf("SC_PAGE_SIZE")
    return cpu, memory


def on_terminal(words: list[str]) -> tuple[int, int]:
    """Starts a command on a terminal of its own; its pid and the terminal's other end."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "TIDEGATE_STORE__SEGMENT_BYTES": SEGMENT}
        os.execvp(words[0], words)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    return pid, terminal


def watched(program: str, seconds: float, arguments: tuple[str, ...] = ()) -> Seen:
    """Floods while the program draws; what it used meanwhile."""
    seen = Seen()
    with tempfile.TemporaryDirectory() as place:
        words = [program, "watch", "-i", DEVICE, "--store", f"{place}/store", *arguments]
        pid, terminal = on_terminal(["ip", "netns", "exec", WATCHER, *words])

        def read() -> None:
            try:
                while piece := os.read(terminal, 65536):
                    seen.drawn += len(piece)
            except OSError:
                return

        reader = Thread(target=read, name="terminal")
        reader.start()
        flood: subprocess.Popen[bytes] | None = None
        try:
            deadline = time.monotonic() + PATIENCE
            while not listening():
                if time.monotonic() > deadline:
                    raise SystemExit("tidegate watch did not start")
                time.sleep(0.05)
            sends = [
                compiled("flood"),
                DEVICE,
                str(MANY),
                str(FRAME),
                str(seconds + WARM + 2),
                str(RATE),
                str(FLOWS),
            ]
            flood = subprocess.Popen(["ip", "netns", "exec", SENDER, *sends], stdout=subprocess.DEVNULL)
            time.sleep(WARM)
            measure(pid, seconds, seen)
        finally:
            if flood:
                flood.terminate()
                flood.wait()
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            reader.join()
            os.close(terminal)
    return seen


def measure(pid: int, seconds: float, seen: Seen) -> None:
    """Looks every second."""
    pids = family(pid)
    begun, (before, _) = time.monotonic(), used(pids)
    seen.drawn = 0
    while time.monotonic() - begun < seconds:
        time.sleep(1.0)
        seen.memory.append(used(pids)[1])
    seen.cpu = (used(pids)[0] - before) / (time.monotonic() - begun)


def watching(program: str, seconds: float) -> Report:
    """The screen, beside the same watch with lines."""
    rows: list[tuple[str, ...]] = [
        ("", "CPU of one core", "memory MB, first and last third", "terminal kB/s")
    ]
    report = Report(rows)
    with pair():
        for name, arguments in (("watch with screen", ()), ("watch with lines", ("--plain",))):
            seen = watched(program, seconds, arguments)
            third = max(1, len(seen.memory) // 3)
            first, last = (statistics.median(part) for part in (seen.memory[:third], seen.memory[-third:]))
            rows.append(
                (
                    name,
                    f"{seen.cpu:.1%}",
                    f"{first / 1e6:.0f}, {last / 1e6:.0f}",
                    f"{seen.drawn / seconds / 1e3:.1f}",
                )
            )
            if not arguments:
                growth = f"memory after {seconds:.0f} s, times that at the beginning"
                report.checks.append(
                    Check("CPU with screen, of one core", seen.cpu, MOST_CPU, at_least=False)
                )
                report.checks.append(Check(growth, last / first, MOST_GROWTH, at_least=False))
    return report


def possible() -> str:
    """Why this cannot be measured here; empty if it can."""
    if os.geteuid() != 0:
        return "needs root (network namespaces)"
    return "" if shutil.which("ip") else "missing: ip"
