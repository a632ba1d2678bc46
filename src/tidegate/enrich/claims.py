"""Who opened, took or holds which socket: bounded tables of claims, and which fit an end of a connection."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar

from tidegate.enrich.records import ANY4, SocketSeen

MAX_CONNECTIONS = 100_000
"""Pairs of ends whose claims are remembered; the longest untouched goes first."""
MAX_PORTS = 65_536
"""Ports that somebody waits on."""
MAX_PER_KEY = 64
"""Claims kept for one pair of ends or one port; the oldest goes first."""
NEAR = 20_000_000
"""Nanoseconds: a packet and the system call that caused it are seen within."""
LATE = 60_000_000_000
"""How long after its last packet a connection may still be accepted."""
FOUND = 5_000_000_000
"""How long after its last packet a socket that was found, not told of, is still the same."""
TIE = 1_000
"""Claims that lie nearer to each other are of the same moment."""

EVENT, LOOKUP, LISTENER = "event", "lookup", "listener"
_ANY = ("*", ANY4, "::")
_FOUND_BY = ("scan", "sock_diag", "psutil")
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Claim:
    """One program's claim on one socket."""

    ts: int
    local_ip: str
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


def claim_of(seen: SocketSeen) -> Claim:
    """What is claimed by what was told."""
    confidence = {"listen": LISTENER, "hold": LOOKUP}.get(seen.action, EVENT)
    return Claim(
        seen.ts, seen.local_ip, seen.program, seen.uid, seen.method, confidence, seen.action == "accept"
    )


class Claims:
    """All claims known. `method` is the source's: by it, the end of a socket is told or is not."""

    def __init__(self, method: str) -> None:
        self._pairs: OrderedDict[tuple[str, int, str, int], list[Claim]] = OrderedDict()
        self._ports: OrderedDict[tuple[str, int], list[Claim]] = OrderedDict()
        self._method = method
        self._lost = 0
        self.evicted = 0

    def lost(self, ts: int) -> None:
        """Events were lost until then: what was claimed before says nothing of connections after it."""
        self._lost = ts

    def add(self, seen: SocketSeen) -> None:
        """Takes what was told of a socket."""
        if seen.action == "close":
            self._close(seen)
        elif seen.remote_ip is not None:
            pair = (seen.proto, seen.local_port, seen.remote_ip, seen.remote_port)
            self._put(self._pairs, pair, claim_of(seen), MAX_CONNECTIONS)
        else:
            self._put(self._ports, (seen.proto, seen.local_port), claim_of(seen), MAX_PORTS)

    def find(self, end: End) -> list[Claim]:
        """The claims that this end belongs to: one if it is sure, several where they cannot be told apart.

        A claim of nobody known (program 0) stands for itself: what came before it is outdated.
        """
        pairs = self._pairs.get((end.proto, end.port, end.other_ip, end.other_port), ())
        fitting = [one for one in pairs if _takes(one.local_ip, end.ip) and self._covers(one, end)]
        if fitting:
            return _at_the_time(fitting, end)
        if not end.local or not (end.called or end.proto == "udp"):
            return []
        ports = self._ports.get((end.proto, end.port), ())
        fitting = [one for one in ports if _takes(one.local_ip, end.ip) and self._waits(one, end)]
        exact = [one for one in fitting if one.local_ip not in _ANY]
        return exact or fitting

    def _covers(self, claim: Claim, end: End) -> bool:
        """Whether a claim on this very pair of ends can be about this time of it."""
        if claim.ts < self._lost <= end.first or (claim.closed is not None and claim.closed < end.first):
            return False
        if claim.accepted or claim.confidence != EVENT:
            late = LATE if claim.accepted else FOUND
            return end.first - NEAR <= claim.ts <= end.last + late
        return claim.ts <= (end.last if end.proto == "udp" else end.first) + NEAR

    def _waits(self, claim: Claim, end: End) -> bool:
        """Whether a claim on a port can be about this time of it."""
        if claim.ts < self._lost <= end.first or (claim.closed is not None and claim.closed < end.first):
            return False
        if claim.method in _FOUND_BY and not self._tells_ends(end.proto):
            return end.first - NEAR <= claim.ts <= end.last + FOUND
        return claim.ts <= end.last + NEAR

    def _tells_ends(self, proto: str) -> bool:
        """Whether the source tells when a socket that waits is closed."""
        return self._method == "bpf" or (self._method == "tracepoint" and proto == "tcp")

    def _close(self, seen: SocketSeen) -> None:
        """A socket is gone: of the claims that may have been its own none outlives it."""
        lists = [self._ports.get((seen.proto, seen.local_port))]
        if seen.remote_ip is not None:
            lists.append(self._pairs.get((seen.proto, seen.local_port, seen.remote_ip, seen.remote_port)))
        for claims in lists:
            for at, claim in enumerate(claims or ()):
                same = _takes(claim.local_ip, seen.local_ip) or _takes(seen.local_ip, claim.local_ip)
                if claims and claim.closed is None and same and claim.ts <= seen.ts:
                    claims[at] = replace(claim, closed=seen.ts)

    def _put(self, table: OrderedDict[_Key, list[Claim]], key: _Key, claim: Claim, bound: int) -> None:
        claims = table.setdefault(key, [])
        table.move_to_end(key)
        claims[:] = [known for known in claims if not _repeats(claim, known)][1 - MAX_PER_KEY :]
        claims.append(claim)
        if len(table) > bound:
            table.popitem(last=False)
            self.evicted += 1


def _at_the_time(claims: list[Claim], end: End) -> list[Claim]:
    """Of claims on one pair of ends those of the moment it began: around its first packet, before, after."""

    def distance(claim: Claim) -> tuple[int, int]:
        apart = abs(claim.ts - end.first)
        when = 0 if apart <= NEAR or claim.accepted else 1 if claim.ts < end.first else 2
        return when, apart

    best = min(claims, key=distance)
    return [one for one in claims if one is best or abs(one.ts - best.ts) < TIE]


def _takes(local_ip: str, ip: str) -> bool:
    """Whether a socket bound to the first address takes what comes to the second."""
    return local_ip in (ip, "*") or local_ip == ("::" if ":" in ip else ANY4)


def _repeats(new: Claim, old: Claim) -> bool:
    """Found once more, or told once more: one claim is enough, the one found later or told earlier."""
    if (old.program, old.local_ip, old.confidence, old.closed) != (
        new.program, new.local_ip, new.confidence, None,
    ):  # fmt: skip
        return False
    return new.method in _FOUND_BY and old.method in _FOUND_BY
