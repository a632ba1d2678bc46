"""A network namespace of one's own for a test, and programs inside of it."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

_NUMBERS = itertools.count()
_PACKAGES = {"ip": "iproute2", "nsenter": "util-linux"}


def missing(*programs: str) -> str:
    """What keeps a namespace from being made, and programs from running in it; empty if nothing does."""
    absent = [name for name in ("ip", *programs) if not shutil.which(name)]
    if absent:
        packages = " ".join(_PACKAGES.get(name, name) for name in absent)
        return f"{' and '.join(absent)} missing: apt install {packages}"
    return "" if os.geteuid() == 0 else "network namespaces need root"


class Net:
    """Make one, use it in a `with`; it is gone afterwards, with the interfaces in it."""

    def __init__(self) -> None:
        self.name = f"tgpy{os.getpid()}-{next(_NUMBERS)}"

    def __enter__(self) -> Self:
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link set lo up")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def inside(self, *words: object) -> list[str]:
        """The words of a command that runs in the namespace."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def ip(self, line: str) -> str:
        """`ip` inside of it; has to succeed."""
        return subprocess.run(
            ["ip", "-n", self.name, *line.split()], check=True, capture_output=True, text=True
        ).stdout

    def add_pair(self, name: str) -> None:
        """A veth pair NAME and NAMEx, both up, without addresses."""
        self.ip(f"link add {name} type veth peer name {name}x")
        self.ip(f"link set {name} up")
        self.ip(f"link set {name}x up")

    def send(self, interface: str, count: int = 3, port: int = 7777) -> None:
        """UDP datagrams out of an interface, from 10.9.0.1 to 10.9.0.2."""
        subprocess.run(
            self.inside("python3", "-c", _SEND, interface, count, port), check=True, capture_output=True
        )


_SEND = """
import socket, struct, sys
name, count, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((name, 0))
for n in range(count):
    ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 33, n, 0, 64, 17, 0, bytes([10,9,0,1]), bytes([10,9,0,2]))
    udp = struct.pack('>HHHH', 40000, port, 13, 0) + b'hello'
    s.send(bytes([255] * 6 + [2, 0, 0, 0, 0, 1, 8, 0]) + ip + udp)
"""


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status by key."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def children(pid: int) -> list[int]:
    """The children of a process that run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]
