"""What is to be said of the picture itself: why it is empty, late or not whole, and what to do about it."""

from dataclasses import dataclass

from tidegate.tui.board.board import SECOND, Board
from tidegate.tui.cells import shown
from tidegate.tui.look import clock, lasting
from tidegate.tui.views.relays import NONE as NO_RELAY
from tidegate.tui.views.view import View

QUIET = 5 * SECOND


@dataclass(frozen=True)
class Situation:
    """How the feed stands."""

    kind: str
    """live, store or replay."""
    title: str
    """Interfaces, store or files."""
    began: int
    """When the screen began, wall clock in nanoseconds."""
    wall: int
    ended: bool = False
    error: str = ""
    silent: bool = False
    """A store to which nobody writes."""
    writer: str = "sudo tidegate watch"
    """The command that would write to it."""
    filter: str = ""
    """The BPF filter of a capture."""
    attribution: str = ""
    """Why names of programs may be missing."""
    ended_at: int = 0


def notice(board: Board, situation: Situation) -> tuple[str, str] | None:
    """The most important thing to say, and its style; None if all is well."""
    return _stopped(board, situation) or _losing(board) or _quiet(board, situation)


def _stopped(board: Board, situation: Situation) -> tuple[str, str] | None:
    last = clock(board.now)
    if situation.error:
        at = clock(situation.ended_at)
        return f"Stopped {at}: {shown(situation.error)}. What is shown ends at {last}. q quits", "bad"
    if situation.kind == "replay" and situation.ended:
        return f"The capture ends at {last} UTC. q quits", "dim"
    if situation.kind == "store" and (halt := board.desk.halt):
        soon = f"in {halt.retry_in:.0f} s" if halt.retry_in >= 0.5 else "now"
        return f"Capture stopped: {shown(halt.error)}. Retrying {soon} (failure {halt.failures})", "bad"
    if situation.kind == "store" and situation.silent and board.rows:
        return (
            f"Nobody writes to {shown(situation.title)}: it ends at {last} UTC. "
            f"Start: {shown(situation.writer)}",
            "warn",
        )
    return None


def _losing(board: Board) -> tuple[str, str] | None:
    minute = board.losses.minute
    if lost := minute.get("kernel"):
        share = lost / (lost + minute.get("packets"))
        return (
            f"Falling behind: the kernel dropped {lost:,.0f} packets ({share:.1%}) in the last minute. "
            "Numbers are low by about that. Narrow it down: -i IFACE or a FILTER"
        ), "bad"
    if lost := minute.get("queue"):
        return f"Falling behind: {lost:,.0f} rows dropped by a full queue in the last minute", "bad"
    if lost := minute.get("table"):
        return (
            f"Connection table full: {lost:,.0f} evicted in the last minute. More room: --max-flows",
            "warn",
        )
    if lost := board.losses.total["screen"]:
        return f"This screen left out {lost:,} rows, it was too slow; store and logs have them", "warn"
    return None


def _quiet(board: Board, situation: Situation) -> tuple[str, str] | None:
    waited = situation.wall - situation.began
    if not board.rows or not (board.connections.ever or board.losses.total["packets"]):
        if waited < QUIET:
            return None
        return nothing(situation, waited), "warn"
    if situation.attribution:
        return f"Names of programs: {shown(situation.attribution)}", "dim"
    return None


def nothing(situation: Situation, waited: int) -> str:
    """Why nothing is there."""
    span = lasting(waited / SECOND)
    if situation.kind == "store":
        if not situation.silent:
            return f"Nothing in {shown(situation.title)} yet; a Tidegate writes to it and waits for traffic"
        return f"Nothing in {shown(situation.title)} yet. Start: {shown(situation.writer)}"
    if situation.kind == "replay":
        return f"No packets in {shown(situation.title)}"
    hidden = f' Filter "{shown(situation.filter)}" may hide all.' if situation.filter else ""
    return (
        f"No packets on {shown(situation.title)} for {span}.{hidden} "
        "Other interfaces: tidegate watch -D lists them, -i IFACE chooses"
    )


def empty(tab: str, board: Board, hidden: int, view: View, situation: Situation) -> str:
    """Why a tab's table is empty."""
    if hidden and (filter := view.filter.text):
        return f'Nothing matches "{shown(filter)}"; {hidden:,} are hidden. Esc clears the filter'
    if tab == "Relays":
        return NO_RELAY
    if tab == "Relayed":
        return f"No connections of {shown(view.service)} so far. Esc leads back"
    if not board.rows and not situation.ended:
        return {"store": "Reading the store…", "replay": "Reading the capture…"}.get(
            situation.kind, "Waiting for traffic…"
        )
    return {
        "Conns": "No open connections. t shows those that are over"
        if board.connections.ever
        else "No connections yet",
        "Programs": "No programs yet",
        "Hosts": "No hosts yet",
        "HTTP": "No HTTP seen. Most of the web is encrypted: see the names in Connections (2)",
        "Alerts": "No alerts so far. Rules stand in the configuration",
        "Log": "Nothing to tell so far",
    }.get(tab, "Nothing yet")
