"""Now: everything at a glance, as lines of styled pieces and three short tables."""

import heapq
from collections import Counter
from dataclasses import dataclass

from tidegate.model.config import RuleSettings
from tidegate.model.text import fit
from tidegate.model.units import IN_BYTES, counted
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import Board
from tidegate.tui.board.desk import Gauge
from tidegate.tui.board.parties import Family, Host, Interface
from tidegate.tui.board.web import CLASSES, NO_REPLY
from tidegate.tui.cells import shown
from tidegate.tui.look import clock, lasting, scaled, sparkline
from tidegate.tui.views import alerts as alert_view
from tidegate.tui.views import hosts as host_view
from tidegate.tui.views import programs as program_view
from tidegate.tui.views.view import Scene
from tidegate.tui.widgets.column import Column

Piece = tuple[str, str]
"""Text and the name of its style."""

Line = list[Piece]
COUNTED = {
    "http_messages": ("requests", "replies"),
    "http_requests": ("requests",),
    "http_replies": ("replies",),
}
"""What the board counts itself, by metric."""

CLASS_STYLES = {"2xx": "good", "3xx": "", "4xx": "warn", "5xx": "bad"}


def head(
    scene: Scene, rules: tuple[RuleSettings, ...], width: int, interfaces: int = 4, bars: int = 2
) -> list[Line]:
    """Rates, HTTP, how near rules are to their thresholds, alerts, interfaces."""
    lines = [rates(scene, width), http(scene, width)]
    lines += [bar(scene, gauge, width) for gauge in nearest(scene.board, rules, bars)]
    lines.append(standing(scene))
    busiest = sorted(scene.board.interfaces, key=lambda one: (-one.bytes, one.name))
    return lines + [interface(scene, one, width) for one in busiest[:interfaces]]


def small_head(scene: Scene, rules: tuple[RuleSettings, ...], width: int, height: int) -> list[Line]:
    """The same where there is little room: alerts and rates always, the rest as far as it goes."""
    lines = [standing(scene, short=True), rates(scene, width)]
    if height >= 9:
        lines.append(http(scene, width))
    if height >= 12:
        lines += [bar(scene, gauge, width) for gauge in nearest(scene.board, rules, 1)]
    return lines


