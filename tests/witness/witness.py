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
from pathlib import Path

from explained import explain
from tshark import Unreadable, View, Way, view_of

NO_CAPTURES = (".py", ".pyc", ".md", ".tsv", ".txt")
RAW = argparse.RawDescriptionHelpFormatter
Difference = tuple[Way, tuple[int, int], tuple[int, int]]
"""A way, then packets and bytes as we count them, then as tshark does."""


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


def main() -> int:
    """Prints every unexplained difference and a count of the explained ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("places", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--timeout", type=float, default=60, help="seconds per file and program")
    args = parser.parse_args()
    total, agreed, ways, reasons = 0, 0, 0, Counter[str]()
    for path in captures(args.places):
        try:
            unexplained, explained, compared = compare(path, args.timeout)
        except Unreadable as why:
            print(f"{path}: not compared: {why}")
            continue
        total, agreed, ways = total + 1, agreed + (not unexplained), ways + compared
        reasons += explained
        print("\n".join(unexplained), end="\n" if unexplained else "")
    print(f"{agreed} of {total} files agree, {ways} directions compared")
    for reason, count in reasons.most_common():
        print(f"  {count:6}  {reason}")
    return 0 if agreed == total else 1


if __name__ == "__main__":
    sys.exit(main())
