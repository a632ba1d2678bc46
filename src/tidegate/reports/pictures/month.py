"""A month against what it may have: days as bars, what they add up to as a line, the forecast, the limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tidegate.model.units import human_bytes
from tidegate.reports.pictures.canvas import BLUE, GREY, ORANGE, RED, Canvas
from tidegate.reports.pictures.clock import set_axis
from tidegate.reports.pictures.scale import set_scale


@dataclass(frozen=True)
class Month:
    """What each day took, from the reset day on."""

    begin: datetime
    now: datetime
    end: datetime
    """When counting begins anew."""
    zone: ZoneInfo
    days: Sequence[tuple[float, float, float]]
    """Beginning and end (seconds since 1970) and bytes of each day so far."""
    forecast: float | None
    limit: float
    """0: there is none."""
    before: float | None = None
    """What the month before had taken at the same moment."""


def draw(month: Month) -> bytes:
    """The picture."""
    with Canvas(2.9) as canvas:
        _draw(canvas, month)
        return canvas.png()


def _draw(canvas: Canvas, month: Month) -> None:
    axes = canvas.axes
    canvas.grid()
    total = 0.0
    x, y = [month.begin.timestamp()], [0.0]
    for left, right, amount in month.days:
        axes.bar(left, amount, width=(right - left) * 0.86, align="edge", color=ORANGE, linewidth=0)
        total += amount
        x.append(right)
        y.append(total)
    axes.plot([], [], color=ORANGE, linewidth=5, label="each day")
    axes.plot(x, y, color=BLUE, linewidth=1.8, label="so far")
    if month.forecast is not None:
        axes.plot(
            [x[-1], month.end.timestamp()], [total, month.forecast], color=BLUE, linewidth=1.4,
            linestyle=(0, (2, 1.5)), label=f"forecast {human_bytes(month.forecast)}",
        )  # fmt: skip
    if month.before is not None:
        axes.plot(
            [month.now.timestamp()], [month.before], marker="D", markersize=4.5, color=GREY, linewidth=0,
            label="month before, then",
        )  # fmt: skip
    if month.limit:
        label = f"limit {human_bytes(month.limit)}"
        axes.axhline(month.limit, color=RED, linewidth=1.5, linestyle="-.", label=label)
    set_axis(canvas, month.begin, month.end, month.zone)
    set_scale(canvas, max(total, month.forecast or 0, month.limit, month.before or 0), "bytes", 0)
    canvas.legend(2)
