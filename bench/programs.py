"""Whose connection is it: programs that live 0.1 to 20 ms, one connection each; Tidegate beside polling."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import BUILT, Check, Report, compiled

SPACE, PORT, NAMES = "tgb-programs", 8999, 10
LIVES = (100, 1_000, 20_000)
"""Microseconds."""
KINDS = ("tcp4", "tcp6", "udp4", "udp6")
AT_ONCE = {100: 1, 1_000: 2, 20_000: 16}
METHODS = ("bpf", "tracepoint", "psutil:0.01", "nethogs")
WATCH = Path(__file__).with_name("programs_watch.py")
PATIENCE = 120.0


@dataclass
class Score:
    """What one method said of one swarm."""

    right: int = 0
    wrong: int = 0
    count: int = 0
    cpu: float = 0.0

    def add(self, other: "Score") -> None:
        """Both together."""
        self.right += other.right
        self.wrong += other.wrong
        self.count += other.count
        self.cpu += other.cpu


@contextlib.contextmanager
def space() -> Iterator[list[str]]:
    """A namespace with a loopback; the words before a command that runs there."""
    remove()
    subprocess.run(["ip", "netns", "add", SPACE], check=True)
    subprocess.run(["ip", "-n", SPACE, "link", "set", "lo", "up"], check=True)
    try:
        yield ["nsenter", f"--net=/run/netns/{SPACE}"]
    finally:
        remove()


def remove() -> None:
    """Takes the namespace away, if it is there."""
    subprocess.run(["ip", "netns", "del", SPACE], stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def running(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that says `ready`, ended at the end."""
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as one:
        assert one.stdout is not None
        if one.stdout.readline() != "ready\n":
            raise SystemExit(f"{' '.join(words)} did not start")
        try:
            yield one
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, 9)


def swarm(inside: list[str], brief: str, life: int, kind: str, count: int, method: str) -> Score:
    """One swarm under one watch; each connection is right, wrong or not named."""
    words = [*inside, brief, "swarm", str(count), str(AT_ONCE[life]), str(life), kind, str(PORT)]
    if method == "nethogs":
        return under_nethogs(inside, words)
    with running([*inside, sys.executable, str(WATCH), method]) as watch:
        truth = launched(words)
        said, _ = watch.communicate("stop\n", timeout=PATIENCE)
    told = json.loads(said)
    holders: dict[str, set[tuple[int, str]]] = {}
    for pid, name, port in truth:
        holders.setdefault(f"{kind}:{port}", set()).add((pid, name))
    score = Score(count=len(holders), cpu=told["cpu"])
    for key, known in holders.items():
        pid, name = told["found"].get(key, (None, None))
        score.right += (pid, name) in known
        score.wrong += pid is not None and (pid, name) not in known
    return score


def launched(words: list[str]) -> list[tuple[int, str, int]]:
    """Runs a swarm to its end: process, name and port of each."""
    lines = subprocess.run(words, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    return [(int(pid), name, int(port)) for pid, name, port in map(str.split, lines.splitlines())]


def under_nethogs(inside: list[str], words: list[str]) -> Score:
    """nethogs names processes, not connections: right is each process of the swarm that it ever names."""
    log = BUILT / "nethogs.log"
    with log.open("w") as out:
        program = subprocess.Popen([*inside, "nethogs", "-t", "-C", "-a"], stdout=out, stderr=out)
        deadline = time.monotonic() + PATIENCE
        while "Refreshing" not in log.read_text(errors="replace") and time.monotonic() < deadline:
            time.sleep(0.05)
        truth = launched(words)
        time.sleep(2.5)  # it writes once a second
        program.send_signal(signal.SIGINT)
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    named = re.findall(r"/(brief\d)/(\d+)/", log.read_text(errors="replace"))
    found = {int(pid): name for name, pid in named}
    right = sum(found.get(pid) == name for pid, name, _ in truth)
    wrong = sum(found.get(pid, name) != name for pid, name, _ in truth)
    return Score(right, wrong, len(truth), used.ru_utime + used.ru_stime)


def programs(count: int = 1000) -> Report:
    """Every life and kind under every method, one core kept busy."""
    brief = compiled("brief")
    for number in range(NAMES):
        shutil.copy(brief, f"{brief}{number}")
    methods = [method for method in METHODS if method != "nethogs" or shutil.which("nethogs")]
    rows: list[tuple[str, ...]] = [("lives", "", *methods, "none")]
    report = Report(rows)
    totals = {method: Score() for method in (*methods, "none")}
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(busy.pid, {max(os.sched_getaffinity(0))})
        with space() as inside, running([*inside, brief, "serve", str(PORT)]):
            for life in LIVES:
                for kind in KINDS:
                    scores = {method: swarm(inside, brief, life, kind, count, method) for method in totals}
                    rows.append((f"{life / 1000:g} ms", kind, *map(shown, scores.values())))
                    print("  ".join(rows[-1]), flush=True)
                    for method, score in scores.items():
                        totals[method].add(score)
                    promise(report, life, kind, scores)
    finally:
        busy.kill()
        busy.wait()
    rows.append(("CPU µs", "each", *(f"{score.cpu / score.count * 1e6:.0f}" for score in totals.values())))
    return report


def shown(score: Score) -> str:
    """Share right, and how many wrong."""
    return f"{score.right / score.count:.1%} ({score.wrong} wrong)"


def promise(report: Report, life: int, kind: str, scores: dict[str, Score]) -> None:
    """All right from 1 ms on for TCP, nothing wrong ever."""
    for method in ("bpf", "tracepoint"):
        score = scores[method]
        what = f"{method}, {kind}, {life / 1000:g} ms"
        report.checks.append(Check(f"wrong names: {what}", score.wrong, 0, at_least=False))
        if life >= 1000 and kind.startswith("tcp"):
            report.checks.append(Check(f"share right: {what}", score.right / score.count, 1, at_least=True))


def possible() -> str | None:
    """Why this benchmark cannot run here, if so."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root (namespaces, tracing)"
    return None if shutil.which("nsenter") else "nsenter is missing"
