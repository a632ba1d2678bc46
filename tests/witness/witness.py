"""An independent witness: packets and IP bytes per TCP and UDP connection as tshark sees them, beside ours.

    python3 tests/witness/witness.py [--timeout SECONDS] FILE_OR_FOLDER...

Each connection's two directions are compared alone. Connections over the same addresses and ports are
added up first, because programs part them differently. A difference that explained.py does not explain
is an error. Exit code 1 if there is one.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from explained import explain
from tshark import Unreadable, View, Way, view_of

NO_CAPTURES = (".py", ".pyc", ".md", ".tsv", ".txt")
Difference = tuple[Way, tuple[int, int], tuple[int, int]]
"""A way, then packets and bytes as we count them, then as tshark does."""
Comparison = Callable[[Path, float], tuple[list[str], Counter[str], int]]
"""Differences in words, how many each reason explains, and how many facts were compared; see `compare`."""


def ours(path: Path, timeout: float) -> View:
    """Our view of a capture."""
    words = [*shlex.split("-m tidegate read --table conn --format jsonl"), str(path)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=timeout)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise RuntimeError(f"{path}: exit {done.returncode}: {done.stderr[-500:]}")
    view = View()
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if row["proto"] in ("tcp", "udp"):
            up = (row["proto"], row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"])
            down = (row["proto"], row["dst_ip"], row["dst_port"], row["src_ip"], row["src_port"])
            view.add(up, row["up_packets"], row["up_bytes"])
            view.add(down, row["down_packets"], row["down_bytes"])
    return view


def differences(mine: View, theirs: View) -> list[Difference]:
    """Where the views differ."""
    ways = sorted(mine.packets.keys() | theirs.packets.keys())
    sides = [
        (way, (mine.packets[way], mine.octets[way]), (theirs.packets[way], theirs.octets[way]))
        for way in ways
    ]
    return [side for side in sides if side[1] != side[2]]


def compare(path: Path, timeout: float) -> tuple[list[str], Counter[str], int]:
    """Unexplained differences in words, how many each reason explains, and how many ways were compared."""
    theirs = view_of(path, timeout)
    mine = ours(path, timeout)
    unexplained, reasons = [], Counter[str]()
    for way, (packets, octets), (their_packets, their_octets) in differences(mine, theirs):
        reason = explain(path, way, (packets, octets), (their_packets, their_octets), theirs)
        if reason:
            reasons[reason] += 1
        else:
            unexplained.append(
                f"{path}: {way[0]} {way[1]}:{way[2]} > {way[3]}:{way[4]}: "
                f"{packets} packets, {octets} bytes; tshark {their_packets}, {their_octets}"
            )
    for layer, count in theirs.left_out.items():
        reasons[f"left out: {layer}"] += count
    return unexplained, +reasons, len(mine.packets.keys() | theirs.packets.keys())


def captures(places: list[Path]) -> list[Path]:
    """Every capture file among and below the places."""

    def is_ours(path: Path) -> bool:
        return path.suffix in NO_CAPTURES or any(part[0] == "." and part != ".." for part in path.parts)

    below = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [path for path in below if path.is_file() and not is_ours(path)]


def report(compare: Comparison, doc: str | None) -> int:
    """The command line of a comparison: prints what differs and counts the rest; the exit code."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--timeout", type=float, default=60, help="seconds per file and program")
    args = parser.parse_args()
    files, facts, differ, reasons = 0, 0, 0, Counter[str]()
    for path in captures(args.places):
        try:
            unexplained, explained, compared = compare(path, args.timeout)
        except Unreadable as why:
            print(f"{path}: not compared: {why}")
            continue
        files, facts, differ = files + 1, facts + compared, differ + len(unexplained)
        reasons += explained
        print("\n".join(unexplained), end="\n" if unexplained else "", flush=True)
    print(f"{files} files, {facts} facts: {differ} differ without a reason, {reasons.total()} with one")
    for reason, count in reasons.most_common():
        print(f"  {count:6}  {reason}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(report(compare, __doc__))
