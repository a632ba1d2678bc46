"""The board: rows in, a bounded picture out. Time is told to it: the same rows give the same picture."""

import copy
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tidegate.model.stats import RELAY
from tidegate.model.text import clip
from tidegate.tui.board.alarms import Alerts
from tidegate.tui.board.conn import HOT, LONGEST, PLACE, REST, Conn
from tidegate.tui.board.connections import MOST, Connections
from tidegate.tui.board.desk import Desk
from tidegate.tui.board.losses import Losses
from tidegate.tui.board.parties import Family, Host, Interface, Parties, Party, Program
from tidegate.tui.board.relays import Relays
from tidegate.tui.board.rows import WANTED, Rows, byte_counts
from tidegate.tui.board.series import Series
from tidegate.tui.board.web import Web

SECOND = 1_000_000_000
STALE = 5 * SECOND
"""A rate older than this is over."""

YOUNG = 3
OFTEN = 8
"""All columns are read of a connection's first rows, its last one, and every eighth in between."""

MOST_PROGRAMS, MOST_FAMILIES, MOST_HOSTS, MOST_INTERFACES = 2_000, 2_000, 10_000, 256
MOST_LINES, MOST_EVENTS = 2_000, 2_000
ENDED = frozenset({"SF", "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH"})
"""States in which a TCP connection is over for its ends; its last row comes a little later."""

LONG_TEXT = tuple(
    PLACE[name]
    for name in REST
    if name.endswith(("name", "path", "cmdline", "parent", "user", "container", "as_org", "city", "history"))
)
PROGRAM_CELLS = ("path", "cmdline", "parent", "user", "started", "container", "method", "confidence")

Key = tuple[int | None, str | None]


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    ts: int
    level: str
    """info, warning or error."""
    text: str


@dataclass(frozen=True)
class Event:
    """Something a connection said: an HTTP transaction, a TLS handshake, a question to DNS."""

    ts: int
    uid: str
    kind: str
    text: str


