"""The connections behind an alert, as far as the screen knows them: by its rule, its key and its time."""

from collections.abc import Callable, Iterable
from typing import cast

from tidegate.alerts.metrics import KINDS
from tidegate.alerts.metrics.metric import joined, key_columns, key_text
from tidegate.alerts.metrics.traffic import FAILED
from tidegate.model.config import RuleSettings
from tidegate.model.errors import UsageError
from tidegate.model.filter import Row, parse_filter
from tidegate.model.text import fit
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.conn import HOT, REST, Conn
from tidegate.tui.cells import shown
from tidegate.tui.look import clock
from tidegate.tui.views.conns import Cells
from tidegate.tui.views.now import Line
from tidegate.tui.views.view import Scene

MOST = 20
"""Connections that are listed."""

NEW = {
    "new_program": ("process_path", "process_name", "peer_process_path", "peer_process_name"),
    "new_place": ("src_country", "dst_country"),
}
"""Where the key of what is new stands, unless the rule says."""

_THERE = frozenset({*HOT, *REST})
_CALLED = {"host": "name"}
"""Columns of other tables that connections have by another name."""

Test = Callable[[Conn], bool]


def behind(scene: Scene, alert: Alert, rules: Iterable[RuleSettings]) -> list[Conn]:
    """Those that match, the largest first."""
    rule = next((each for each in rules if each.name == alert.row["rule"]), None)
    metric = str(alert.row["metric"])
    kind = KINDS.get(metric)
    if rule is None or kind is None or kind.table == "health":
        return []
    began = alert.raised - int(rule.window * SECOND)
    ended = alert.recovered if alert.recovered is not None else scene.board.now
    tests = [*_of_metric(metric, kind.table), *_of_filter(rule), *_of_key(alert, rule, kind.key)]
    found = [
        conn
        for conn in scene.board.connections
        if conn.last_ts >= began and conn.ts <= ended and all(test(conn) for test in tests)
    ]
    return sorted(found, key=lambda conn: conn.up_bytes + conn.down_bytes, reverse=True)


def lines(scene: Scene, found: list[Conn], width: int) -> list[Line]:
    """A title, and a line for each of the largest."""
    head = "Connections behind it" + (f": {len(found):,}, the largest first" if found else "")
    made: list[Line] = [[(f" {head}", "head")]]
    if not found:
        return [*made, [(fit(" none that this screen knows", width), "dim")]]
    cells = Cells(scene)
    for conn in found[:MOST]:
        parts = (cells.state(conn), cells.direction(conn), cells.program(conn), cells.remote(conn),
                 cells.service(conn), cells.total(conn))  # fmt: skip
        text = "  ".join(part for part, _ in parts if part)
        made.append([(f" {clock(conn.ts)} ", "dim"), (fit(text, max(width - 10, 1)).rstrip(), "")])
    if len(found) > MOST:
        made.append([(f" and {len(found) - MOST:,} more", "dim")])
    return made


def _of_metric(metric: str, table: str) -> list[Test]:
    if metric == "failed_connections":
        return [lambda conn: conn.conn_state in FAILED]
    return [lambda conn: conn["service"] == "http"] if table == "http" else []


def _of_filter(rule: RuleSettings) -> list[Test]:
    """What its filter asks of columns that connections have."""
    try:
        words = parse_filter(rule.filter).words
    except UsageError:
        return []
    known = [word for word in words if _THERE.intersection(word.columns)]
    return [lambda conn: all(word.holds(cast(Row, conn)) for word in known)] if known else []


def _of_key(alert: Alert, rule: RuleSettings, usual: str | None) -> list[Test]:
    key = alert.row["key"]
    if key is None:
        return []
    if not rule.key and (names := NEW.get(rule.metric)):
        return [
            lambda conn: any(conn[name] is not None and key_text(str(conn[name])) == key for name in names)
        ]
    columns = [_CALLED.get(name, name) for name in key_columns(rule.key or usual)]
    known = [name for name in columns if name in _THERE]
    if len(known) == len(columns):
        return [lambda conn: key_text(joined([conn[name] for name in known]) or "") == key]
    return [lambda conn: all(shown(conn[name]) in key for name in known)]
