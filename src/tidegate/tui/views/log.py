"""The log: what the program has to say, the newest first."""

from tidegate.tui.board.board import Line
from tidegate.tui.cells import shown
from tidegate.tui.look import clock
from tidegate.tui.views.view import Scene, View
from tidegate.tui.widgets.column import Column

NAMES = frozenset({"message"})
SIGNS = {"info": ("", ""), "warning": ("! ", "warn"), "error": ("!! ", "bad")}


def rows(scene: Scene, view: View) -> list[Line]:
    """The lines asked for, the newest first unless sorted otherwise."""
    lines = [line for line in reversed(scene.board.lines) if view.filter.holds({"message": line.text})]
    return view.in_order(lines, columns(scene)) if view.sort else lines


def identity(line: Line) -> object:
    """What tells two apart."""
    return id(line)


def columns(_scene: Scene) -> list[Column]:
    """The columns of the log."""

    def text(line: Line) -> tuple[str, str]:
        sign, style = SIGNS.get(line.level, ("", ""))
        return sign + shown(line.text), style

    return [
        Column("Time", 8, lambda line: (clock(line.ts), "dim"), lambda line: line.ts),
        Column("Message", 20, text, grow=1),
    ]
