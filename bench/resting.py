"""`tidegate run` with nothing to do: CPU and memory of its processes, in a namespace of its own."""

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measure import Check, Report
from watching import family, used

NET = "tgrest"
LINK = "tgrest0"
"""Named in the settings: the whole buffer is its own, none is kept for interfaces to come."""
_LINK = ["ip", "-n", NET, "link", "add", LINK]
WARM = 15.0
"""Seconds before anything is measured."""
MOST_CPU = 0.01
MOST_MEMORY = 120e6
KINDS = {
    "run": [],
    "run --worker (as under systemd)": ["--worker"],
}


def possible() -> str:
    """Why it cannot be measured here; empty if it can."""
    if os.geteuid() != 0:
        return "it takes root"
    return "" if shutil.which("ip") else "ip is not here (apt install iproute2)"


def resting(program: str, seconds: float) -> Report:
    """Both ways of running it, one after the other."""
    subprocess.run(["ip", "netns", "add", NET], check=True)
    try:
        subprocess.run(["ip", "-n", NET, "link", "set", "lo", "up"], check=True)
        subprocess.run([*_LINK, "type", "veth", "peer", "name", f"{LINK}b"], check=True)
        for end in (LINK, f"{LINK}b"):
            subprocess.run(["ip", "-n", NET, "link", "set", end, "up"], check=True)
        found = {kind: _rest(program, words, seconds) for kind, words in KINDS.items()}
    finally:
        subprocess.run(["ip", "netns", "del", NET], check=True)
    rows = [("", "share of a core", "memory (PSS)", "resident", "processes")]
    checks = []
    for kind, (cpu, pss, resident, processes) in found.items():
        rows.append((kind, f"{cpu:.2%}", f"{pss / 1e6:.0f} MB", f"{resident / 1e6:.0f} MB", str(processes)))
        checks.append(Check(f"{kind}: share of a core", cpu, MOST_CPU, at_least=False))
        checks.append(Check(f"{kind}: MB", pss / 1e6, MOST_MEMORY / 1e6, at_least=False))
    return Report(rows, checks)


def _rest(program: str, words: list[str], seconds: float) -> tuple[float, float, float, int]:
    """Share of a core; proportional and plain resident bytes; processes."""
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "t.yml"
        config.write_text(f"store: {{path: {place}/store}}\nwatch: {{interfaces: [{LINK}]}}\n")
        inside = ["nsenter", f"--net=/run/netns/{NET}", program, "run", *words, "--config", str(config)]
        running = subprocess.Popen(inside, stderr=subprocess.DEVNULL)
        try:
            time.sleep(WARM)
            processes = family(running.pid)
            before, _ = used(processes)
            began, sizes = time.monotonic(), []
            while time.monotonic() - began < seconds:
                time.sleep(1)
                sizes.append(sum(_proportional(pid) for pid in processes))
            after, resident = used(processes)
            share = (after - before) / (time.monotonic() - began)
            if running.poll() is not None:
                raise SystemExit("tidegate run ended by itself")
            return share, statistics.median(sizes), resident, len(processes)
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)


def _proportional(pid: int) -> int:
    """Bytes, those that are shared divided among who shares them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
