"""Stage: which program a connection belongs to, on this machine, at one end or both."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.enrich.claims import EVENT, Claim, Claims, End, claim_of
from tidegate.enrich.container import container_of
from tidegate.enrich.records import (
    Program,
    Raw,
    SocketSeen,
    parse_program,
    parse_socket,
)
from tidegate.enrich.users import Users
from tidegate.helper.records import RecordSource
from tidegate.model.batch import Batch
from tidegate.model.config.enrich import ProgramSettings

COLUMNS = ("pid", "name", "path", "cmdline", "parent", "user", "started", "container", "method", "confidence")
"""What is said of a program, after `process_` and `peer_process_`."""
READ = ("uid", "proto", "src_ip", "src_port", "dst_ip", "dst_port", "ts", "last_ts", "state")
MAX_PROGRAMS = 65_536
MAX_CONNECTIONS = 100_000
"""Running connections whose programs are remembered by uid."""
MAX_LOOKUPS = 64
"""Questions asked for one batch."""
TRIES = 4
"""Questions asked about one end of one connection."""
REFRESH = 2_000_000_000
"""Nanoseconds between looks at this machine's addresses."""

Said = tuple[Any, ...]
NOTHING: Said = (None,) * (len(COLUMNS) - 1)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one running connection: of the opener's end and the other."""

    ends: tuple[Said | None, Said | None] = (None, None)
    tries: int = 0


@dataclass(slots=True)
class Coverage:
    """Ends of finished connections that are on this machine, by how sure their program is."""

    event: int = 0
    lookup: int = 0
    listener: int = 0
    none: int = 0

    @property
    def share(self) -> float | None:
        """The part that has a program; None before the first."""
        named = self.event + self.lookup + self.listener
        return named / (named + self.none) if named + self.none else None


