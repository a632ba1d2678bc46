"""The axis of amounts: round ticks with units."""

import math

from tidegate.model.units import human_bytes, human_duration
from tidegate.reports.cells import is_bytes, is_seconds
from tidegate.reports.pictures.canvas import INK, SMALL, Canvas


def set_scale(canvas: Canvas, most: float, column: str, step: int) -> None:
    """Ticks from 0 to above the largest value, and what they count."""
    axes = canvas.axes
    top = most if most > 0 else 1.0
    each = round_step(top / 5, whole=not is_seconds(column))
    count = math.ceil(top / each)
    axes.set_ylim(0, max(top * 1.06, each))
    values = [each * number for number in range(count + 1) if each * number <= max(top * 1.06, each)]
    axes.set_yticks(values, [_label(value, column) for value in values])
    what = canvas.drawable(column.replace("_", " ").capitalize(), 24)
    axes.set_ylabel(f"{what} per {per(step)}" if step else what, fontsize=SMALL, color=INK)


def round_step(least: float, whole: bool = True) -> float:
    """The next of 1, 2, 2.5, 5, 10 … times a power of ten."""
    if whole and least <= 1:
        return 1.0
    power = 10 ** math.floor(math.log10(least))
    for factor in (1, 2, 2.5, 5, 10):
        if factor * power >= least * 0.999 and not (whole and (factor * power) % 1):
            return float(factor * power)
    return float(10 * power)


def per(seconds: int) -> str:
    """ "10 min", "hour", "second"."""
    for unit, name, short in (
        (86400, "day", "days"),
        (3600, "hour", "hours"),
        (60, "minute", "min"),
        (1, "second", "s"),
    ):
        if seconds % unit == 0:
            count = seconds // unit
            return name if count == 1 else f"{count} {short}"
    return f"{seconds} s"


def _label(value: float, column: str) -> str:
    if is_bytes(column):
        return human_bytes(value).replace(".0 ", " ")
    if is_seconds(column):
        return human_duration(value)
    return f"{value:,.10g}" if value < 1e6 else f"{value / 1e6:,.10g} M"
