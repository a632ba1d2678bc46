"""Connections of a service of the relay: rows, columns, and all there is to say of one."""

from typing import Any, cast

from tidegate.model.filter import Row
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.carrier import remote
from tidegate.tui.board.relays import CELLS, GOOD_ENDS, Session
from tidegate.tui.cells import shown
from tidegate.tui.look import lasting, when
from tidegate.tui.views import details
from tidegate.tui.views import hosts as host_view
from tidegate.tui.views.now import Line
from tidegate.tui.views.view import Scene, View
from tidegate.tui.widgets.column import Column

NAMES = frozenset(CELLS)
NOTHING_KEPT = "nothing was kept of it; excerpts: {per_direction: 256} in the service keeps the first bytes"


def rows(scene: Scene, view: View) -> list[Session]:
    """The connections asked for, in their order; those that are open first unless sorted otherwise."""
    found = scene.board.relays.of(view.service or "")
    if view.filter.words:
        found = [each for each in found if view.filter.holds(cast(Row, each))]
    return view.in_order(found, columns(scene))


def identity(row: Session) -> object:
    """What tells two apart."""
    return row.uid


def dimmed(row: Session) -> bool:
    """Whether it is over."""
    return row.closed


def record(row: Session) -> dict[str, Any]:
    """Every column of it."""
    return {name: row[name] for name in CELLS}


def client(row: Session) -> str:
    """Who called."""
    return shown(remote(row["client_ip"], row["client_port"]))


def leads(row: Session) -> str:
    """Where it went."""
    return shown(remote(row["remote_ip"], row["remote_port"]))


def place(scene: Scene, row: Session) -> str:
    """Country and network of the client, as far as they are known."""
    if row["client_country"] is not None or row["client_asn"] is not None:
        organisation = shown(row["client_as_org"]) or (f"AS{row['client_asn']}" if row["client_asn"] else "")
        return f"{shown(row['client_country'])} {organisation}".strip()
    host = scene.board.hosts.known.get(row["client_ip"] or "")
    if host is not None:
        return host_view.place(host)[0]
    return "LAN" if host_view.is_private(row["client_ip"] or "") else ""


def phase(row: Session) -> tuple[str, str]:
    """How far it is; of one that is over why."""
    if not row.closed:
        return shown(row["phase"]), ""
    cause = row["cause"]
    return shown(cause) or "over", "" if cause is None or cause in GOOD_ENDS else "bad"


def idle(scene: Scene, row: Session) -> float:
    """Seconds since anything passed; nothing of one that is over."""
    return 0.0 if row.closed else max(scene.board.now - row.heard, 0) / SECOND


def age(scene: Scene, row: Session) -> float:
    """Seconds since it began, until it ended."""
    end: int = row.heard if row.closed else scene.board.now
    return max(end - int(row["ts"]), 0) / SECOND


def first_bytes(row: Session) -> str:
    """The first bytes of the client as text; where it said nothing, those it was sent."""
    up, down = row.said
    return as_text(up) if up else f"< {as_text(down)}" if down else ""


def as_text(data: bytes) -> str:
    """Bytes as text that does nothing to a terminal."""
    return shown(data.decode("utf-8", "backslashreplace"))


def columns(scene: Scene) -> list[Column]:
    """The columns of connections of a service."""
    look, signs = scene.look, scene.look.signs

    def amount(name: str) -> Any:
        return lambda s: (look.size(s[name] or 0), "")

    def silent(row: Session) -> tuple[str, str]:
        return "" if row.closed else lasting(idle(scene, row)), ""

    return [
        Column("Client", 17, lambda s: (client(s), ""), lambda s: s["client_ip"] or "", grow=2,
               descending=False),
        Column("Place", 6, lambda s: (place(scene, s), "dim"), lambda s: place(scene, s), grow=1, need=76,
               descending=False),
        Column("Port", 5, lambda s: (shown(s["server_port"]), ""), lambda s: s["server_port"] or 0,
               side="right", need=50, descending=False),
        Column("Proto", 6, lambda s: (shown(s["protocol"]) or signs.dash, ""), lambda s: s["protocol"] or "",
               descending=False),
        Column("Rule", 6, lambda s: (shown(s["rule"]) or signs.dash, ""), lambda s: s["rule"] or "", grow=1,
               need=70, descending=False),
        Column("Backend", 14, lambda s: (leads(s), ""), leads, grow=1, need=104, descending=False),
        Column("Phase", 12, phase, lambda s: phase(s)[0], descending=False),
        Column(signs.down, 8, amount("up_bytes"), lambda s: s["up_bytes"] or 0, side="right"),
        Column(signs.up, 8, amount("down_bytes"), lambda s: s["down_bytes"] or 0, side="right", need=60),
        Column("Idle", 5, silent, lambda s: idle(scene, s), side="right", need=64),
        Column("Age", 5, lambda s: (lasting(age(scene, s)), ""), lambda s: -s["ts"], side="right", need=84),
        Column("First bytes", 12, lambda s: (first_bytes(s), "name"), first_bytes, grow=4, need=120),
    ]  # fmt: skip


def session_lines(scene: Scene, row: Session, width: int) -> list[Line]:
    """All there is to say of a connection: facts, then its first bytes as text and in hex."""
    newest = scene.board.relays.sessions.get(row.uid) or row
    found = details.lines([_facts(scene, newest)], width, scene.look.signs.dash)
    for title, data in zip(("From the client", "To the client"), newest.said, strict=True):
        found += [[(f" {title}", "head")], *_said(data, width), []]
    return found


def _facts(scene: Scene, row: Session) -> details.Card:
    look = scene.look
    refused = scene.board.relays.rejected(row["client_ip"] or "")
    return details.Card("Relayed connection", [
        ("number", shown(row["connection_id"])),
        ("service", shown(row["service"])),
        ("client", client(row) + ("  (rejected)" if refused else "")),
        ("place", " ".join(filter(None, (place(scene, row), shown(row["client_city"]))))),
        ("called", shown(remote(row["server_ip"], row["server_port"]))),
        ("backend", " ".join(dict.fromkeys(filter(None, (shown(row["backend"]), leads(row)))))),
        ("rule", shown(row["rule"])),
        ("protocol", shown(row["protocol"])),
        ("phase", shown(row["phase"])),
        ("ended by", shown(row["cause"]) if row.closed else ""),
        ("began", when(row["ts"])),
        ("lasts", lasting(age(scene, row))),
        ("idle", "" if row.closed else lasting(idle(scene, row))),
        ("from client", look.size(row["up_bytes"] or 0)),
        ("to client", look.size(row["down_bytes"] or 0)),
        ("uid", shown(row.uid)),
    ])  # fmt: skip


def _said(data: bytes, width: int) -> list[Line]:
    """Bytes as text in a few lines, then in hex."""
    if not data:
        return [[(f" {line}", "dim")] for line in details.wrapped(NOTHING_KEPT, max(width - 2, 10))]
    text: list[Line] = [
        [(f"  {line}", "name")] for line in details.wrapped(as_text(data), max(width - 3, 10))
    ]
    return text + [[(f"  {line}", "")] for line in dump(data, width - 3)]


def dump(data: bytes, room: int) -> list[str]:
    """Lines such as `0010  47 45 54 20 2f 20 48 54  |GET / HT|`, with as many bytes as there is room for."""
    wide = next((count for count in (16, 8, 4) if 4 * count + 9 <= room), 4)
    found = []
    for start in range(0, len(data), wide):
        piece = data[start : start + wide]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        found.append(f"{start:04x}  {piece.hex(' '):<{3 * wide - 1}}  |{text}|")
    return found
