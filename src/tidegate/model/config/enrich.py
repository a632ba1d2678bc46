"""Settings of what is added to connections: programs, places, names."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, option

TOLD = ("bpf", "tracepoint")
"""Methods by which the kernel tells of every program that opens a connection, those of a millisecond too."""


@dataclass(frozen=True)
class ProgramSettings:
    """Programs of connections."""

    method: Literal["best", "tracepoint", "bpf", "connector", "sock_diag", "scan", "none"] = option(
        "best", "how programs are found: the best that works, one of the ladder, or none"
    )
    cmdline: bool = option(True, "keep command lines; they may hold secrets")


@dataclass(frozen=True)
class PlaceSettings:
    """Places of public addresses."""

    databases: tuple[str, ...] = option(
        (), "MMDB files, the first that knows wins; unset: those in the usual folders (docs/places.md)"
    )


@dataclass(frozen=True)
class NameSettings:
    """Names of addresses."""

    local: bool = option(True, "name machines of the local network by what ARP, NDP, DHCP and mDNS said")
    reverse_dns: bool = option(
        False, "ask the name server for names of addresses; it learns whom you talk to"
    )
    timeout: Annotated[float, DURATION] = option(2.0, "time for one answer of the name server")
