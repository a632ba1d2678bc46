"""HTTP: a row for each host's section, and its columns."""

from tidegate.tui.board.web import NO_REPLY, Site
from tidegate.tui.cells import shown
from tidegate.tui.look import trip
from tidegate.tui.views.view import Scene, View, matching
from tidegate.tui.widgets.column import Column

NAMES = frozenset({"host", "section"})


def rows(scene: Scene, view: View) -> list[Site]:
    """The sites asked for, in their order."""
    return view.in_order(matching(scene.board.web.sites, view.filter, Site.facts), columns(scene))


def identity(site: Site) -> object:
    """What tells two apart."""
    return site.host, site.section


def methods(site: Site) -> str:
    """Methods with their counts, the most frequent first."""
    return " ".join(f"{shown(name)} {count}" for name, count in site.methods.most_common(4))


def latency(site: Site) -> float:
    """Seconds to the reply, on average."""
    return site.latency / site.replies if site.replies else 0.0


def columns(scene: Scene) -> list[Column]:
    """The columns of HTTP."""
    look, web = scene.look, scene.board.web

    def minute(site: Site) -> float:
        return web.minute.get((site.host, site.section))

    def status(name: str, style: str, need: int = 0) -> Column:
        def cell(site: Site) -> tuple[str, str]:
            count = site.statuses[name]
            return (str(count), style) if count else ("", "")

        return Column(name, 5, cell, lambda site: site.statuses[name], side="right", need=need)

    return [
        Column("Host", 12, lambda s: (shown(s.host), "name"), lambda s: s.host.lower(), grow=3,
               descending=False),
        Column("Section", 10, lambda s: (shown(s.section), ""), lambda s: s.section, grow=2,
               descending=False),
        Column("60 s", 6, lambda s: (f"{minute(s):.0f}", ""), minute, side="right"),
        Column("Total", 6, lambda s: (str(s.requests), ""), lambda s: s.requests, side="right", need=62),
        status("2xx", "good"), status("3xx", ""), status("4xx", "warn"), status("5xx", "bad"),
        status(NO_REPLY, "dim", 84),
        Column("Methods", 11, lambda s: (methods(s), ""), methods, grow=2, descending=False,
               need=96),
        Column("Wait", 6, lambda s: (trip(latency(s) or None, look.signs), ""), latency, side="right",
               need=80),
        Column("Bytes", 8, lambda s: (look.size(s.bytes), ""), lambda s: s.bytes, side="right", need=70),
    ]  # fmt: skip
