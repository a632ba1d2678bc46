"""Programs: rows and columns."""

from collections.abc import Callable

from tidegate.tui.board.board import PROGRAM_CELLS
from tidegate.tui.board.parties import Program
from tidegate.tui.cells import shown
from tidegate.tui.look import sparkline
from tidegate.tui.views.conns import program_name
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset(f"process_{name}" for name in ("pid", "name", *PROGRAM_CELLS))


def rows(scene: Scene, view: View) -> list[Program]:
    """The programs asked for, in their order."""
    programs = (program for program in scene.board.programs if program.total)
    return view.in_order(matching(programs, view.filter, Program.facts), columns(scene))


def identity(program: Program) -> object:
    """What tells two apart."""
    return program.pid, program.name


def called(scene: Scene, program: Program) -> str:
    """Its name and number; a word for what nobody could be found for."""
    if program.name is None:
        return "? unattributed"
    return program_name(scene, (program.pid, program.name), program.cells.get("confidence"))


def titled(scene: Scene, program: Program) -> tuple[str, str]:
    """The same with its style."""
    return called(scene, program), "" if program.name else "warn"


def cell(name: str) -> Callable[[Program], tuple[str, str]]:
    """A column of what is known of it."""
    return lambda program: (shown(program.cells.get(name)), "")


def columns(scene: Scene) -> list[Column]:
    """The columns of programs."""
    look, edge = scene.look, scene.board.edge
    signs = look.signs

    def spark(program: Program) -> tuple[str, str]:
        down, up = program.series.history(edge)
        both = [a + b for a, b in zip(down, up, strict=True)]
        return sparkline(both, 12, signs.spark), "good"

    return [
        Column("Program", 16, lambda p: titled(scene, p),
               lambda p: (p.name or "~").lower(), grow=3, descending=False),
        Column("User", 8, cell("user"), lambda p: shown(p.cells.get("user")), descending=False, need=70),
        Column("Container", 10, cell("container"), lambda p: shown(p.cells.get("container")),
               descending=False, need=110),
        Column("Parent", 10, cell("parent"), lambda p: shown(p.cells.get("parent")),
               descending=False, need=96),
        Column("Conns", 6, lambda p: (str(p.open), ""), lambda p: p.open, side="right"),
        Column("Ever", 6, lambda p: (str(p.total), ""), lambda p: p.total, side="right", need=76),
        Column(signs.down, 7, lambda p: (look.short_rate(p.series.rate(edge)[0]), ""),
               lambda p: p.series.rate(edge)[0], side="right"),
        Column(signs.up, 7, lambda p: (look.short_rate(p.series.rate(edge)[1]), ""),
               lambda p: p.series.rate(edge)[1], side="right"),
        Column("60 s", 12, spark, lambda p: p.series.recent(edge), need=60),
        Column("Total", 8, lambda p: (look.size(p.bytes), ""), lambda p: p.bytes, side="right"),
    ]  # fmt: skip
