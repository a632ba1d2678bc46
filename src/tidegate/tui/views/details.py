"""Details of a row: cards of labels and values, the same lines always; and what happened in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.model.text import columns_of, fit
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.conn import Conn
from tidegate.tui.board.desk import Quiet, Told
from tidegate.tui.cells import shown
from tidegate.tui.look import clock, lasting, sparkline, trip, when
from tidegate.tui.views import alerts as alert_view
from tidegate.tui.views import evidence
from tidegate.tui.views import hosts as host_view
from tidegate.tui.views.now import Line
from tidegate.tui.views.view import Scene

LABEL = 13
MOST_LINES = 4
"""Lines that one value may take."""

MOST_EVENTS = 100
CERTAINTY = {
    "event": "the kernel said so",
    "lookup": "a table at that time",
    "listener": "who holds the port",
}
RELAYED = ("relay_service", "relay_rule", "relay_cause")
SOURCES = {
    "sni": "TLS server name", "quic": "QUIC server name", "http": "Host header", "dns": "DNS answer before",
    "ech": "outer name beside ECH", "rdns": "reverse DNS", "arp": "ARP", "ndp": "NDP", "dhcp": "DHCP",
    "mdns": "mDNS",
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """A title, and labels with values; an empty value is a dash."""

    title: str
    rows: Sequence[tuple[str, str]]


def conn_lines(scene: Scene, conn: Conn, width: int) -> list[Line]:
    """All there is to say of a connection, by its newest row."""
    newest = scene.board.connections.get(conn.uid) or conn
    return [*lines(of_conn(scene, newest), width, scene.look.signs.dash), *timeline(scene, newest)]


def alert_lines(
    scene: Scene, alert: Alert | Quiet, width: int, behind: list[Conn] | None = None
) -> list[Line]:
    """All there is to say of an alert, or of a mute or silence; the connections that are behind it."""
    cards = of_alert(scene, alert) if isinstance(alert, Alert) else of_quiet(scene, alert)
    found = lines(cards, width, scene.look.signs.dash)
    return found if behind is None else [*found, *evidence.lines(scene, behind, width)]


def of_conn(scene: Scene, conn: Conn) -> list[Card]:
    """The cards of a connection."""
    return [
        connection(scene, conn), application(scene, conn), who(scene, conn), where(scene, conn),
        health(scene, conn),
    ]  # fmt: skip


def connection(scene: Scene, conn: Conn) -> Card:
    """Ends, times, counters."""
    look = scene.look
    down, up = conn.rates(scene.board.now, scene.board.stale)
    ends = [_end(conn, "src"), _end(conn, "dst")]
    state = f"{shown(conn.conn_state)} {conn.state}"
    ended = f" ({shown(conn['end_reason'])})" if conn["end_reason"] else ""
    received, sent = conn.trace or ([], [])
    if conn.inbound:
        received, sent = sent, received
    return Card("Connection", [
        ("from", ends[0] + _here(scene, conn["src_ip"])),
        ("to", ends[1] + _here(scene, conn["dst_ip"])),
        ("protocol", shown(conn["proto"])),
        ("state", state + ended),
        ("history", shown(conn["history"])),
        ("began", when(conn.ts)),
        ("lasts", lasting(conn.age(scene.board.now))),
        ("received", f"{look.size(conn.received)}  {look.rate(down)}"),
        ("", sparkline(list(received), 32, look.signs.spark).lstrip()),
        ("sent", f"{look.size(conn.sent)}  {look.rate(up)}"),
        ("", sparkline(list(sent), 32, look.signs.spark).lstrip()),
        ("interface", shown(conn["iface"])),
        ("relayed by", " ".join(filter(None, (shown(conn[name]) for name in RELAYED)))),
        ("vlan, tunnel", " ".join(filter(None, (shown(conn["vlan"]), shown(conn["tunnel"]))))),
        ("uid", shown(conn.uid)),
        ("community id", shown(conn["community_id"])),
    ])  # fmt: skip


def application(scene: Scene, conn: Conn) -> Card:
    """What was said: the newest of each kind."""
    said = {event.kind: shown(event.text) for event in scene.board.events if event.uid == conn.uid}
    return Card("Application", [
        ("service", shown(conn["service"])),
        ("name", shown(conn["name"])),
        ("http", said.get("http", "")),
        ("tls", said.get("tls", "")),
        ("dns", said.get("dns", "")),
    ])  # fmt: skip


def who(scene: Scene, conn: Conn) -> Card:
    """The program of our end, and of the other if that is here too."""
    rows = _program(scene, conn, "process_")
    if conn["peer_process_name"] is not None:
        rows += [("the other end", ""), *_program(scene, conn, "peer_process_")]
    return Card("Who", rows)


def where(scene: Scene, conn: Conn) -> Card:
    """The other end: names with their source and age, place, hardware address."""
    host = scene.board.host_of(conn)
    end = "src_" if conn.inbound else "dst_"
    asn = conn[end + "asn"]
    age = conn["name_age"]
    said = SOURCES.get(conn["name_source"] or "", shown(conn["name_source"]))
    old = f", {lasting(age)} old" if age else ""
    country = f"{shown(conn[end + 'country'])} {shown(conn[end + 'city'])}".strip()
    known = f"{shown(host.lan_name)} ({shown(host.lan_source)})" if host and host.lan_name else ""
    return Card("Where", [
        ("address", shown(conn.host)),
        ("called", f"{shown(conn['name'])} ({said}{old})" if conn["name"] else ""),
        ("local name", known),
        ("place", country or ("local network" if host_view.is_private(conn.host) else "")),
        ("network", f"AS{asn} {shown(conn[end + 'as_org'])}" if asn else ""),
        ("mac", shown(host.mac) if host else ""),
        ("connections", f"{host.open} open, {host.total} so far" if host else ""),
    ])  # fmt: skip


def health(scene: Scene, conn: Conn) -> Card:
    """How well it goes; counts of both directions, what our end received first."""
    ways = ("up_", "down_") if conn.inbound else ("down_", "up_")

    def both(name: str) -> str:
        received, sent = (conn[way + name] for way in ways)
        return "" if received is None else f"{received:,} in  {sent:,} out"

    signs = scene.look.signs
    return Card("Health", [
        ("rtt here", trip(conn["rtt_server" if conn.inbound else "rtt_client"], signs)),
        ("rtt there", trip(conn["rtt_client" if conn.inbound else "rtt_server"], signs)),
        ("packets", both("packets")),
        ("payload", both("payload")),
        ("retransmitted", both("retransmits")),
        ("out of order", both("out_of_order")),
        ("zero windows", both("zero_windows")),
        ("bytes unseen", both("missed")),
        ("ttl", both("ttl")),
    ])  # fmt: skip


def timeline(scene: Scene, conn: Conn) -> list[Line]:
    """What happened in order."""
    happened = [(conn.ts, f"began: {_end(conn, 'src')} {scene.look.signs.arrow} {_end(conn, 'dst')}")]
    happened += [
        (event.ts, f"{event.kind}: {shown(event.text)}")
        for event in scene.board.events
        if event.uid == conn.uid
    ][-MOST_EVENTS:]
    if conn.closed:
        happened.append((conn.last_ts, f"over: {shown(conn['end_reason'])} {shown(conn['conn_state'])}"))
    plain = scene.look.signs.plain
    lines: list[Line] = [[(" Timeline", "head")]]
    return lines + [[(f" {clock(at)} ", "dim"), (plain(text), "")] for at, text in sorted(happened)]


def of_alert(scene: Scene, alert: Alert) -> list[Card]:
    """The card of an alert."""
    row = alert.row
    state, _ = alert_view.state(scene, alert)

    def amount(name: str) -> str:
        return alert_view.number(row["metric"], row[name])

    return [Card("Alert", [
        ("rule", shown(row["rule"])), ("key", shown(row["key"])), ("state", state),
        ("message", shown(row["message"])), ("metric", shown(row["metric"])),
        ("value", amount("value")),
        ("threshold", f"{amount('threshold')}, clears at {amount('clear')}"),
        ("peak", amount("peak")), ("since", when(alert.raised)),
        ("recovered", when(alert.recovered)), ("lasted", lasting(alert_view.duration(scene, alert))),
        ("done", alert_view.done(scene, alert)),
        *((f"told {shown(each.name)}", alert_view.told(scene, each)) for each in _told(scene, alert)),
        ("id", shown(alert.alert_id)),
    ])]  # fmt: skip


def _told(scene: Scene, alert: Alert) -> Sequence[Told]:
    return scene.board.desk.told.get(alert.alert_id, ())


def of_quiet(scene: Scene, quiet: Quiet) -> list[Card]:
    """The card of a mute or silence."""
    return [Card("Mute" if quiet.kind == "muted" else "Silence", [
        ("rule", shown(quiet.rule) or "any"), ("key", shown(quiet.key) or "any"),
        ("from", shown(quiet.source) or "anywhere"), ("to", shown(quiet.destination) or "anywhere"),
        ("ends", alert_view.until(scene, quiet)), ("by", shown(quiet.by)), ("id", shown(quiet.silence_id)),
    ])]  # fmt: skip


def lines(cards: Iterable[Card], width: int, dash: str = "-") -> list[Line]:
    """Cards below each other, or in two columns where there is room."""
    if width < 96:
        return [line for card in cards for line in [*_drawn(card, width, dash), []]]
    half = (width - 2) // 2
    sides: list[list[Line]] = [[], []]
    for card in cards:
        shorter = min(sides, key=len)
        shorter += [*_drawn(card, half, dash), []]
    left, right = sides
    height = max(map(len, sides))
    padded = [side + [[] for _ in range(height - len(side))] for side in (left, right)]
    return [[*_filled(a, half), ("  ", ""), *b] for a, b in zip(*padded, strict=True)]


def plain(lines_: Iterable[Line]) -> str:
    """The same as text, to copy."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines_)


