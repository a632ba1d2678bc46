"""The same witness for what is said: HTTP, server names and DNS as tshark hears them, beside ours.

    python3 tests/witness/words.py [--timeout SECONDS] FILE_OR_FOLDER...

Prints each difference that unlike.py does not explain, and the share of facts that agree. Exit code 1 if
there is an unexplained one.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dns.rcode
import dns.rdatatype
from spoken import LEFT_OUT, Fact, heard_by_tshark
from unlike import explain

from witness import report

TABLES = ("http", "tls", "dns")


def ours(path: Path, timeout: float) -> Counter[Fact]:
    """Every fact in a capture, as we read it."""
    facts = Counter[Fact]()
    with TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "tidegate", "read", str(path), "--format", "jsonl", "-o", folder]
        words += ["--keep-credentials", *(word for table in TABLES for word in ("-t", table))]
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            raise RuntimeError(f"{path}: exit {done.returncode}: {done.stderr[-500:]}")
        for table, add in zip(TABLES, (_http, _tls, _dns), strict=True):
            file = Path(folder) / f"{table}.jsonl"
            for line in file.read_text().splitlines() if file.exists() else ():
                add(json.loads(line), facts)
    return facts


def _ends(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["src_ip"], str(row["src_port"]), row["dst_ip"], str(row["dst_port"])


def _http(row: dict[str, Any], facts: Counter[Fact]) -> None:
    for column in ("method", "host", "uri"):
        if row[column] is not None:
            facts[(f"http {column}", *_ends(row), row[column])] += 1
    for column in ("status", "interim_status"):
        if row[column] is not None:
            facts[("http status", *_ends(row), str(row[column]))] += 1


def _tls(row: dict[str, Any], facts: Counter[Fact]) -> None:
    if row["sni"] is not None:
        facts[("quic" if row["transport"] == "quic" else "tls", *_ends(row), row["sni"])] = 1


def _dns(row: dict[str, Any], facts: Counter[Fact]) -> None:
    if row["qtype"] is None:
        return
    name = "" if row["query"] == "." else row["query"].lower()
    kind = str(int(dns.rdatatype.from_text(row["qtype"])))
    question = (row["src_ip"], str(row["src_port"]), str(row["trans_id"]), name, kind)
    facts[("dns question", *question)] = 1
    if row["rcode"] is not None:
        facts[("dns rcode", *question, str(int(dns.rcode.from_text(row["rcode"])) & 15))] = 1


def compare(path: Path, timeout: float) -> tuple[list[str], Counter[str], int]:
    """Unexplained differences in words, how many each reason explains, and how many facts were compared."""
    theirs, mine = heard_by_tshark(path, timeout), ours(path, timeout)
    left_out = Counter({fact: count for fact, count in theirs.items() if fact[0] == LEFT_OUT})
    theirs -= left_out
    facts = theirs.keys() | mine.keys()
    differing = sorted(fact for fact in facts if theirs[fact] != mine[fact])
    apart = heard_by_tshark(path, timeout, joined=False) if differing else Counter[Fact]()
    unexplained, reasons = [], Counter[str]()
    for fact in differing:
        if reason := explain(path, fact, mine, theirs, apart):
            reasons[reason] += 1
        else:
            unexplained.append(f"{path}: {' '.join(fact)}: {mine[fact]}, tshark {theirs[fact]}")
    return unexplained, reasons, len(facts)


if __name__ == "__main__":
    sys.exit(report(compare, __doc__))
