"""Programs, together by name or one by one: rows and columns."""

from collections.abc import Callable

from tidegate.tui.board.board import PROGRAM_CELLS
from tidegate.tui.board.parties import SEVERAL, Family, Program
from tidegate.tui.cells import shown
from tidegate.tui.look import sparkline
from tidegate.tui.views.conns import program_name
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset(f"process_{name}" for name in ("pid", "name", *PROGRAM_CELLS))


Row = Program | Family


def rows(scene: Scene, view: View) -> list[Row]:
    """The programs asked for, in their order; by name, all of a name of which one is asked for."""
    programs = [program for program in scene.board.programs if program.total]
    found = matching(programs, view.filter, Program.facts)
    if not view.grouped:
        return view.in_order(found, columns(scene))
    families = (family for family in scene.board.families if family.total)
    if view.filter.words:
        names = {program.name for program in found}
        families = (family for family in families if family.name in names)
    return view.in_order(families, columns(scene))


def identity(program: Row) -> object:
    """What tells two apart."""
    return program.name if isinstance(program, Family) else (program.pid, program.name)


def called(scene: Scene, program: Row) -> str:
    """Its name and number; of several of a name how many; a word for what nobody could be found for."""
    if program.name is None:
        return "? unattributed"
    if isinstance(program, Family):
        return _family(scene, program)
    return program_name(scene, (program.pid, program.name), program.cells.get("confidence"))


def _family(scene: Scene, family: Family) -> str:
    """ "firefox 2001 =" of one process; "curl", how many, "= †" of several that have all exited."""
    sure = family.cells.get("confidence")
    signs = scene.look.signs
    gone = f" {signs.gone}" if all(scene.gone(pid) for pid in family.pids) else ""
    sign = signs.several if sure == SEVERAL else signs.confidence(sure)
    pid = next(iter(family.pids))
    alone = "" if pid is None else f" {pid}"
    many = f" {signs.times}{family.processes:,}"
    return f"{shown(family.name)}{alone if family.processes == 1 else many} {sign}{gone}"


def titled(scene: Scene, program: Row) -> tuple[str, str]:
    """The same with its style."""
    return called(scene, program), "" if program.name else "warn"


def cell(name: str) -> Callable[[Row], tuple[str, str]]:
    """A column of what is known of it."""
    return lambda program: (shown(program.cells.get(name)), "")


def columns(scene: Scene) -> list[Column]:
    """The columns of programs."""
    look, edge = scene.look, scene.board.edge
    signs = look.signs

    def spark(program: Row) -> tuple[str, str]:
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
