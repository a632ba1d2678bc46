"""Rows as they are exported: a field a column, values without units."""

from typing import Any

from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import Line
from tidegate.tui.board.carrier import Aside
from tidegate.tui.board.conn import HOT, REST, Conn
from tidegate.tui.board.desk import Quiet
from tidegate.tui.board.parties import Family, Host, Party, Program
from tidegate.tui.board.rows import WANTED
from tidegate.tui.board.web import CLASSES, NO_REPLY, Site
from tidegate.tui.views.conns import Group

CONN = (*HOT, *REST)
TRAFFIC = ("open", "connections", "received_bytes", "sent_bytes")
PROGRAM_NAMES = (
    "process_pid", "process_name", "process_path", "process_cmdline", "process_parent", "process_user",
    "process_started", "process_container", "process_method", "process_confidence", "processes", *TRAFFIC,
)  # fmt: skip
HOST_NAMES = ("ip", "name", "name_source", "mac", "country", "city", "asn", "as_org", *TRAFFIC)
SITE_NAMES = ("host", "section", "requests", *CLASSES, NO_REPLY, "methods", "bytes")
ALERT_NAMES = (*WANTED["alert"], "recovered", "acknowledged")
LINE_NAMES = ("ts", "level", "message")


def conn(row: Conn) -> dict[str, Any]:
    """Every column of a connection."""
    return {name: row[name] for name in CONN}


def is_record(row: object) -> bool:
    """Whether it is a row, and not a line above rows, a mute among alerts, or an address that is rejected."""
    return not isinstance(row, Group | Quiet | Aside)


def program(row: Program | Family) -> dict[str, Any]:
    """A program with its traffic; of several with one name the number is missing."""
    if isinstance(row, Family):
        alone = next(iter(row.pids)) if row.processes == 1 else None
        one = Program((alone, row.name))
        one.cells = row.cells
        return program(one) | {"processes": row.processes} | _traffic(row)
    return {name: row.facts().get(name) for name in PROGRAM_NAMES} | {"processes": 1} | _traffic(row)


def host(row: Host) -> dict[str, Any]:
    """A host with its traffic."""
    named = {name: getattr(row, name) for name in HOST_NAMES if name not in TRAFFIC}
    return named | _traffic(row)


def site(row: Site) -> dict[str, Any]:
    """A host's section with its counts."""
    statuses = {name: row.statuses[name] for name in (*CLASSES, NO_REPLY)}
    methods = " ".join(f"{name}:{count}" for name, count in row.methods.most_common())
    return {
        "host": row.host, "section": row.section, "requests": row.requests, **statuses,
        "methods": methods, "bytes": row.bytes,
    }  # fmt: skip


def alert(row: Alert) -> dict[str, Any]:
    """An alert with what became of it."""
    return row.row | {"recovered": row.recovered, "acknowledged": row.acknowledged}


def line(row: Line) -> dict[str, Any]:
    """A line of the log."""
    return {"ts": row.ts, "level": row.level, "message": row.text}


def _traffic(party: Party) -> dict[str, Any]:
    return {
        "open": party.open,
        "connections": party.total,
        "received_bytes": party.series.total_down,
        "sent_bytes": party.series.total_up,
    }