def _drawn(card: Card, width: int, dash: str) -> list[Line]:
    drawn: list[Line] = [[(f" {card.title}", "head")]]
    room = max(width - LABEL - 2, 10)
    for label, value in card.rows:
        for number, piece in enumerate(wrapped(value or (dash if label else ""), room)):
            drawn.append([(f" {fit('' if number else label, LABEL)} ", "dim"), (piece, "")])
    return drawn


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines; of a long one the end is left out."""
    pieces: list[str] = []
    while text and len(pieces) < MOST_LINES:
        cut = len(text)
        while len(fit_to(text[:cut], width)) < cut:
            cut = len(fit_to(text[:cut], width))
        pieces.append(text[:cut])
        text = text[cut:]
    if text and pieces:
        pieces[-1] = fit(pieces[-1] + text, width)
    return pieces or [""]


def fit_to(text: str, width: int) -> str:
    """As much of the text as stands in so many cells, at least one character."""
    if text.isascii():
        return text[: max(width, 1)]
    used = 0
    for place, character in enumerate(text):
        used += columns_of(character)
        if used > width:
            return text[: max(place, 1)]
    return text


def _filled(line: Line, width: int) -> Line:
    text = "".join(piece for piece, _ in line)
    missing = len(fit(text, width)) - len(text)
    return [*line, (" " * missing, "")] if missing > 0 else line


def _end(conn: Conn, end: str) -> str:
    ip = shown(conn[f"{end}_ip"])
    if conn["proto"] not in ("tcp", "udp", "sctp"):
        return ip
    return f"[{ip}]:{conn[f'{end}_port']}" if ":" in ip else f"{ip}:{conn[f'{end}_port']}"


def _here(scene: Scene, ip: str) -> str:
    return "  (here)" if ip in scene.board.local else ""


def _program(scene: Scene, conn: Conn, prefix: str) -> list[tuple[str, str]]:
    def said(name: str) -> Any:
        return conn[prefix + name]

    sure = said("confidence")
    method = (
        f"{shown(said('method'))}, {scene.look.signs.confidence(sure)} {CERTAINTY.get(sure, 'not known')}"
    )
    pid = said("pid")
    exited = f"  {scene.look.signs.gone} has exited" if scene.gone(pid) else ""
    return [
        ("program", f"{shown(said('name'))} {shown(pid)}{exited}".strip()),
        ("path", shown(said("path"))),
        ("command line", shown(said("cmdline"))),
        ("parent", shown(said("parent"))),
        ("user", shown(said("user"))),
        ("started", when(said("started"))),
        ("container", shown(said("container"))),
        ("found by", method if said("method") or sure else ""),
    ]
