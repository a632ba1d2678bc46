"""Hosts: rows and columns."""

import ipaddress
from functools import lru_cache

from tidegate.tui.board.parties import Host
from tidegate.tui.cells import shown
from tidegate.tui.look import lasting
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset(Host("").facts())


def rows(scene: Scene, view: View) -> list[Host]:
    """The hosts asked for, in their order."""
    return view.in_order(matching(scene.board.hosts, view.filter, Host.facts), columns(scene))


def identity(host: Host) -> object:
    """What tells two apart."""
    return host.ip


def called(scene: Scene, host: Host) -> tuple[str, str]:
    """Its name, or its address behind a `?`; and the style."""
    if host.name is not None and scene.look.names:
        return shown(host.name), "name"
    return f"? {shown(host.ip)}" if host.name is None and scene.look.names else shown(host.ip), ""


def via(scene: Scene, host: Host) -> tuple[str, str]:
    """Who said the name."""
    return shown(host.name_source) or scene.look.signs.dash, "dim"


def place(host: Host) -> tuple[str, str]:
    """Country and organisation; LAN for a private address."""
    if host.country is None and host.asn is None:
        return ("LAN", "dim") if is_private(host.ip) else ("", "")
    organisation = shown(host.as_org) or (f"AS{host.asn}" if host.asn is not None else "")
    return f"{shown(host.country)} {organisation}".strip(), ""


@lru_cache(4096)
def is_private(ip: str) -> bool:
    """Whether it is an address of a local network or of this machine."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return address.is_private or address.is_link_local or address.is_multicast


def ago(host: Host, now: int) -> str:
    """How long ago its last traffic was."""
    seconds = now // 1_000_000_000 - host.seen
    return "" if not host.seen else lasting(seconds) if seconds > 0 else "now"


def columns(scene: Scene) -> list[Column]:
    """The columns of hosts."""
    look, board = scene.look, scene.board
    edge, now, signs = board.edge, board.now, look.signs
    return [
        Column("Host", 18, lambda h: called(scene, h), lambda h: (h.name or h.ip).lower(), grow=3,
               descending=False),
        Column("via", 5, lambda h: via(scene, h), lambda h: h.name_source or "~", descending=False),
        Column("Address", 15, lambda h: (shown(h.ip), ""), lambda h: h.ip, grow=1, need=90,
               descending=False),
        Column("cc/AS", 12, place, lambda h: place(h)[0], grow=1, descending=False, need=60),
        Column("Conns", 5, lambda h: (str(h.open), ""), lambda h: h.open, side="right"),
        Column("Ever", 5, lambda h: (str(h.total), ""), lambda h: h.total, side="right", need=80),
        Column(signs.down, 6, lambda h: (look.short_rate(h.series.rate(edge)[0]), ""),
               lambda h: h.series.rate(edge)[0], side="right"),
        Column(signs.up, 6, lambda h: (look.short_rate(h.series.rate(edge)[1]), ""),
               lambda h: h.series.rate(edge)[1], side="right"),
        Column("Total", 8, lambda h: (look.size(h.bytes), ""), lambda h: h.bytes, side="right"),
        Column("Last", 5, lambda h: (ago(h, now), ""),
               lambda h: h.seen, side="right", need=100),
    ]  # fmt: skip