def rates(scene: Scene, width: int) -> Line:
    """Both directions with a minute of history, and how many of everything."""
    board, look = scene.board, scene.look
    down, up = board.total.rate(board.edge)
    spark = max(min((width - 70) // 2, 30), 6) if width >= 50 else 0
    before_down, before_up = board.total.history(board.edge)
    programs = sum(1 for one in board.families if one.open and one.name is not None)
    hosts = sum(1 for host in board.hosts if host.open)
    open = {"conn": board.connections.open, "host": hosts, "program": programs}
    return [
        (f" {look.signs.down} {look.rate(down):>10} ", "bold"),
        (sparkline(before_down, spark, look.signs.spark), "good"),
        (f"  {look.signs.up} {look.rate(up):>10} ", "bold"),
        (sparkline(before_up, spark, look.signs.spark), "name"),
        (f"  {'  '.join(counted(count, what) for what, count in open.items())}", ""),
    ]


def http(scene: Scene, width: int) -> Line:
    """Transactions a second by class of status, and the host that was asked most in a minute."""
    web = scene.board.web
    by_class = web.rates()
    line: Line = [(f" http {number(sum(by_class.values()))}/s ", "bold")]
    for name in (*CLASSES, NO_REPLY):
        if by_class.get(name):
            line.append((f" {name} {number(by_class[name])}", CLASS_STYLES.get(name, "")))
    if web.hosts.sums:
        host = max(web.hosts.sums, key=lambda name: (web.hosts.sums[name], name))
        line += [("   60 s: ", "dim"), (fit_name(shown(host), width // 3), "name")]
        for name in (*CLASSES, NO_REPLY):
            if count := web.host_statuses.get((host, name)):
                line.append((f" {name} {count:.0f}", CLASS_STYLES.get(name, "")))
    return line


def nearest(board: Board, rules: tuple[RuleSettings, ...], most: int) -> list[Gauge]:
    """The rules that are nearest to their thresholds, in the order of the configuration."""
    gauges = board.desk.gauges or [gauge for rule in rules if (gauge := _counted(board, rule))]
    chosen = set(heapq.nlargest(most, gauges, key=lambda gauge: gauge.share))
    return [gauge for gauge in gauges if gauge in chosen]


def _counted(board: Board, rule: RuleSettings) -> Gauge | None:
    """What a rule counts, as far as the board counts it too: for when no alerts run here."""
    if rule.filter or rule.key or rule.metric not in COUNTED:
        return None
    messages = board.web.messages
    value = sum(messages.get(name) for name in COUNTED[rule.metric])
    return Gauge(rule.name, rule.metric, value, float(rule.threshold or 0), rule.window)


def bar(scene: Scene, gauge: Gauge, width: int) -> Line:
    """A rule's count against its threshold; of a rule with keys its highest, and whose that is."""
    length = max(min(width - 62, 30), 8)
    filled = min(round(gauge.share * length), length)
    style = "bad" if gauge.share > 1 else "warn" if gauge.share > 0.8 else "good"
    signs = scene.look.signs
    over = f" {signs.alert} over" if gauge.share > 1 else ""
    share = f" ({gauge.share:.0%})" if gauge.threshold else ""
    written = scene.look.size if gauge.metric in IN_BYTES else lambda number: f"{number:,.0f}"
    key = f"  {fit_name(shown(gauge.key), 30)}" if gauge.key else ""
    span = "this month" if gauge.metric == "quota" else f"in {lasting(gauge.window)}"
    return [
        (f" {fit(fit_name(shown(gauge.rule), 18), 18)} ", "bold"),
        (signs.full * filled + signs.empty * (length - filled), style),
        (f" {written(gauge.value)} of {written(gauge.threshold)} {span}{share}", ""),
        (over, "bad"),
        (key, "dim"),
    ]


def standing(scene: Scene, short: bool = False) -> Line:
    """The alerts that stand, the last that recovered, and whether any are kept quiet."""
    signs = scene.look.signs
    alerts = scene.board.alerts.newest()
    stand = [alert for alert in alerts if alert.open]
    over = max(
        (alert for alert in alerts if not alert.open), key=lambda alert: alert.recovered or 0, default=None
    )
    line: Line = [] if short and stand else [(" Alerts ", "bold")]
    if not alerts:
        line.append(("none", "dim"))
    if stand:
        line += told(scene, stand[0])
        if len(stand) > 1:
            line.append((f" and {len(stand) - 1} more", "warn"))
    if over is not None:
        took = lasting(alert_view.duration(scene, over))
        line.append(
            (
                f"   {signs.good} recovered {clock(over.recovered)} {shown(over.row['rule'])} after {took}",
                "good",
            )
        )
    if quiets := scene.board.desk.quiets:
        kinds = Counter(quiet.kind for quiet in quiets)
        line.append(("   " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()), "name"))
    return line


def told(scene: Scene, alert: Alert) -> Line:
    """One alert that stands."""
    row = alert.row
    value, limit, peak = (
        alert_view.number(row["metric"], row[name]) for name in ("value", "threshold", "peak")
    )
    key = f" {shown(row['key'])}" if row["key"] else ""
    state, style = alert_view.state(scene, alert)
    since = f"since {clock(alert.raised)} ({lasting(alert_view.duration(scene, alert))})"
    if (row["value"] or 0) <= (row["threshold"] or 0):  # back below, but not for long enough to be over
        value = f"{value}, peak {peak}"
    return [(f" {state} {shown(row['rule'])}{key} {value} > {limit} {since}", style)]


def interface(scene: Scene, one: Interface, width: int) -> Line:
    """An interface's traffic."""
    look, edge = scene.look, scene.board.edge
    down, up = one.series.rate(edge)
    packets, _ = one.packets.rate(edge)
    _, dropped = one.packets.minute(edge)
    received, sent = one.series.history(edge)
    both = [a + b for a, b in zip(received, sent, strict=True)]
    spark = max(min(width - 74, 40), 10)
    line: Line = [
        (f" {fit(fit_name(shown(one.name), 12), 12)}", "bold"),
        (f" {look.signs.down} {look.rate(down):>10} {look.signs.up} {look.rate(up):>10} ", ""),
        (sparkline(both, spark, look.signs.spark), "good"),
        (f" {scaled(packets)}pkt/s  {look.size(one.bytes)}", ""),
    ]
    return [*line, (f"  dropped {dropped:,.0f}", "bad")] if dropped else line


def number(value: float) -> str:
    """A rate in few letters: a digit behind the point only where it tells something."""
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def fit_name(text: str, width: int) -> str:
    """The text, cut if it is too long."""
    return text if len(text) <= width else fit(text, width)


def top_programs(scene: Scene, most: int) -> list[Family]:
    """The programs with the most traffic in the last minute, then those with the most ever."""
    edge = scene.board.edge
    return heapq.nsmallest(
        most,
        (program for program in scene.board.families if program.total),
        key=lambda one: (-one.series.recent(edge), -one.bytes, one.name or "~"),
    )


def top_hosts(scene: Scene, most: int) -> list[Host]:
    """The same of hosts."""
    edge = scene.board.edge
    recent = (host for host in scene.board.hosts if host.total)
    return heapq.nsmallest(most, recent, key=lambda one: (-one.series.recent(edge), -one.bytes, one.ip))


@dataclass(frozen=True)
class Section:
    """A section of all hosts together, over the last minute."""

    name: str
    methods: Counter[str]

    @property
    def count(self) -> int:
        """Its requests."""
        return self.methods.total()


def top_sections(scene: Scene, most: int) -> list[Section]:
    """The sections that were asked for most."""
    found: dict[str, Counter[str]] = {}
    for (section, method), number_ in scene.board.web.sections.sums.items():
        found.setdefault(section, Counter())[method] += int(number_)
    sections = [Section(name, methods) for name, methods in found.items()]
    return sorted(sections, key=lambda section: (-section.count, section.name))[:most]


def program_columns(scene: Scene) -> list[Column]:
    """The short table of programs."""
    look, edge, signs = scene.look, scene.board.edge, scene.look.signs
    return [
        Column(
            "Top programs", 12, lambda p: (program_view.called(scene, p), "" if p.name else "warn"), grow=1
        ),
        Column(signs.down, 6, lambda p: (look.short_rate(p.series.rate(edge)[0]), ""), side="right"),
        Column(signs.up, 6, lambda p: (look.short_rate(p.series.rate(edge)[1]), ""), side="right"),
        Column("conns", 5, lambda p: (str(p.open), ""), side="right"),
    ]


def host_columns(scene: Scene) -> list[Column]:
    """The short table of hosts."""
    return [
        Column("Top hosts", 10, lambda h: host_view.called(scene, h), grow=3),
        Column("via", 4, lambda h: host_view.via(scene, h)),
        Column("cc/AS", 6, host_view.place, grow=1),
        Column("bytes", 8, lambda h: (scene.look.size(h.bytes), ""), side="right"),
    ]


def section_columns(_scene: Scene) -> list[Column]:
    """The short table of sections."""

    def methods(section: Section) -> Piece:
        return " ".join(shown(name) for name, _ in section.methods.most_common(3)), "dim"

    return [
        Column("Sections", 8, lambda s: (shown(s.name), ""), grow=1),
        Column("methods", 7, methods, grow=1),
        Column("60 s", 5, lambda s: (str(s.count), ""), side="right"),
    ]
