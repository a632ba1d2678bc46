"""Reading a large capture: the C floor, the engine alone, the whole command, and peers."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import BUILT, Check, Report, Run, compiled, example, median, ratio, run, side_by_side

ENGINE_OF_FLOOR = 0.6
COMMAND_MPPS = 2.2
COMMAND_OF_TCPDUMP = 2.6
COMMAND_PEAK_MB = 300
TCPDUMP, SOFTFLOWD = "tcpdump -w /dev/null", "softflowd"


def to_parquet(tidegate: str, capture: str) -> Run:
    """The whole command, its files thrown away."""
    with tempfile.TemporaryDirectory(dir=BUILT) as folder:
        return run([tidegate, "read", capture, "--format", "parquet", "-o", f"{folder}/out"])


def programs(capture: str, tidegate: str, *, slow: bool) -> dict[str, Callable[[], Run]]:
    """Every program that is installed, as something to call."""
    found: dict[str, Callable[[], Run]] = {}

    def add(name: str, *words: str) -> None:
        if shutil.which(words[0]):
            found[name] = lambda: run(words)

    add("floor in C", compiled("floor"), capture)
    add("engine alone", example("engine"), capture)
    add("engine with rows", example("engine"), capture, "--rows")
    found["tidegate to Parquet"] = lambda: to_parquet(tidegate, capture)
    add(TCPDUMP, "tcpdump", "-r", capture, "-w", "/dev/null")
    own = ("-p", str(BUILT / "softflowd.pid"), "-c", str(BUILT / "softflowd.ctl"))
    add(SOFTFLOWD, "softflowd", "-d", "-6", "-m", "1000000", *own, "-r", capture)
    if slow:
        add("tshark -z conv,tcp", "tshark", "-n", "-q", "-z", "conv,tcp", "-r", capture)
    return found


def report(runs: dict[str, list[Run]], packets: int) -> Report:
    """Rates, ratios to the floor, and what was promised."""
    floor, engine, command = runs["floor in C"], runs["engine alone"], runs["tidegate to Parquet"]
    rows: list[tuple[str, ...]] = [("", "Mpps per CPU-second", "of the floor", "CPU s", "wall s", "peak MB")]
    for name, each in runs.items():
        cpu = median(each, lambda one: one.cpu)
        figures = (packets / cpu / 1e6, ratio(floor, each), cpu, median(each, lambda one: one.wall))
        peak = max(one.peak for one in each) / 1e6
        rows.append((name, *(f"{figure:.3f}" for figure in figures), f"{peak:.0f}"))
    found = Report(rows)
    rate = packets / median(command, lambda one: one.cpu) / 1e6
    peak_mb = max(one.peak for one in command) / 1e6
    of_floor = ratio(floor, engine)
    found.checks = [
        Check("engine alone, of the floor's rate", of_floor, ENGINE_OF_FLOOR, at_least=True),
        Check("whole command, Mpps per CPU-second", rate, COMMAND_MPPS, at_least=True),
        Check("whole command, peak MB", peak_mb, COMMAND_PEAK_MB, at_least=False),
    ]
    if tcpdump := runs.get(TCPDUMP):
        cpu = ratio(command, tcpdump)
        found.checks.append(Check("whole command, of tcpdump's CPU", cpu, COMMAND_OF_TCPDUMP, at_least=False))
    if softflowd := runs.get(SOFTFLOWD):
        times = ratio(softflowd, engine)
        found.checks.append(Check("engine alone, times softflowd's rate", times, 1.0, at_least=True))
    return found


def reading(capture: Path, tidegate: str, rounds: int, *, slow: bool) -> Report:
    """Reads the capture with every program, `rounds` times in turn."""
    runs = side_by_side(programs(str(capture), tidegate, slow=slow), rounds)
    packets = json.loads(runs["floor in C"][0].output)["packets"]
    mine = json.loads(runs["engine alone"][0].output)["packets"]
    if mine != packets:
        raise SystemExit(f"the engine read {mine} packets, the floor {packets}: not comparable")
    return report(runs, packets)
