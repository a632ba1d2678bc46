"""The line at the top: titles of the tabs, and how good the picture is."""

from tidegate.model.text import fit
from tidegate.tui.cells import shown
from tidegate.tui.look import Signs, scaled
from tidegate.tui.views.notices import Situation
from tidegate.tui.views.now import Piece
from tidegate.tui.views.view import Scene


def titles(scene: Scene, tabs: list[str]) -> list[str]:
    """The tabs' names; behind Alerts how many stand."""
    stand = len(scene.board.alerts.open)
    return [f"{name}({stand})" if name == "Alerts" and stand else name for name in tabs]


def facts(scene: Scene, situation: Situation, paused: bool, interface: str | None) -> list[Piece]:
    """Source, share seen, share with a known program, what was dropped; the dot and the last stay longest."""
    signs, board = scene.look.signs, scene.board
    source = shown(interface or {"store": "store", "replay": "replay"}.get(situation.kind, situation.title))
    health = _health(situation)
    pieces: list[Piece] = [(f" {_dot(signs, situation)}", health), (f" {_cut(source, 16)}", health)]
    if (seen := board.losses.seen) is not None and situation.kind != "replay":
        pieces.append((f"  seen {_share(seen)}", "" if seen > 0.999 else "bad"))
    all_bytes, owned = sum(board.total.minute(board.edge)), sum(board.owned.minute(board.edge))
    if all_bytes and board.owned.total_down + board.owned.total_up:
        pieces.append((f"  own {_share(owned / all_bytes)}", ""))
    dropped = board.losses.dropped
    pieces.append((f"  drop {scaled(dropped).replace(' ', '')}", "bad" if dropped else ""))
    return [*pieces, (f"  {signs.bar}{signs.bar} paused", "warn")] if paused else pieces


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else fit(text, width)


def _share(share: float) -> str:
    """A percentage that says 100% only if nothing is missing."""
    percent = int(share * 100)
    return f"{percent}%"


def _dot(signs: Signs, situation: Situation) -> str:
    return signs.hollow if situation.error or situation.ended or situation.silent else signs.dot


def _health(situation: Situation) -> str:
    return "bad" if situation.error else "dim" if situation.ended or situation.silent else "good"
