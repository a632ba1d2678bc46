"""Capturing: rights, interfaces, filters."""

import os
import socket
import sys
from collections.abc import Iterator

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.model.config import Config
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
        yield broken("capture", "not permitted for this user; reading capture files is", AS_ROOT)
    except OSError as error:
        yield broken("capture", f"this kernel has no packet sockets: {error.strerror}", "modprobe af_packet")
    else:
        yield ok("capture", f"packet rings, as {'root' if os.geteuid() == 0 else 'CAP_NET_RAW allows'}")


def check_interfaces(config: Config) -> Iterator[Finding]:
    """Whether there is anything to watch, and what the configuration names is there."""
    try:
        there = {interface.name: interface for interface in all_interfaces()}
    except TidegateError as error:
        yield broken("interfaces", str(error), "see ip link")
        return
    named = () if set(config.watch.interfaces) == {"any"} else config.watch.interfaces
    up = [one.name for one in there.values() if one.up and (one.name in named or not (named or one.loopback))]
    if missing := [name for name in named if name not in there]:
        text = f"not there: {', '.join(missing)}; tidegate run waits, watch does not. There are: "
        yield limited("interfaces", text + ", ".join(there), "bring it up, or set watch.interfaces")
    elif down := [name for name in named if name not in up]:
        yield limited("interfaces", f"not up: {', '.join(down)}", f"ip link set {down[0]} up")
    elif up:
        yield ok("interfaces", f"{', '.join(up)}; all: tidegate watch -D")
    else:
        yield limited("interfaces", "none is up but the loopback", "ip link set NAME up")


def check_filters(config: Config) -> Iterator[Finding]:
    """Whether filters can be compiled, and the one of the configuration too."""
    wanted = config.watch.filter
    if problem := filter_problem("tcp port 80"):
        found = broken if wanted else limited
        yield found("filters", f"BPF expressions cannot be compiled: {problem}", "apt install libpcap0.8")
    elif wanted and (problem := filter_problem(wanted)):
        yield broken("filters", problem, "set watch.filter; man 7 pcap-filter says how")
    else:
        yield ok("filters", "libpcap compiles them")
