"""Connections: rows, groups by program, columns."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

from tidegate.model.ends import joined
from tidegate.model.filter import Row
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.conn import Conn
from tidegate.tui.board.parties import Family, Host, Program
from tidegate.tui.board.web import Site
from tidegate.tui.cells import shown
from tidegate.tui.look import lasting, trip
from tidegate.tui.views.view import Scene, View
from tidegate.tui.widgets.column import Column

LINGER = 10 * SECOND
"""How long a connection that is over stays in view."""

BAD_STATES = frozenset({"S0", "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"})


@dataclass(frozen=True)
class Group:
    """A line above the connections of one program."""

    program: tuple[int | None, str | None]
    protocols: Counter[str]
    received: int
    sent: int
    confidence: str | None


def rows(scene: Scene, view: View) -> list[Any]:
    """The connections asked for, in their order; by program, with a line for each, if grouped."""
    chosen = selected(scene, view)
    ordered = view.in_order(chosen, columns(scene))
    return grouped(ordered) if view.grouped else ordered


def selected(scene: Scene, view: View) -> list[Conn]:
    """The connections that the view leaves in."""
    since = scene.board.now - LINGER
    conns: list[Conn] = [
        conn
        for conn in scene.board.connections
        if view.closed or conn.closed_at is None or conn.closed_at >= since
    ]
    if view.interface is not None:
        conns = [conn for conn in conns if conn["iface"] == view.interface]
    if view.filter.words:
        holds = view.filter.holds
        conns = [conn for conn in conns if holds(cast(Row, conn))]
    return conns


def grouped(conns: list[Conn]) -> list[Any]:
    """Under a line for each program, the program of the first connection first."""
    groups: dict[tuple[int | None, str | None], list[Conn]] = {}
    for conn in conns:
        groups.setdefault(conn.program, []).append(conn)
    result: list[Any] = []
    for program, members in groups.items():
        result.append(
            Group(
                program,
                Counter(conn["proto"] for conn in members),
                sum(conn.received for conn in members),
                sum(conn.sent for conn in members),
                members[0]["process_confidence"],
            )
        )
        result += members
    return result


def identity(row: Any) -> object:
    """What tells two rows apart."""
    return row.program if isinstance(row, Group) else row.uid


def dimmed(row: Any) -> bool:
    """Whether it is over."""
    return isinstance(row, Conn) and row.closed_at is not None


def behind(row: Family | Program | Host | Site) -> str:
    """The filter that leaves in the connections of a program, host or site."""
    if isinstance(row, Family) and row.processes != 1:
        return _of_name(row.name)
    if isinstance(row, Family):
        return behind(Program((next(iter(row.pids)), row.name)))
    if isinstance(row, Program):
        return f"pid:{row.pid}" if row.pid is not None else "prog:-"
    if isinstance(row, Host):
        return f"net:{row.ip}"
    name, _, port = row.host.rpartition(":")
    return f'"{_escaped(name if port.isdigit() else row.host)}"'


def of_section(name: str) -> str:
    """The filter that leaves in the sites of a section."""
    return f'section:"{_escaped(name)}"'


def _of_name(name: str | None) -> str:
    """The programs of a name; where it cannot be written exactly, those that contain it."""
    if name is None:
        return "prog:-"
    return f"prog:={name}" if re.fullmatch(r"[\w.+-]+", name) else f'prog:"{_escaped(name)}"'


def _escaped(text: str) -> str:
    """As it stands between quotation marks in a filter."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


