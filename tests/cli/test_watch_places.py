"""`tidegate watch` between two hosts: places of public addresses, machines of the network and their names."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmdb
from helpers import TIDEGATE, wait_for
from nets import missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

HERE, THERE = f"tgp-a{os.getpid()}", f"tgp-b{os.getpid()}"

# The neighbour says what it is called by mDNS, then talks to everybody.
TALKS = """
import socket, time
name = bytes([7]) + b"Printer" + bytes([5]) + b"local" + bytes([0])
answer = bytes([0, 0, 132, 0, 0, 0, 0, 1, 0, 0, 0, 0]) + name
answer += bytes([0, 1, 128, 1, 0, 0, 0, 120, 0, 4]) + socket.inet_aton("10.9.0.2")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.2", 5353))
for _ in range(600):
    s.sendto(answer, ("224.0.0.251", 5353))
    s.sendto(b"hello", ("8.8.8.8", 9))
    time.sleep(0.1)
"""
ASKS = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(600):
    s.sendto(b"hello", ("10.9.0.2", 7))
    time.sleep(0.1)
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[None]:
    """Two hosts and a wire; the first has a public address, too."""
    try:
        for name in (HERE, THERE):
            ip("netns", "add", name)
        ip("-n", HERE, "link", "add", "net0", "type", "veth", "peer", "name", "net0", "netns", THERE)
        for name, addresses in ((HERE, ("10.9.0.1/24", "8.8.8.8/32")), (THERE, ("10.9.0.2/24",))):
            for address in addresses:
                ip("-n", name, "addr", "add", address, "dev", "net0")
            ip("-n", name, "link", "set", "net0", "up")
        ip("-n", THERE, "route", "add", "default", "via", "10.9.0.1")
        yield
    finally:
        for name in (HERE, THERE):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def start(host: str, *words: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["ip", "netns", "exec", host, *words], **options)  # type: ignore[call-overload,no-any-return]


def test_places_hosts_and_names(hosts: None, environment: dict[str, str], tmp_path: Path) -> None:
    record = mmdb.city("US", "Somewhere") | mmdb.network(15169, "G")
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": record})
    out = {table: tmp_path / "out" / f"{table}.jsonl" for table in ("conn", "host")}
    words = shlex.split("watch -i net0 --no-store --interim 300ms --format jsonl -t conn -t host")
    words += ["--place", str(file), "-o", str(tmp_path / "out")]
    programs = [
        start(HERE, *TIDEGATE, *words, env=environment, stderr=subprocess.DEVNULL),
        start(THERE, sys.executable, "-c", TALKS),
        start(HERE, sys.executable, "-c", ASKS),
    ]

    def rows(table: str) -> list[dict[str, object]]:
        if not out[table].exists():
            return []
        return [json.loads(line) for line in out[table].read_text().split("\n")[:-1]]

    def said(table: str, **values: object) -> bool:
        return any(values.items() <= row.items() for row in rows(table))

    try:
        wait_for(
            lambda: said("conn", dst_ip="8.8.8.8", dst_country="US", dst_city="Somewhere", dst_asn=15169)
        )
        wait_for(lambda: said("host", ip="10.9.0.2", source="arp"))
        wait_for(lambda: said("host", ip="10.9.0.2", source="mdns", name="Printer.local"))
        wait_for(
            lambda: said("conn", dst_ip="10.9.0.2", dst_port=7, name="Printer.local", name_source="mdns")
        )
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(30)
