"""Records of programs and sockets, as they come from the core or over a helper's socket, made typed once."""

from dataclasses import dataclass
from typing import Any, NamedTuple

ANY4 = ".".join("0000")
"""The local address of a socket that takes any of IPv4."""

Raw = tuple[Any, ...]
"""A flat record: its kind, then the places that `_core.ProcessWatch` documents."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process from one exec to the next."""

    id: int
    pid: int
    started: int | None
    parent_pid: int | None
    parent: str | None
    uid: int | str | None
    """A number, or a name where the system has no numbers."""
    name: str
    path: str | None
    cmdline: str | None
    cgroup: str | None


class SocketSeen(NamedTuple):
    """A socket and the program that holds it; 0 where nobody knows whose the socket is."""

    ts: int
    action: str
    method: str
    proto: str
    local_ip: str
    local_port: int
    remote_ip: str | None
    remote_port: int
    program: int
    uid: int | None


def parse_program(raw: Raw) -> Program:
    """A "program" record."""
    return Program(*raw[1:])


def parse_socket(raw: Raw) -> SocketSeen:
    """A "socket" record."""
    return SocketSeen(*raw[1:])
