"""Capturing: rights, interfaces, filters."""

import os
import socket
import sys
from collections.abc import Iterator

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.model.errors import TidegateError
from tidegate.sources.live import all_interfaces, filter_problem

AS_ROOT = "sudo tidegate watch"


def check_rights() -> Iterator[Finding]:
    """Whether packets can be captured at all."""
    if not sys.platform.startswith("linux"):
        yield limited(
            "capture", "by libpcap, as this system has no packet rings", "nothing: it is slower, not worse"
        )
        return
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        yield broken("capture", "not permitted for this user", f"{AS_ROOT}; files can be read by anybody")
    except OSError as error:
        yield broken("capture", f"this kernel has no packet sockets: {error.strerror}", "modprobe af_packet")
    else:
        yield ok("capture", f"packet rings, as {'root' if os.geteuid() == 0 else 'CAP_NET_RAW allows'}")


def check_interfaces() -> Iterator[Finding]:
    """Whether there is anything to watch."""
    try:
        there = all_interfaces()
    except TidegateError as error:
        yield broken("interfaces", str(error), "see ip link")
        return
    up = [interface.name for interface in there if interface.up and not interface.loopback]
    if up:
        yield ok("interfaces", f"{', '.join(up)}; all: tidegate watch -D")
    else:
        yield limited("interfaces", "none is up but the loopback", "ip link set NAME up")


def check_libpcap() -> Iterator[Finding]:
    """Whether filters can be compiled."""
    problem = filter_problem("tcp port 80")
    if problem:
        yield limited("filters", f"BPF expressions cannot be compiled: {problem}", "apt install libpcap0.8")
    else:
        yield ok("filters", "libpcap compiles them")
