"""Who opened, took or holds which socket: bounded tables of claims, and which claim a connection belongs to."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from typing import TypeVar

from tidegate.enrich.records import SocketSeen

_Key = TypeVar("_Key")

MAX_CONNECTIONS = 100_000
"""Connections of TCP whose owners are remembered; the longest untouched goes first."""
MAX_PORTS = 65_536
"""Ports for which claims are kept, for each protocol."""
MAX_PER_KEY = 32
"""Claims kept for one connection or port; the oldest goes first."""
NEAR = 20_000_000
"""Nanoseconds: a packet and the system call that caused it are seen within."""
LATE = 60_000_000_000
"""How long after its last packet a connection may still be accepted."""

EVENT, LOOKUP, LISTENER = "event", "lookup", "listener"
_RANK = {EVENT: 3, LOOKUP: 2, LISTENER: 1}


@dataclass(frozen=True, slots=True)
class Claim:
    """One program's claim on one socket."""

    ts: int
    local_ip: str
    remote_ip: str | None
    remote_port: int
    program: int
    """0: the kernel told of the socket, but nobody knows whose it is."""
    uid: int | None
    method: str
    confidence: str
    accepted: bool = False
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection, as seen from it, and when the connection was seen."""

    proto: str
    ip: str
    port: int
    other_ip: str
    other_port: int
    first: int
    last: int
    called: bool
    """It is the end that did not open."""
    local: bool
    """Its address is this machine's own."""


@dataclass(slots=True)
class Claims:
    """All claims known. What came before events were lost counts only for what was seen before."""

    _tcp: OrderedDict[tuple[str, int, str, int], list[Claim]] = field(default_factory=OrderedDict)
    _ports: dict[str, OrderedDict[int, list[Claim]]] = field(
        default_factory=lambda: {"tcp": OrderedDict(), "udp": OrderedDict()}
    )
    _lost: int = 0
    evicted: int = 0

    def lost(self, ts: int) -> None:
        """Events were lost until then: any socket may have changed hands."""
        self._lost = ts

    def add(self, seen: SocketSeen) -> None:
        """Takes what was told of a socket."""
        if seen.action == "close":
            self._close(seen)
            return
        confidence = {"listen": LISTENER, "hold": LOOKUP}.get(seen.action, EVENT)
        claim = Claim(
            seen.ts, seen.local_ip, seen.remote_ip, seen.remote_port, seen.program, seen.uid, seen.method,
            confidence, seen.action == "accept",
        )  # fmt: skip
        if seen.proto == "tcp" and seen.remote_ip is not None:
            key = (seen.local_ip, seen.local_port, seen.remote_ip, seen.remote_port)
            self._put(self._tcp, key, claim, MAX_CONNECTIONS)
        else:
            self._put(self._ports[seen.proto], seen.local_port, claim, MAX_PORTS)

    def find(self, end: End) -> Claim | None:
        """The claim that this end belongs to, if one is sure."""
        found = self._of_connection(end) if end.proto == "tcp" else None
        if found is None and end.local and (end.called or end.proto == "udp"):
            found = self._of_port(end)
        return found if found is not None and found.program else None

    def _of_connection(self, end: End) -> Claim | None:
        claims = self._tcp.get((end.ip, end.port, end.other_ip, end.other_port))
        return chosen([claim for claim in claims if self._covers(claim, end)], end.first) if claims else None

    def _covers(self, claim: Claim, end: End) -> bool:
        """Whether a claim on this very connection can be about this time of it."""
        if claim.ts < self._lost <= end.first:
            return False
        if claim.accepted:
            return end.first - NEAR <= claim.ts <= end.last + LATE
        if claim.confidence == LOOKUP:
            return end.first - NEAR <= claim.ts <= end.last + LATE
        return claim.ts <= end.first + NEAR

    def _of_port(self, end: End) -> Claim | None:
        claims = self._ports[end.proto].get(end.port, ())
        fitting = [claim for claim in claims if self._fits(claim, end)]
        if not fitting:
            return None
        best = max(_nearness(claim) for claim in fitting)
        return chosen([claim for claim in fitting if _nearness(claim) == best], end.first)

    def _fits(self, claim: Claim, end: End) -> bool:
        if not _takes(claim.local_ip, end.ip):
            return False
        if claim.remote_ip is not None and (claim.remote_ip, claim.remote_port) != (end.other_ip, end.other_port):
            return False
        if claim.closed is not None and claim.closed < end.first:
            return False
        return claim.ts <= end.last + LATE and not claim.ts < self._lost <= end.first

    def _close(self, seen: SocketSeen) -> None:
        """A listener, or a socket of UDP, is gone; whichever claims may have been its own are closed."""
        claims = self._ports[seen.proto].get(seen.local_port)
        for at, claim in enumerate(claims or ()):
            same = _takes(claim.local_ip, seen.local_ip) or _takes(seen.local_ip, claim.local_ip)
            if claims and claim.closed is None and same and claim.ts <= seen.ts:
                claims[at] = replace(claim, closed=seen.ts)

    def _put(self, table: OrderedDict[_Key, list[Claim]], key: _Key, claim: Claim, bound: int) -> None:
        claims = table.setdefault(key, [])
        table.move_to_end(key)
        claims[:] = [known for known in claims if not _replaces(claim, known)][1 - MAX_PER_KEY :]
        claims.append(claim)
        if len(table) > bound:
            table.popitem(last=False)
            self.evicted += 1


