"""What the helper can be asked: a few fixed questions, one JSON object in one message each.

    {"ask": "packet", "kind": "raw"}         a packet socket, unbound; "cooked" is without link headers
    {"ask": "bind", "protocol": "tcp", "address": "::", "port": 443}    a socket bound to a low port
    {"ask": "records"}                       records of processes, from now on, on the second connection
    {"ask": "lookup", "proto": "tcp", "local_ip": "::1", "local_port": 5, "remote_ip": null, "remote_port": 0}
                                             records of who holds this socket now, or listens for it
    {"ask": "state"}                         how records are found, what does not work, and counters
    {"ask": "steer", "by": "sk_lookup", "address": "::", "ports": [[1, 21], [23, 65535]],
     "spared": [["::1", 8080]], "sockets": 1}
                                             sockets that listen for connections to all of these ports
    {"ask": "alter", "steering": 1, "ports": [[1, 1023]], "spared": []}
                                             other ports for the same sockets
    {"ask": "release", "steering": 1}        ends it

Answers are {"ok": true, ...}, some with a descriptor, or {"errno": N, "error": "..."}.
"""

import ipaddress
import json
import os
from dataclasses import dataclass
from typing import Any

QUESTION = 4096
"""Bytes of a question at most."""

ANSWER = 1 << 16
"""Bytes of an answer at most."""

LOW_PORTS = 1024
"""Ports below this one are the system's."""

MAX_PORT = 65_535

MAX_RANGES, MAX_SPARED, MAX_SOCKETS = 128, 32, 64
"""Of a steering: ranges of ports, addresses left alone, listening sockets."""

MAX_NUMBER = 1 << 30
"""Steerings are numbered from 1."""


class Refused(Exception):
    """It is none of the questions; its text says why."""


@dataclass(frozen=True)
class PacketSocket:
    """A packet socket of this kind."""

    kind: str


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
class Lookup:
    """Who holds a socket, or listens for it."""

    proto: str
    local_ip: str
    local_port: int
    remote_ip: str | None
    remote_port: int


@dataclass(frozen=True)
class State:
    """How it goes with the records."""


@dataclass(frozen=True)
class Steer:
    """New TCP connections to any of these ports come to one port with so many listening sockets."""

    by: str
    address: str
    """The one that was connected to; the unspecified one stands for all of its family."""
    ports: tuple[tuple[int, int], ...]
    """(first, last), ascending."""
    spared: tuple[tuple[str, int], ...]
    """Addresses and ports that are left alone; those of the other family say nothing here."""
    sockets: int


@dataclass(frozen=True)
class Alter:
    """Other ports and addresses left alone, for a steering that there is."""

    steering: int
    ports: tuple[tuple[int, int], ...]
    spared: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Release:
    """The end of a steering."""

    steering: int


Question = PacketSocket | Bind | Records | Lookup | State | Steer | Alter | Release


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
    return json.dumps(fields, separators=(",", ":"), default=text_of).encode("ascii")


def _question(fields: dict[str, Any]) -> Question:
    match fields:
        case {"ask": "packet", "kind": "raw" | "cooked" as kind, **rest} if not rest:
            return PacketSocket(kind)
        case {"ask": "bind", "protocol": "tcp" | "udp" as protocol, "address": str(address),
              "port": int(port), **rest} if not rest and _within(port, 1, LOW_PORTS - 1):  # fmt: skip
            return Bind(protocol, _address(address), port)
        case {"ask": "lookup", "proto": "tcp" | "udp" as proto, "local_ip": str(local),
              "local_port": int(port), "remote_ip": str() | None as remote, "remote_port": int(other),
              **rest} if not rest and _within(port, 0, MAX_PORT) and _within(other, 0, MAX_PORT):  # fmt: skip
            return Lookup(proto, _address(local), port, _address(remote) if remote else None, other)
        case {"ask": "steer", "by": "sk_lookup" | "tproxy" | "redirect" as by, "address": str(address),
              "ports": list(ports), "spared": list(spared), "sockets": int(sockets),
              **rest} if not rest and _within(sockets, 1, MAX_SOCKETS):  # fmt: skip
            return Steer(by, _address(address), _ports(ports), _spared(spared), sockets)
        case {"ask": "alter", "steering": int(steering), "ports": list(ports), "spared": list(spared),
              **rest} if not rest and _within(steering, 1, MAX_NUMBER):  # fmt: skip
            return Alter(steering, _ports(ports), _spared(spared))
        case {"ask": "release", "steering": int(steering), **rest} if not rest and _within(
            steering, 1, MAX_NUMBER
        ):
            return Release(steering)
        case {"ask": "records", **rest} if not rest:
            return Records()
        case {"ask": "state", **rest} if not rest:
            return State()
    raise Refused("no such question")


def _within(number: int, least: int, most: int) -> bool:
    return not isinstance(number, bool) and least <= number <= most


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Refused("no IP address") from None
    if getattr(address, "scope_id", None):  # it may be any text, which would go to the resolver
        raise Refused("a zone")
    return str(address)


def _ports(ranges: list[Any]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    least = 1
    for one in ranges:
        match one:
            case [int(first), int(last)] if _within(first, least, MAX_PORT) and _within(
                last, first, MAX_PORT
            ):
                found.append((first, last))
                least = last + 1
            case _:
                raise Refused("no ascending ranges of ports")
    if not 1 <= len(found) <= MAX_RANGES:
        raise Refused("none, or too many ranges of ports")
    return tuple(found)


def _spared(ends: list[Any]) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for one in ends:
        match one:
            case [str(address), int(port)] if _within(port, 1, MAX_PORT):
                found.append((_address(address), port))
            case _:
                raise Refused("no address and port")
    if len(found) > MAX_SPARED:
        raise Refused("too many addresses to be left alone")
    return tuple(found)


def text_of(value: object) -> str:
    """Text for what JSON has no word for: bytes as in file names."""
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key twice")
    return fields
