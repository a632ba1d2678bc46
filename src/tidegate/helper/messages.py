"""What the helper can be asked: a few fixed questions, one JSON object in one message each.

    {"ask": "packet", "kind": "raw"}         a packet socket, unbound; "cooked" is without link headers
    {"ask": "facts", "pid": 1234}            what /proc says of a process
    {"ask": "bind", "protocol": "tcp", "address": "::", "port": 443}    a socket bound to a low port
    {"ask": "records"}                       records of processes, from now on, on the second connection
    {"ask": "clean"}                         removes what killed ones of us left in the kernel

Answers are {"ok": true, ...}, some with a descriptor, or {"errno": N, "error": "..."}.
"""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

QUESTION = 512
"""Bytes of a question at most."""

ANSWER = 1 << 16
"""Bytes of an answer at most."""

LOW_PORTS = 1024
"""Ports below this one are the system's."""


class Refused(Exception):
    """It is none of the questions; its text says why."""


@dataclass(frozen=True)
class PacketSocket:
    """A packet socket of this kind."""

    kind: str


@dataclass(frozen=True)
class Facts:
    """What is known of a process."""

    pid: int


@dataclass(frozen=True)
class Bind:
    """A socket bound to a low port."""

    protocol: str
    address: str
    port: int


@dataclass(frozen=True)
class Records:
    """Records of processes from now on."""


@dataclass(frozen=True)
class Clean:
    """Removal of what killed ones left behind."""


Question = PacketSocket | Facts | Bind | Records | Clean


def parse(message: bytes) -> Question:
    """The question; raises Refused for anything else."""
    if len(message) > QUESTION:
        raise Refused("too long")
    try:
        fields = json.loads(message.decode("ascii"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused("no JSON object") from None
    if not isinstance(fields, dict):
        raise Refused("no JSON object")
    return _question(fields)


def encode(fields: dict[str, Any]) -> bytes:
    """A message of these fields, without spaces."""
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _question(fields: dict[str, Any]) -> Question:
    match fields:
        case {"ask": "packet", "kind": "raw" | "cooked" as kind, **rest} if not rest:
            return PacketSocket(kind)
        case {"ask": "facts", "pid": int(pid), **rest} if not rest and _within(pid, 1, 1 << 22):
            return Facts(pid)
        case {"ask": "bind", "protocol": "tcp" | "udp" as protocol, "address": str(address),
              "port": int(port), **rest} if not rest and _within(port, 1, LOW_PORTS - 1):  # fmt: skip
            return Bind(protocol, _address(address), port)
        case {"ask": "records", **rest} if not rest:
            return Records()
        case {"ask": "clean", **rest} if not rest:
            return Clean()
    raise Refused("no such question")


def _within(number: int, least: int, most: int) -> bool:
    return not isinstance(number, bool) and least <= number <= most


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Refused("no IP address") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key twice")
    return fields
