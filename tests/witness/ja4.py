"""JA4 fingerprints as FoxIO published them, beside ours.

    python3 tests/witness/ja4.py CAPTURES [PUBLISHED]

CAPTURES is a folder of captures (`pcap/` of FoxIO-LLC/ja4); PUBLISHED one of files `CAPTURE.json`, as
`python/test/testdata/` has them there, or else the same folder. Neither is part of this project. Compared is
the fingerprint of each connection's first hello; of QUIC only where there is a published one. A difference
without a reason is an error; exit code 1 if there is one.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

RAW = argparse.RawDescriptionHelpFormatter
End = tuple[str, int, str, int]
Prints = Counter[tuple[End, str]]
"""How often each connection's ends have a fingerprint."""

EXPLAINED: dict[str, str] = {
    "https-connect.pcap": "TLS inside HTTP CONNECT: published by the Rust program, not by the Python one",
    "socks-https-example.pcap": "TLS inside SOCKS, which we do not look into",
    "tls-non-ascii-alpn.pcapng": "published with 99 for ALPN that is no text; described as hexadecimal",
}
"""Files whose differences have a reason."""


def published(path: Path) -> Prints:
    """Fingerprints in a published file."""
    found: Prints = Counter()
    for stream in json.loads(path.read_text()):
        if "JA4.1" in stream:
            end = (stream["src"], int(stream["srcport"]), stream["dst"], int(stream["dstport"]))
            found[end, stream["JA4.1"]] += 1
    return found


def ours(path: Path) -> Prints:
    """Fingerprints in table `tls`."""
    words = [*shlex.split("-m tidegate read --table tls --format jsonl"), str(path)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise RuntimeError(f"{path}: exit {done.returncode}: {done.stderr[-500:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return Counter(
        ((row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"]), row["ja4"])
        for row in rows
        if row["ja4"]
    )


def compare(capture: Path, file: Path) -> tuple[int, list[str]]:
    """How many fingerprints agree, and each that does not, in words."""
    mine, theirs = ours(capture), published(file)
    known = {end for end, _ in theirs}
    mine = Counter({key: count for key, count in mine.items() if key[0] in known or key[1][0] != "q"})
    lines = [f"{capture.name}: {end}: only ours: {text}" for end, text in mine - theirs]
    lines += [f"{capture.name}: {end}: only published: {text}" for end, text in theirs - mine]
    return (mine & theirs).total(), lines


def main() -> int:
    """Prints every difference, with its reason if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("captures", type=Path)
    parser.add_argument("published", type=Path, nargs="?")
    args = parser.parse_args()
    pairs = []
    for file in sorted((args.published or args.captures).glob("*.json")):
        capture = args.captures / file.stem
        if capture.is_file():
            pairs.append((capture, file))
    if not pairs:
        sys.exit(f"no CAPTURE.json for a capture in {args.captures}: name the folder that has them")
    agreed, unexplained = 0, 0
    for capture, file in pairs:
        same, lines = compare(capture, file)
        agreed += same
        reason = EXPLAINED.get(capture.name)
        unexplained += 0 if reason else len(lines)
        for line in lines:
            print(line, f"({reason})" if reason else "")
    print(f"{len(pairs)} files, {agreed} fingerprints agree, {unexplained} differ without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
