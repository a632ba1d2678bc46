"""What happened when: lines over time, the period before in grey, alerts and gaps marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tidegate.reports.pictures.canvas import BLUE, GREY, ORANGE, RED, Canvas
from tidegate.reports.pictures.clock import set_axis
from tidegate.reports.pictures.scale import set_scale

_COLOURS = (BLUE, ORANGE, RED)
_STYLES = ("-", "-", "--")
_STRIP = (1.02, 0.045)
"""Bottom and height of the strip of alerts, in heights of the picture's inside."""
MOST_ALERTS = 50
"""Alerts that are drawn, the first."""


@dataclass(frozen=True)
class Timeline:
    """Values of each stretch of time, in order from the beginning; nothing said is 0."""

    begin: datetime
    end: datetime
    zone: ZoneInfo
    step: int
    """Seconds of a stretch."""
    series: Mapping[str, Sequence[float]]
    """By the name of their column."""
    before: Sequence[float] | None = None
    """Of the first series, in the period before."""
    alerts: Sequence[tuple[float, float | None]] = ()
    """When each was raised and, if it was, recovered: seconds since 1970."""
    gaps: Sequence[tuple[float, float]] = ()


def draw(line: Timeline) -> bytes:
    """The picture."""
    with Canvas(2.75, "".join(line.series)) as canvas:
        _draw(canvas, line)
        return canvas.png()


def _draw(canvas: Canvas, line: Timeline) -> None:
    axes = canvas.axes
    canvas.grid()
    first = line.begin.timestamp()
    for number, (name, values) in enumerate(line.series.items()):
        x, y = _steps(values, first, line)
        colour = _COLOURS[number % len(_COLOURS)]
        if not number:
            axes.fill_between(x, y, color=colour, alpha=0.16, linewidth=0)
        label = canvas.drawable(name.replace("_", " "), 24)
        axes.plot(x, y, color=colour, linewidth=1.5, linestyle=_STYLES[number % len(_STYLES)], label=label)
    if line.before is not None:
        x, y = _steps(line.before, first, line)
        axes.plot(x, y, color=GREY, linewidth=1.1, linestyle=(0, (3, 1.5)), label="period before", zorder=1.5)
    _mark(canvas, line)
    set_axis(canvas, line.begin, line.end, line.zone)
    values = [value for series in (*line.series.values(), line.before or ()) for value in series]
    set_scale(canvas, max(values, default=0), next(iter(line.series)), line.step)
    canvas.legend(3, handlelength=1.6, columnspacing=1.2)


def _steps(values: Sequence[float], first: float, line: Timeline) -> tuple[list[float], list[float]]:
    """The outline of the stretches, cut at the window's end."""
    x: list[float] = []
    y: list[float] = []
    last = line.end.timestamp()
    for at, value in enumerate(values):
        left = first + at * line.step
        if left >= last:
            break
        x += [left, min(left + line.step, last)]
        y += [value, value]
    return x, y


def _mark(canvas: Canvas, line: Timeline) -> None:
    """Alerts as lines from their raising and as a strip above while they lasted; gaps hatched."""
    axes = canvas.axes
    first, last = line.begin.timestamp(), line.end.timestamp()
    for at, (begin, end) in enumerate(line.gaps):
        axes.axvspan(
            max(begin, first), min(end, last), facecolor="#EEEEEE", edgecolor=GREY, hatch="////",
            linewidth=0, label="nothing captured" if not at else None,
        )  # fmt: skip
    above = axes.get_xaxis_transform()
    drawn = line.alerts[:MOST_ALERTS]
    for raised, _ in drawn:
        if raised >= first:  # else it is open from the edge on, and was not raised there
            axes.axvline(raised, color=RED, linewidth=1.2)
            axes.plot([raised], [0.965], marker="v", color=RED, markersize=5, transform=above, clip_on=False)
    if drawn:
        # Above the lines and not behind them: one alert that nobody mended would colour the whole night.
        least = (last - first) / 200
        open = [(min(max(raised, first), last - least), min(over or last, last)) for raised, over in drawn]
        strips = [(left, max(right - left, least)) for left, right in open]
        axes.broken_barh(
            strips, _STRIP, color=RED, linewidth=0, transform=above, clip_on=False, label="alert"
        )
