"""The relay: its services, and below them what is rejected or waits; rows and columns."""

from collections.abc import Callable
from typing import Any

from tidegate.tui.board.carrier import Aside, Carrier
from tidegate.tui.board.relays import Service
from tidegate.tui.cells import shown
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

Row = Service | Aside

NAMES = frozenset(Service("").facts())
NONE = "No relay runs here. Start: tidegate relay -p :8022=127.0.0.1:22, or tidegate run with relay: services"


def rows(scene: Scene, view: View) -> list[Row]:
    """The services asked for, in their order; then ports that are waited for, and rejected addresses."""
    relays = scene.board.relays
    found = view.in_order(matching(relays.services.values(), view.filter, Service.facts), columns(scene))
    return [*found, *(() if view.filter.words else relays.asides)]


def identity(row: Row) -> object:
    """What tells two apart."""
    return row.name if isinstance(row, Service) else (row.kind, row.what)


def dimmed(row: Row) -> bool:
    """Whether it does not run."""
    return isinstance(row, Service) and row.told is None


def used(number: int, limit: int | None) -> str:
    """ "12/500": how many of how many, where there is a limit."""
    return str(number) if limit is None else f"{number}/{limit}"


def told(row: Row) -> Carrier | None:
    """What the relay says of it."""
    return row.told if isinstance(row, Service) else None


def conns(row: Row) -> int:
    """Connections that are open."""
    carrier = told(row)
    return carrier.connections if carrier else row.open if isinstance(row, Service) else 0


def name(row: Row) -> tuple[str, str]:
    """The service; or what is aside."""
    return (shown(row.name), "bold") if isinstance(row, Service) else (row.kind, "warn")


def listen(row: Row) -> tuple[str, str]:
    """Where it listens; the address that is rejected, the port that is waited for."""
    if isinstance(row, Aside):
        return shown(row.what), ""
    return shown(row.told.listen if row.told else ""), ""


def leads(row: Row) -> tuple[str, str]:
    """Where it leads; why a port is waited for, or how a rejected address comes in again."""
    if isinstance(row, Aside):
        return shown(row.why) if row.kind == "waiting" else "u lets it in", "dim"
    if row.told is None:
        return "", ""
    rules = row.told.rules
    several = f"{rules} rule{'s' if rules > 1 else ''}" if rules else ""
    return ", ".join(filter(None, (several, shown(row.told.backend)))), ""


def spoken(row: Row) -> tuple[str, str]:
    """What is spoken there, the most frequent first."""
    most = row.protocols.most_common(3) if isinstance(row, Service) else []
    return " ".join(shown(protocol) for protocol, _ in most), ""


def carried(row: Row) -> int:
    """Bytes so far, both ways."""
    if isinstance(row, Aside):
        return 0
    return row.told.up + row.told.down if row.told else row.bytes


def columns(scene: Scene) -> list[Column]:
    """The columns of services; of what is aside only those that say something."""
    look, edge, signs = scene.look, scene.board.edge, scene.look.signs

    def of(row: Row) -> Callable[[str], int]:
        return lambda what: getattr(row, what) if isinstance(row, Service) else 0

    def counted(what: str, style: str = "") -> Callable[[Row], tuple[str, str]]:
        def cell(row: Row) -> tuple[str, str]:
            number = of(row)(what)
            return (f"{number:,}" if isinstance(row, Service) else "", style if number else "")

        return cell

    def open_now(row: Row) -> tuple[str, str]:
        if isinstance(row, Aside):
            return "", ""
        limit = row.told.limit if row.told else None
        return used(conns(row), limit), "warn" if limit and conns(row) >= limit else ""

    def addresses(row: Row) -> tuple[str, str]:
        carrier = told(row)
        return used(carrier.addresses, carrier.address_limit) if carrier else "", ""

    def rate(side: int) -> Callable[[Row], float]:
        return lambda row: row.series.rate(edge)[side] if isinstance(row, Service) else 0.0

    def total(row: Row) -> tuple[str, str]:
        return look.size(carried(row)) if isinstance(row, Service) else "", ""

    return [
        Column("Service", 9, name, lambda r: r.name, grow=2, descending=False),
        Column("Listen", 12, listen, lambda r: listen(r)[0], grow=3, descending=False),
        Column("Backend", 11, leads, lambda r: leads(r)[0], grow=3, descending=False, need=60),
        Column("Proto", 8, spoken, lambda r: spoken(r)[0], grow=1, descending=False, need=100),
        Column("Conns", 7, open_now, conns, side="right"),
        Column("IPs", 6, addresses, lambda r: r.told.addresses if r.told else 0, side="right", need=92),
        Column(signs.down, 6, lambda r: (look.short_rate(rate(0)(r)), ""), rate(0), side="right"),
        Column(signs.up, 6, lambda r: (look.short_rate(rate(1)(r)), ""), rate(1), side="right"),
        Column("Idle", 4, counted("kills"), lambda r: r.kills, side="right", need=74),
        Column("Refused", 7, counted("turned_away", "warn"), lambda r: r.turned_away, side="right", need=66),
        Column("Err", 4, counted("errors", "bad"), lambda r: r.errors, side="right", need=76),
        Column("Total", 8, total, carried, side="right", need=112),
    ]  # fmt: skip


def record(row: Any) -> dict[str, Any]:
    """A service with what is counted of it, for an export."""
    carrier = row.told
    return {
        "service": row.name,
        "listen": carrier.listen if carrier else None,
        "backend": carrier.backend if carrier else None,
        "protocols": spoken(row)[0],
        "connections": conns(row),
        "limit": carrier.limit if carrier else None,
        "addresses": carrier.addresses if carrier else None,
        "address_limit": carrier.address_limit if carrier else None,
        "total": carrier.total if carrier else row.total,
        "up_bytes": carrier.up if carrier else row.series.total_down,
        "down_bytes": carrier.down if carrier else row.series.total_up,
        "idle_kills": row.kills,
        "refused": row.turned_away,
        "errors": row.errors,
    }


FIELDS = (
    "service", "listen", "backend", "protocols", "connections", "limit", "addresses", "address_limit",
    "total", "up_bytes", "down_bytes", "idle_kills", "refused", "errors",
)  # fmt: skip
"""Columns of an export."""