def chosen(claims: list[Claim], first: int) -> Claim | None:
    """Of several claims that fit, the one made when the connection began, else the last before, else the next.

    None where two programs claim the same moment.
    """
    if not claims:
        return None
    ranked = sorted(claims, key=lambda claim: _closeness(claim, first))
    best = ranked[0]
    for other in ranked[1:]:
        if other.program != best.program and abs(other.ts - best.ts) < 1000:
            return None
    return best


def single_holder(seen: Iterable[SocketSeen], names: dict[int, tuple[str, int, int]]) -> SocketSeen | None:
    """Of all who hold a socket now, the one that stands for them; `names`: program to name, pid, start.

    Processes of one name are one program that forked: the oldest stands for it. A socket that process 1 passed
    on is its receiver's. Between programs of different names nobody can tell.
    """
    known = [one for one in seen if one.program in names]
    if len({one.program for one in known}) > 1:
        known = [one for one in known if names[one.program][1] != 1]
    if len({names[one.program][0] for one in known}) != 1:
        return None
    return min(known, key=lambda one: names[one.program][2])


def _closeness(claim: Claim, first: int) -> tuple[int, int, int]:
    """Order of preference: around the first packet, before it, after it; the surer one first."""
    distance = abs(claim.ts - first)
    when = 0 if distance <= NEAR or claim.accepted else 1 if claim.ts < first else 2
    return when, -_RANK[claim.confidence] if when else 0, distance


def _nearness(claim: Claim) -> tuple[bool, bool]:
    """How exactly a claim on a port says what it is about."""
    return claim.remote_ip is not None, claim.local_ip not in ("*", "0.0.0.0", "::")


def _takes(local_ip: str, ip: str) -> bool:
    """Whether a socket bound to the first address takes what comes to the second."""
    return local_ip in (ip, "*") or local_ip == ("::" if ":" in ip else "0.0.0.0")


def _replaces(new: Claim, old: Claim) -> bool:
    """The same program's older claim on the same socket says no more; found again is still found."""
    same = (old.program, old.local_ip, old.remote_ip, old.remote_port, old.confidence, old.closed) == (
        new.program, new.local_ip, new.remote_ip, new.remote_port, new.confidence, None,
    )  # fmt: skip
    return same and new.confidence == LOOKUP

