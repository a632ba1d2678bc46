"""What the machine says: who listens where, which addresses are its own, how many files may be open."""

import socket
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

LISTENING = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
_LISTEN = "0A"
_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def listening() -> list[tuple[str, int]]:
    """Addresses and ports that are listened on (TCP) in this network namespace; none where it is not told."""
    return [end for file in LISTENING for end in _read(Path(file))]


def is_local(ip: str) -> bool:
    """Whether it is an address of this machine."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def low_ports() -> int:
    """Ports below this one take a right to be bound."""
    try:
        return int(_UNPRIVILEGED.read_text())
    except (OSError, ValueError):
        return 1024


def open_files() -> int:
    """How many files may be open once the limit is raised as far as it goes."""
    try:
        import resource
    except ImportError:
        return 8192
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1 << 30 if hard == resource.RLIM_INFINITY else hard


def _read(file: Path) -> Iterator[tuple[str, int]]:
    try:
        lines = file.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTEN:
            address, _, port = fields[1].partition(":")
            yield _address(address), int(port, 16)


def _address(text: str) -> str:
    """From words of 32 bits that were written as numbers of this machine."""
    numbers = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return str(ip_address(b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)))