class Cells:
    """What stands in the columns of a connection."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._look = scene.look
        self._signs = scene.look.signs
        self._now = scene.board.now
        self._stale = scene.board.stale

    def state(self, row: Any) -> tuple[str, str]:
        """How it stands, in Zeek's terms."""
        if isinstance(row, Group):
            return "", ""
        state = row["conn_state"]
        return shown(state), "bad" if state in BAD_STATES else ""

    def direction(self, row: Any) -> tuple[str, str]:
        """Whether it was opened here or elsewhere."""
        if isinstance(row, Group):
            return "", ""
        inward, outward = ("<", ">") if self._signs.ascii else ("←", "→")
        return (inward if row.inbound else outward), ""

    def program(self, row: Any) -> tuple[str, str]:
        """Its program, how sure that is, and whether it has exited."""
        if isinstance(row, Group):
            return program_name(self._scene, row.program, row.confidence), "group"
        return program_name(self._scene, row.program, row["process_confidence"]), ""

    def remote(self, row: Any) -> tuple[str, str]:
        """The other end: what it is called and who said so, or its address; and the port."""
        if isinstance(row, Group):
            counts = (f"{shown(proto).upper()}:{count}" for proto, count in row.protocols.items())
            return " ".join(counts), "group"
        port = row["src_port"] if row.inbound else row["dst_port"]
        ported = row["proto"] in ("tcp", "udp", "sctp")
        name, source = self.name(row)
        if name is not None and self._look.names:
            text = f"{shown(name)}:{port}" if ported else shown(name)
            return f"{text} {shown(source)}", "name"
        ip = shown(row.host)
        bracketed = f"[{ip}]" if ":" in ip and ported else ip
        return (f"{bracketed}:{port}" if ported else bracketed), ""

    def local(self, row: Any) -> tuple[str, str]:
        """Our end: its address and port."""
        if isinstance(row, Group):
            return "", ""
        end = "dst" if row.inbound else "src"
        ported = row["proto"] in ("tcp", "udp", "sctp")
        ip = shown(row[f"{end}_ip"])
        return (shown(joined(ip, row[f"{end}_port"])) if ported else ip), ""

    def name(self, conn: Conn) -> tuple[str | None, str | None]:
        """What the other end is called, and who said so."""
        if not conn.inbound and conn["name"] is not None:
            return conn["name"], conn["name_source"]
        host = self._scene.board.host_of(conn)
        return (host.lan_name, host.lan_source) if host else (None, None)

    def country(self, row: Any) -> tuple[str, str]:
        """Where the other end is."""
        if isinstance(row, Group):
            return "", ""
        return shown(row["src_country" if row.inbound else "dst_country"]), ""

    def service(self, row: Any) -> tuple[str, str]:
        """What is spoken, or the transport."""
        return ("", "") if isinstance(row, Group) else (shown(row["service"] or row["proto"]), "")

    def rtt(self, row: Any) -> tuple[str, str]:
        """The round trip to the other end."""
        return ("", "") if isinstance(row, Group) else (trip(self.trip_time(row), self._signs), "")

    @staticmethod
    def trip_time(row: Conn) -> float | None:
        """The same in seconds."""
        return cast(float | None, row["rtt_client" if row.inbound else "rtt_server"])

    def down(self, row: Any) -> tuple[str, str]:
        """What it receives a second."""
        return ("", "") if isinstance(row, Group) else (self._look.short_rate(self.rates(row)[0]), "")

    def up(self, row: Any) -> tuple[str, str]:
        """What it sends a second."""
        return ("", "") if isinstance(row, Group) else (self._look.short_rate(self.rates(row)[1]), "")

    def rates(self, row: Conn) -> tuple[float, float]:
        """Both."""
        return row.rates(self._now, self._stale)

    def total(self, row: Any) -> tuple[str, str]:
        """Bytes so far."""
        count = row.received + row.sent
        return self._look.size(count), "group" if isinstance(row, Group) else ""

    def age(self, row: Any) -> tuple[str, str]:
        """How long it lasts, or lasted."""
        return ("", "") if isinstance(row, Group) else (lasting(row.age(self._now)), "")


def columns(scene: Scene) -> list[Column]:
    """The columns of connections."""
    cells, signs = Cells(scene), scene.look.signs
    return [
        Column("State", 6, cells.state, lambda c: c["conn_state"] or "", descending=False),
        Column("D", 1, cells.direction, lambda c: c.inbound, need=50),
        Column("Program", 12, cells.program, lambda c: (c.program[1] or "~").lower(), grow=2,
               descending=False),
        Column("Remote", 16, cells.remote, lambda c: cells.name(c)[0] or c.host, grow=4, descending=False),
        Column("Local", 15, cells.local, lambda c: cells.local(c)[0], grow=1, need=132, descending=False),
        Column("cc", 2, cells.country, lambda c: cells.country(c)[0], need=70, descending=False),
        Column("App", 6, cells.service, lambda c: c["service"] or c["proto"], descending=False),
        Column("RTT", 6, cells.rtt, lambda c: cells.trip_time(c) or 0.0, side="right", need=76),
        Column(signs.down, 6, cells.down, lambda c: cells.rates(c)[0], side="right"),
        Column(signs.up, 6, cells.up, lambda c: cells.rates(c)[1], side="right"),
        Column("Total", 8, cells.total, lambda c: c.up_bytes + c.down_bytes, side="right", need=66),
        Column("Age", 5, cells.age, lambda c: -c.ts, side="right"),
    ]  # fmt: skip


def program_name(scene: Scene, program: tuple[int | None, str | None], confidence: str | None) -> str:
    """ "firefox 2001 =": name, number, how sure it is; † for a program that has exited."""
    pid, name = program
    if name is None:
        return "?"
    gone = f" {scene.look.signs.gone}" if scene.gone(pid) else ""
    number = "" if pid is None else f" {pid}"
    return f"{shown(name)}{number} {scene.look.signs.confidence(confidence)}{gone}"