class ProcessStage:
    """Fills `process_*` and `peer_process_*` of `conn`; other tables join by uid and pass unchanged.

    Its thread is the line's; the source has its own and is stopped by close().
    """

    def __init__(
        self,
        source: RecordSource,
        settings: ProgramSettings,
        addresses: Callable[[], Iterable[str]],
    ) -> None:
        self._source = source
        self._settings = settings
        self._addresses = addresses
        self._local: frozenset[str] = frozenset()
        self._refreshed = 0
        self._claims = Claims(source.method)
        self._programs: OrderedDict[int, Program] = OrderedDict()
        self._running: OrderedDict[str, Known] = OrderedDict()
        self._users = Users()
        self._lookups = 0
        self.coverage = Coverage()

    @property
    def method(self) -> str:
        """By what programs are found."""
        return self._source.method

    @property
    def said(self) -> str:
        """How it stands, in words."""
        share = self.coverage.share
        return f"by {self._source.method}" + ("" if share is None else f", {share:.0%} of ends named")

    def process(self, batch: Batch) -> Iterable[Batch]:
        """The batch with programs, if it is of connections."""
        if batch.table != "conn":
            return (batch,)
        self._take(self._source.poll(0.0) or ())
        if not self._local:
            self._local = frozenset(self._addresses())
        self._lookups = 0
        rows = zip(*batch.columns(READ), strict=True)
        return (batch.with_columns(_columns([self._row(*row) for row in rows])),)

    def tick(self, now: int) -> Iterable[Batch]:
        """Takes what was told meanwhile, and looks at the machine's addresses again."""
        self._take(self._source.poll(0.0) or ())
        if now - self._refreshed >= REFRESH:
            self._local, self._refreshed = frozenset(self._addresses()), now
        return ()

    def close(self) -> None:
        """Ends the source."""
        self._source.stop()

    def _take(self, records: Iterable[Raw]) -> None:
        """Takes records in their order; what a scan found is taken at the end, one holder of each socket."""
        scanned: dict[tuple[Any, ...], list[SocketSeen]] = {}
        for raw in records:
            match raw[0]:
                case "program":
                    self._learn(parse_program(raw))
                case "lost":
                    self._claims.lost(raw[1])
                case "socket":
                    seen = parse_socket(raw)
                    if seen.method == "scan":
                        scanned.setdefault(seen[3:8], []).append(seen)
                    else:
                        self._claims.add(seen)
        for held in scanned.values():
            if (holder := self._single([one.program for one in held])) is not None:
                self._claims.add(held[holder])

    def _learn(self, program: Program) -> None:
        self._programs[program.id] = program
        self._programs.move_to_end(program.id)
        if len(self._programs) > MAX_PROGRAMS:
            self._programs.popitem(last=False)

    def _row(
        self, uid: str, proto: str, src_ip: str, src_port: int, dst_ip: str, dst_port: int,
        first: int, last: int, state: str,
    ) -> tuple[Said | None, Said | None, bool]:  # fmt: skip
        """What is said of the two ends, and whether the process columns are about the called one."""
        if proto not in ("tcp", "udp"):
            return None, None, False
        src_here, dst_here = src_ip in self._local, dst_ip in self._local
        known = self._running.pop(uid, Known())
        ends = (
            End(proto, src_ip, src_port, dst_ip, dst_port, first, last, False, src_here),
            End(proto, dst_ip, dst_port, src_ip, src_port, first, last, True, dst_here),
        )
        found = [self._end(end, before) for end, before in zip(ends, known.ends, strict=True)]
        if state != "closed":
            known = self._ask(ends, found, known)
            self._running[uid] = replace(known, ends=(found[0], found[1]))
            if len(self._running) > MAX_CONNECTIONS:
                self._running.popitem(last=False)
        else:
            self._count(ends, found)
        # Which end is this machine's shows by its address, or by somebody here having it.
        only_called = (dst_here or found[1] is not None) and not (src_here or found[0] is not None)
        return found[0], found[1], only_called

    def _count(self, ends: tuple[End, End], found: Sequence[Said | None]) -> None:
        for end, one in zip(ends, found, strict=True):
            if end.local or one is not None:
                kind = one[-1] if one else "none"
                setattr(self.coverage, kind, getattr(self.coverage, kind) + 1)

    def _end(self, end: End, before: Said | None) -> Said | None:
        """What is said of one end: what was sure stays, the rest may become surer."""
        if before is not None and before[-1] == EVENT:
            return before
        claims = self._claims.find(end)
        one = self._single([claim.program for claim in claims])
        return before if one is None else self._said(claims[one])

    def _ask(self, ends: tuple[End, End], found: list[Said | None], known: Known) -> Known:
        """Asks about the ends here that nothing was told of, as long as that is worth it."""
        for at, end in enumerate(ends):
            if found[at] is None and end.local and known.tries < TRIES and self._lookups < MAX_LOOKUPS:
                known = replace(known, tries=known.tries + 1)
                self._lookups += 1
                found[at] = self._lookup(end)
        return known

    def _lookup(self, end: End) -> Said | None:
        records = self._source.lookup(end.proto, end.ip, end.port, end.other_ip, end.other_port)
        self._take(raw for raw in records if raw[0] != "socket")
        seen = [parse_socket(raw) for raw in records if raw[0] == "socket"]
        if not end.called and end.proto == "tcp":
            # A listener on the port of the end that opened has nothing to do with the connection.
            seen = [one for one in seen if one.action != "listen"]
        holder = self._single([one.program for one in seen])
        return None if holder is None else self._said(claim_of(seen[holder]))

    def _single(self, ids: Sequence[int]) -> int | None:
        """Which of all who hold a socket at one time stands for them; None where nobody can tell.

        Processes of one name are one program that forked, of which the oldest stands for all; what process 1
        passed on is its receiver's.
        """
        known = [(at, self._programs.get(id)) for at, id in enumerate(ids)]
        programs = [(at, program) for at, program in known if program is not None]
        if len(programs) < len(known):
            return None
        if len({program.id for _, program in programs}) > 1:
            programs = [(at, program) for at, program in programs if program.pid != 1]
        if len({(program.name, program.path) for _, program in programs}) != 1:
            return None
        return min(programs, key=lambda one: (one[1].started or 0, one[1].pid))[0]

    def _said(self, claim: Claim) -> Said | None:
        program = self._programs.get(claim.program)
        if program is None:
            return None
        cmdline = program.cmdline if self._settings.cmdline else None
        uid = claim.uid if claim.uid is not None else program.uid
        texts = (program.name, program.path, cmdline, program.parent)
        name, path, cmdline_, parent = (_raw(text) for text in texts)
        user, container = _raw(self._users.name(uid)), _raw(container_of(program.cgroup))
        return (
            program.pid, name, path, cmdline_, parent, user, program.started, container,
            claim.method, claim.confidence,
        )  # fmt: skip


def _raw(text: str | None) -> bytes | None:
    """Text that a stranger chose, given to the core as bytes: it escapes what a terminal would act on."""
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _columns(rows: list[tuple[Said | None, Said | None, bool]]) -> Mapping[str, list[Any]]:
    """The columns: the program here first, the opener's where both ends are here."""
    none = (*NOTHING, "none")
    mine, peers = [], []
    for source, called, only_called in rows:
        mine.append((called if only_called else source) or none)
        peers.append(none if only_called else called or none)
    made: dict[str, list[Any]] = {}
    for prefix, said in (("process_", mine), ("peer_process_", peers)):
        for name, values in zip(COLUMNS, zip(*said, strict=True), strict=True):
            made[prefix + name] = list(values)
    return made
