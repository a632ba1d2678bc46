"""The relay of the picture: its services and their connections, by rows and by what it says of itself."""

import copy
from binascii import Error as NoBase64Error
from binascii import a2b_base64
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.model.text import clip
from tidegate.tui.board.carrier import Aside, Carrier, read
from tidegate.tui.board.conn import LONGEST, Conn
from tidegate.tui.board.parties import Party
from tidegate.tui.board.rows import WANTED, Rows

SECOND = 1_000_000_000
MOST_SERVICES, MOST_SESSIONS = 500, 2_000
KEPT = 256
"""First bytes of each direction that are kept."""

SILENCES = frozenset({"idle", "half_closed"})
"""Causes of ends that are idle kills."""

GOOD_ENDS = frozenset({"fin", "killed", "rejected", "drain", "stop", "lifetime", "rule", "port"}) | SILENCES
"""Causes of ends that are no errors: the ends' own will, ours, or a rule's."""

PHASES = {"accept": "looking", "detect": "connecting", "connect": "relaying", "close": "closed"}
_SAID = {"recv": 0, "send": 1}
_GRACE = 3 * SECOND
"""How long a connection that the relay does not list may still be open: rows and lists cross."""


class Service(Party):
    """A service: what rows told of it, and what the relay says."""

    __slots__ = ("ended", "name", "protocols", "refused", "told")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.told: Carrier | None = None
        self.ended: Counter[str] = Counter()
        self.refused = 0
        self.protocols: Counter[str] = Counter()

    def __copy__(self) -> "Service":
        twin = Service(self.name)
        twin.open, twin.total, twin.seen, twin.told = self.open, self.total, self.seen, self.told
        twin.series, twin.ended, twin.refused = copy.copy(self.series), self.ended.copy(), self.refused
        twin.protocols = self.protocols.copy()
        return twin

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {"service": self.name, "protocol": " ".join(self.protocols)}

    @property
    def kills(self) -> int:
        """Connections that were ended for their silence."""
        return self._count(SILENCES)

    @property
    def errors(self) -> int:
        """Connections that one end or the way there has failed."""
        causes = self.told.ended if self.told else self.ended
        return sum(causes.values()) - self._count(GOOD_ENDS)

    @property
    def turned_away(self) -> int:
        """Clients that were not let in."""
        return self.told.refused if self.told else self.refused

    def _count(self, wanted: Iterable[str]) -> int:
        causes = self.told.ended if self.told else self.ended
        return sum(causes.get(cause, 0) for cause in wanted)


class Session:
    """A relayed connection; also a mapping from column to value, as filters want it."""

    __slots__ = ("cells", "closed", "heard", "said", "uid")

    def __init__(self, uid: str, cells: dict[str, Any]) -> None:
        self.uid = uid
        self.cells = cells
        self.closed = False
        self.heard: int = cells["ts"]
        """When anything passed last, as far as is known."""
        self.said = (b"", b"")
        """First bytes from and to the client, as far as the relay keeps them."""

    def __contains__(self, name: str) -> bool:
        return name in self.cells

    def __getitem__(self, name: str) -> Any:
        return self.cells[name]


CELLS = (
    "ts", "uid", "connection_id", "service", "client_ip", "client_port", "server_ip", "server_port",
    "remote_ip", "remote_port", "backend", "rule", "protocol", "phase", "cause", "up_bytes", "down_bytes",
    "client_country", "client_city", "client_asn", "client_as_org",
)  # fmt: skip
"""What is known of a session."""


