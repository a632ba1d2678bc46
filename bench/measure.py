"""Runs programs side by side and compares them: interleaved rounds, medians, CPU time and peak memory."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).parent
BUILT = BENCH.parent / "build" / "bench"


@dataclass(frozen=True)
class Run:
    """One run of one program."""

    wall: float
    cpu: float
    """User and system seconds."""
    peak: int
    """Largest resident size, bytes."""
    output: str


@dataclass(frozen=True)
class Check:
    """A number that was promised."""

    name: str
    value: float
    bound: float
    at_least: bool
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass
class Report:
    """What a benchmark found."""

    rows: Sequence[tuple[str, ...]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def print(self, title: str) -> None:
        """The table, then the promises with PASS or FAIL."""
        print(f"\n== {title}")
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)] if self.rows else []
        for row in self.rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for check in self.checks:
            sign = ">=" if check.at_least else "<="
            verdict = "PASS" if check.holds else "FAIL"
            print(f"{verdict}  {check.name}: {check.value:.3g}{check.unit} ({sign} {check.bound:g})")

    def as_json(self) -> dict[str, object]:
        """The same for a program to read."""
        checks = [vars(check) | {"holds": check.holds} for check in self.checks]
        return {"rows": self.rows, "checks": checks}


def run(words: Sequence[str], stdin: int = subprocess.DEVNULL) -> Run:
    """Runs a program to its end; an error with its last words if it fails."""
    with (BUILT / "stdout").open("w+b") as out, (BUILT / "stderr").open("w+b") as err:
        start = time.perf_counter()
        program = subprocess.Popen(words, stdin=stdin, stdout=out, stderr=err)
        _, status, used = os.wait4(program.pid, 0)
        wall = time.perf_counter() - start
        program.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, complained = (file.read().decode(errors="replace") for file in (out, err))
    if program.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {program.returncode}: {complained[-500:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, said)


def side_by_side(programs: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Each program once per round, one after the other, so that a slow minute hits all of them alike."""
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            runs[name].append(program())
    return runs


def median(runs: Sequence[Run], what: Callable[[Run], float]) -> float:
    """The median of one figure."""
    return statistics.median(what(run) for run in runs)


def ratio(over: Sequence[Run], under: Sequence[Run]) -> float:
    """The median of the rounds' CPU ratios: noise that lasts longer than a round cancels out."""
    return statistics.median(a.cpu / b.cpu for a, b in zip(over, under, strict=True))


def compiled(name: str) -> str:
    """A C program of this folder, compiled when it changed."""
    source, program = BENCH / f"{name}.c", BUILT / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)
    return str(program)


def example(name: str) -> str:
    """A program of the core's examples, built in release."""
    words = ["cargo", "build", "--release", "--quiet", "--package", "tidegate-core", "--example", name]
    done = subprocess.run([*words, "--message-format=json"], check=True, stdout=subprocess.PIPE, text=True)
    built = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(str(one["executable"]) for one in reversed(built) if one.get("executable"))