class Board:
    """Everything the screen shows."""

    def __init__(
        self, local: Iterable[str] = (), most: int = MOST, lag: float = 3.0, messages_span: int = 120
    ) -> None:
        """`local` are this machine's addresses; rows may come `lag` seconds after what they tell of."""
        self.local = frozenset(local)
        self.connections = Connections(most)
        self.programs: Parties[Key, Program] = Parties(Program, MOST_PROGRAMS)
        self.families: Parties[str | None, Family] = Parties(Family, MOST_FAMILIES)
        """Programs by name."""
        self.hosts: Parties[str, Host] = Parties(Host, MOST_HOSTS)
        self.interfaces: Parties[str, Interface] = Parties(Interface, MOST_INTERFACES)
        self.web = Web(messages_span)
        self.relays = Relays()
        self.alerts = Alerts()
        self.desk = Desk()
        self.losses = Losses()
        self.lines: deque[Line] = deque(maxlen=MOST_LINES)
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self.total, self.owned = Series(), Series()
        """All traffic, and that whose program is known."""
        self.now = 0
        self.first: int | None = None
        """When the first thing shown happened."""
        self.rows = 0
        self._lag = int(lag)
        self._latest = 0
        self._takes: dict[str, Callable[[Rows], None]] = {
            "conn": self._conn,
            "http": self._http,
            "tls": self._tls,
            "dns": self._dns,
            "alert": self._alert,
            "health": self._health,
            "host": self._host,
            "relay": self._relay,
        }

    @property
    def edge(self) -> int:
        """The second that is not complete yet, by what was told: rates end before it."""
        return max(self._latest, self.now // SECOND - self._lag)

    @property
    def stale(self) -> int:
        """Nanoseconds after which a connection's rate is over."""
        return STALE + self._lag * SECOND

    def take(self, rows: Rows, now: int) -> None:
        """Takes rows of a table; those of others are let pass."""
        self.tick(now)
        self.rows += rows.num_rows
        if take := self._takes.get(rows.table):
            take(rows)

    def tick(self, now: int) -> None:
        """Lets time pass."""
        if now > self.now:
            self.now = now
            self.web.roll(now // SECOND)
            self.losses.minute.roll(now // SECOND)

    def say(self, ts: int, level: str, text: str) -> None:
        """A line for the log."""
        self.lines.append(Line(ts, level, clip(text, LONGEST)))

    def settle(self, desk: Desk) -> None:
        """Takes what people did about alerts, as far as it is known now."""
        self.desk = desk
        for alert_id, who in desk.acknowledged.items():
            if alert := self.alerts.known.get(alert_id):
                alert.acknowledged = who
        for alert_id, (value, peak) in desk.values.items():
            if (alert := self.alerts.known.get(alert_id)) and alert.open:
                alert.row = alert.row | {"value": value, "peak": peak}

    def frozen(self) -> "Board":
        """A copy that stays as it is; rows that are not changed in place are shared."""
        twin = copy.copy(self)
        for name in ("connections", "programs", "families", "hosts", "interfaces"):
            table = copy.copy(getattr(self, name))
            table.known = {key: copy.copy(one) for key, one in table.known.items()}
            setattr(twin, name, table)
        for party in (*twin.programs, *twin.families, *twin.hosts, *twin.interfaces):
            party.series = copy.copy(party.series)
        twin.relays = self.relays.frozen()
        for name in ("web", "alerts", "losses", "lines", "events", "total", "owned"):
            setattr(twin, name, copy.deepcopy(getattr(self, name)))
        return twin

    def host_of(self, conn: Conn) -> Host | None:
        """The other end."""
        return self.hosts.known.get(conn.host)

    def _conn(self, rows: Rows) -> None:
        uids, firsts, lasts, states, zeeks, *_ = rows.columns(HOT)
        ups, downs = byte_counts(rows)
        known = self.connections.known
        full = []
        for uid, state in zip(uids, states, strict=True):
            conn = known.get(uid)
            full.append(conn is None or state == "closed" or conn.rows < YOUNG or conn.rows % OFTEN == 0)
        cells = iter(self._cells(rows, full))
        for wanted, uid, first, *values in zip(
            full, uids, firsts, lasts, states, zeeks, ups, downs, strict=True
        ):
            described = next(cells) if wanted else None
            conn = known.get(uid) or self._opened(uid, first)
            if described is not None and conn.state != "closed":
                self._describe(conn, described)
            if conn.cells and conn.state != "closed":
                self._goes_on(conn, *values)

    def _cells(self, rows: Rows, full: list[bool]) -> Iterable[tuple[Any, ...]]:
        """All columns of the rows that are wanted in full, long text cut."""
        if not any(full):
            return []
        whole = all(full)
        columns = (rows if whole or not hasattr(rows, "keep") else rows.keep(full)).columns(REST)
        if not whole and not hasattr(rows, "keep"):
            columns = [[cell for cell, kept in zip(column, full, strict=True) if kept] for column in columns]
        for place in LONG_TEXT:
            columns[place] = [cell and clip(cell, LONGEST) for cell in columns[place]]
        return zip(*columns, strict=True)

    def _opened(self, uid: str, ts: int) -> Conn:
        conn, gone = self.connections.add(uid, ts)
        self.first = ts if self.first is None else min(self.first, ts)
        for old in gone:
            if old.closed_at is None:
                self._count(old, -1)
        return conn

    def _describe(self, conn: Conn, cells: tuple[Any, ...]) -> None:
        """Notes all columns, and whose connection it is if that is new."""
        new = not conn.cells
        conn.cells = cells
        program = (conn["process_pid"], conn["process_name"])
        if new:
            src, dst = conn["src_ip"], conn["dst_ip"]
            conn.inbound = dst in self.local and src not in self.local
            conn.host = src if conn.inbound else dst
            conn.program = program
            conn.peer = self._peer(conn)
            self._count(conn, 1, first=True)
        elif program != conn.program and program != (None, None):
            self._count(conn, -1)
            conn.program = program
            conn.peer = self._peer(conn)
            self._count(conn, 1)
        self._know_program(conn)
        self._know_host(conn)

    @staticmethod
    def _peer(conn: Conn) -> Key | None:
        name = conn["peer_process_name"]
        return (conn["peer_process_pid"], name) if name is not None else None

    def _program(self, key: Key) -> tuple[Program, Family]:
        """A program, and all of its name."""
        family = self.families.get(key[1])
        if key not in self.programs.known:
            family.meet(key[0])
        return self.programs.get(key), family

    def _ours(self, conn: Conn) -> tuple[Party, ...]:
        """Whose traffic it is: our end's program and name, the other end, the interface."""
        host, interface = self.hosts.get(conn.host), self.interfaces.get(conn["iface"])
        return *self._program(conn.program), host, interface

    def _count(self, conn: Conn, change: int, first: bool = False) -> None:
        theirs = self._program(conn.peer) if conn.peer is not None else ()
        for party in (*self._ours(conn), *theirs):
            party.open = max(party.open + change, 0)
            party.total += first or (change > 0 and isinstance(party, Program | Family))

    def _know_program(self, conn: Conn) -> None:
        for prefix, key in (("process_", conn.program), ("peer_process_", conn.peer)):
            if key is not None and key[1] is not None:
                program, family = self._program(key)
                program.cells = {name: conn[prefix + name] for name in PROGRAM_CELLS}
                family.know(program.cells)

    def _know_host(self, conn: Conn) -> None:
        host = self.hosts.get(conn.host)
        end = "src_" if conn.inbound else "dst_"
        if conn[end + "country"] is not None or conn[end + "asn"] is not None:
            host.country, host.city = conn[end + "country"], conn[end + "city"]
            host.asn, host.as_org = conn[end + "asn"], conn[end + "as_org"]
        if conn["name"] is not None and not conn.inbound:
            host.said, host.said_by = conn["name"], conn["name_source"]

    def _goes_on(self, conn: Conn, last: int, state: str, zeek: str, up: int, down: int) -> None:
        """Takes a further row of a connection, perhaps its last."""
        conn.state, conn.conn_state = state, zeek
        self._moved(conn, last, up, down)
        if state == "closed" and conn["relay_service"] is not None:
            self.relays.ended(conn)
        over = state == "closed" or (zeek in ENDED and conn["proto"] == "tcp")
        if over and conn.closed_at is None:
            self._closed(conn)

    def _moved(self, conn: Conn, last: int, up: int, down: int) -> None:
        """Takes the counters so far: what they grew by is traffic since the row before."""
        grown_up, grown_down = up - conn.up_bytes, down - conn.down_bytes
        if grown_up < 0 or grown_down < 0 or last < conn.last_ts:
            return  # an older row that came late
        start = max(conn.last_ts, last - STALE) if conn.rows else conn.ts
        conn.rows += 1
        span = max((last - start) / SECOND, 1.0)
        conn.rate_up, conn.rate_down = grown_up / span, grown_down / span
        conn.up_bytes, conn.down_bytes, conn.last_ts, conn.updated = up, down, last, self.now
        if conn.rows > 1:
            conn.remember()
        if grown_up or grown_down:
            ours = (grown_up, grown_down) if conn.inbound else (grown_down, grown_up)
            self._traffic(conn, start // SECOND, last // SECOND, *ours)

    def _traffic(self, conn: Conn, first: int, last: int, received: int, sent: int) -> None:
        self._latest = max(self._latest, min(last, self.now // SECOND))
        self.total.add(first, last, received, sent)
        if conn.program[1] is not None:
            self.owned.add(first, last, received, sent)
        for party in self._ours(conn):
            party.series.add(first, last, received, sent)
            party.seen = last
        if conn["relay_service"] is not None:
            ways = (received, sent) if conn.inbound else (sent, received)
            self.relays.moved(conn, first, last, *ways)
        if conn.peer is not None:
            for peer in self._program(conn.peer):
                peer.series.add(first, last, sent, received)
                peer.seen = last

    def _closed(self, conn: Conn) -> None:
        self.connections.close(conn, self.now)
        self._count(conn, -1)

    def _dicts(self, rows: Rows) -> Iterable[dict[str, Any]]:
        """Rows of a table that has few of them; long text cut."""
        names = WANTED[rows.table]
        for values in zip(*rows.columns(names), strict=True):
            yield {
                name: clip(value, LONGEST) if isinstance(value, str) else value
                for name, value in zip(names, values, strict=True)
            }

    def _event(self, row: dict[str, Any], kind: str, *words: object) -> None:
        text = " ".join(str(word) for word in words if word is not None)
        self.events.append(Event(row["ts"], row["uid"], kind, clip(text, LONGEST)))

    def _http(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            self.web.take(row)
            self._event(
                row, "http", row["method"], row["uri"], "→", row["status"] or "no reply",
                f"({row['user_agent']})" if row["user_agent"] else None,
            )  # fmt: skip

    def _tls(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            self._event(row, "tls", row["version"], row["sni"], row["alpn"], row["ja4"])

    def _dns(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            answers = ", ".join(str(answer) for answer in (row["answers"] or [])[:4])
            self._event(row, "dns", row["qtype"], row["query"], "→", row["rcode"] or "no answer", answers)

    def _alert(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            if not self.alerts.take(row):
                continue
            over = row["state"] == "recovered"
            level = "info" if over or row["severity"] == "info" else "warning"
            self.say(row["ts"], level, f"{row['state']}: {row['rule']}: {row['message']}")

    def _health(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            self.losses.take(row)
            if row["source"] not in ("", RELAY):
                second = row["ts"] // SECOND
                packets = self.interfaces.get(row["source"]).packets
                packets.add(second, second, row["packets"], row["dropped_kernel"])

    def _host(self, rows: Rows) -> None:
        for row in self._dicts(rows):
            host = self.hosts.get(row["ip"])
            host.mac = row["mac"] or host.mac
            if row["name"] is not None:
                host.lan_name, host.lan_source = row["name"], row["source"]

    def _relay(self, rows: Rows) -> None:
        for ts, text in self.relays.take(rows):
            self.say(ts, "info", f"relay: {text}")