class Relays:
    """Services and sessions, bounded; sessions that are over go first."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.sessions: dict[str, Session] = {}
        self.asides: tuple[Aside, ...] = ()
        """Addresses that are rejected, ports that are waited for."""
        self.running = False
        """Whether a relay has just told how it goes."""
        self.draining = False
        self.forgotten = 0

    def frozen(self) -> "Relays":
        """A copy that stays as it is."""
        twin = copy.copy(self)
        twin.services = {name: copy.copy(each) for name, each in self.services.items()}
        twin.sessions = {uid: copy.copy(each) for uid, each in self.sessions.items()}
        return twin

    def of(self, service: str) -> list[Session]:
        """Its connections: those that are open first, then the newest."""
        found = [each for each in self.sessions.values() if each["service"] == service]

        def newest(session: Session) -> tuple[bool, int, int]:
            return not session.closed, session["ts"], session["connection_id"] or 0

        return sorted(found, key=newest, reverse=True)

    def rejected(self, ip: str) -> bool:
        """Whether an address is not let in."""
        return any(each.kind == "rejected" and each.what == ip for each in self.asides)

    # --- by rows ---

    def take(self, rows: Rows) -> list[tuple[int, str]]:
        """Takes events; gives those that are for the log, with their times."""
        names = WANTED["relay"]
        texts: list[tuple[int, str]] = []
        for values in zip(*rows.columns(names), strict=True):
            row = dict(zip(names, values, strict=True))
            if row["type"] == "notice":
                texts.append((row["ts"], str(row["text"] or "")))
            elif row["type"] == "refused":
                self._service(row["service"]).refused += 1
            elif row["uid"] is not None:
                self._event(row)
        return texts

    def _event(self, row: dict[str, Any]) -> None:
        kind = row["type"]
        session = self.sessions.get(row["uid"]) or self._begun(row["uid"], row)
        session.heard = max(session.heard, row["ts"])
        if (side := _SAID.get(kind)) is not None:
            session.said = _more(session.said, side, row["payload_base64"])
            return
        for name, value in row.items():
            if name in session.cells and name != "ts" and value is not None:
                session.cells[name] = clip(value, LONGEST) if isinstance(value, str) else value
        if kind == "connect" and row["cause"] is not None:
            return
        if not session.closed:
            session.cells["phase"] = PHASES.get(kind, kind)
        if kind == "close":
            self._over(session)

    def _begun(self, uid: str, row: Mapping[str, Any]) -> Session:
        if len(self.sessions) >= MOST_SESSIONS:
            self._make_room()
        cells = {name: row.get(name) for name in CELLS}
        session = self.sessions[uid] = Session(uid, cells | {"phase": "looking"})
        self._service(row["service"]).open += 1
        self._service(row["service"]).total += 1
        return session

    def _over(self, session: Session) -> None:
        if session.closed:
            return
        session.closed = True
        session.cells["phase"] = "closed"
        service = self._service(session["service"])
        service.open = max(service.open - 1, 0)
        protocol = session["protocol"]
        if protocol and (protocol in service.protocols or len(service.protocols) < 32):
            service.protocols[protocol] += 1

    def _service(self, name: str | None) -> Service:
        name = clip(name or "", LONGEST)
        if name not in self.services and len(self.services) >= MOST_SERVICES:
            name = next(iter(self.services))
        return self.services.setdefault(name, Service(name))

    def _make_room(self) -> None:
        """Takes out a tenth: those that are over, the oldest first, else the longest silent."""
        order = sorted(self.sessions.values(), key=lambda each: (not each.closed, each.heard))
        for each in order[: MOST_SESSIONS // 10]:
            if not each.closed:
                service = self._service(each["service"])
                service.open = max(service.open - 1, 0)
            del self.sessions[each.uid]
            self.forgotten += 1

    # --- by rows of conn ---

    def moved(self, conn: Conn, first: int, last: int, up: int, down: int) -> None:
        """A relayed connection has carried bytes."""
        service = self._service(conn["relay_service"])
        service.seen = last
        if service.told is None:
            service.series.add(first, last, up, down)
        if session := self.sessions.get(conn.uid):
            session.heard = max(session.heard, last * SECOND)
            if not self.running or session.closed:
                session.cells["up_bytes"], session.cells["down_bytes"] = conn.up_bytes, conn.down_bytes

    def ended(self, conn: Conn) -> None:
        """A relayed connection is over."""
        self._service(conn["relay_service"]).ended[conn["relay_cause"] or "fin"] += 1

    # --- by what the relay says ---

    def settle(self, told: Mapping[str, Any] | None, now: int) -> None:
        """Takes how the relay stands; None where none runs."""
        picture = read(told) if told is not None else None
        self.running = picture is not None
        if picture is None:
            self.asides, self.draining = (), False
            for service in self.services.values():
                service.told = None
            return
        self.asides, self.draining = picture.asides, picture.draining
        named = {carrier.name: carrier for carrier in picture.carriers}
        for name in named:
            self._service(name)
        order = [name for name in named if name in self.services]
        self.services = {name: self.services[name] for name in order} | self.services
        for name, service in list(self.services.items()):
            self._told(service, named.get(name), now // SECOND)
        for each in picture.connections:
            self._listed(each, now)
        if picture.whole:
            self._missing({each["uid"] for each in picture.connections}, now)

    def _told(self, service: Service, carrier: Carrier | None, second: int) -> None:
        before, service.told = service.told, carrier
        if carrier is None:
            return
        if before is not None and carrier.up >= before.up and carrier.down >= before.down:
            start = max(min(service.seen + 1, second), second - 5)
            service.series.add(start, second, carrier.up - before.up, carrier.down - before.down)
        service.seen = second

    def _listed(self, each: Mapping[str, Any], now: int) -> None:
        """A connection that is open."""
        session = self.sessions.get(each["uid"]) or self._begun(each["uid"], each)
        if not session.closed:
            session.cells |= {name: each[name] for name in CELLS if each.get(name) is not None}
            session.heard = now - each["idle"]

    def _missing(self, listed: set[str], now: int) -> None:
        """What the relay does not list, though it lists all, is over."""
        for session in list(self.sessions.values()):
            if not session.closed and session.uid not in listed and session["ts"] < now - _GRACE:
                self._over(session)


def _more(said: tuple[bytes, bytes], side: int, payload: str | None) -> tuple[bytes, bytes]:
    """The first bytes with those that came now."""
    room = KEPT - len(said[side])
    if not payload or room <= 0:
        return said
    try:
        came = a2b_base64(payload[: 4 * (KEPT // 3 + 2)])[:room]
    except NoBase64Error:
        return said
    return (said[0] + came, said[1]) if side == 0 else (said[0], said[1] + came)
