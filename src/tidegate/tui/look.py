"""How things look: signs for Unicode and for ASCII terminals, units, times. Colour is never the only cue."""

from dataclasses import dataclass
from datetime import UTC, datetime

BLOCKS = " ▁▂▃▄▅▆▇█"
DIGITS = " .:-=+*#%@"

CONFIDENCE = {"event": "=", "lookup": "~", "listener": "≈", "none": "?"}
ASCII_CONFIDENCE = {"event": "=", "lookup": "~", "listener": "%", "none": "?"}


@dataclass(frozen=True)
class Signs:
    """The signs of one kind of terminal."""

    down: str = "▼"
    up: str = "▲"
    gone: str = "†"
    dot: str = "●"
    hollow: str = "○"
    alert: str = "▲"
    good: str = "✔"
    cursor: str = "▌"
    line: str = "─"
    thick: str = "━"
    bar: str = "│"
    more: str = "…"
    times: str = "×"  # noqa: RUF001
    several: str = "*"
    dash: str = "–"  # noqa: RUF001
    micro: str = "µ"
    arrow: str = "→"
    full: str = "█"
    empty: str = "░"
    ascending: str = "▴"
    descending: str = "▾"
    spark: str = BLOCKS
    ascii: bool = False

    def confidence(self, said: str | None) -> str:
        """How sure it is that a program is the right one, in one sign."""
        return (ASCII_CONFIDENCE if self.ascii else CONFIDENCE).get(said or "none", "?")

    def plain(self, text: str) -> str:
        """Text of ours in the signs this terminal has."""
        return text.translate(_PLAIN) if self.ascii else text


UNICODE = Signs()
ASCII = Signs(
    down="v", up="^", gone="+", dot="*", hollow="o", alert="!", good="ok", cursor=">", line="-", thick="=",
    bar="|", more="~", times="x", dash="-", micro="u", arrow="->", full="#", empty=".", ascending="^",
    descending="v", spark=DIGITS, ascii=True,
)  # fmt: skip
PLAIN = {
    "…": "...", "→": "->", "←": "<-", "µ": "u", "↑": "^", "↓": "v", "⏎": "Enter", "≈": "%", "†": "+",
    "▲": "^", "▼": "v", "●": "*", "│": "|", "─": "-", "━": "=", "✔": "ok", UNICODE.dash: "-",
    UNICODE.times: "x",
}  # fmt: skip
"""What stands for a sign of ours on a terminal that has it not, where there is room for words."""
_PLAIN = str.maketrans(PLAIN)


@dataclass(frozen=True)
class Look:
    """What the user chose: signs, units, names or addresses."""

    signs: Signs = UNICODE
    bits: bool = False
    names: bool = True

    def rate(self, per_second: float) -> str:
        """ "3.1 MB/s" or "24.8 Mb/s"."""
        value = per_second * 8 if self.bits else per_second
        return f"{scaled(value)}{'b' if self.bits else 'B'}/s"

    def short_rate(self, per_second: float) -> str:
        """ "3.1M": a rate where the unit stands above; nothing for none."""
        value = per_second * 8 if self.bits else per_second
        return "" if value < 0.5 else scaled(value).replace(" ", "")

    def size(self, count: float) -> str:
        """ "5.8 MB" or "46.4 Mb"."""
        value = count * 8 if self.bits else count
        return f"{scaled(value)}{'b' if self.bits else 'B'}"

    @property
    def unit(self) -> str:
        """What rates are counted in."""
        return "b/s" if self.bits else "B/s"


def scaled(value: float) -> str:
    """ "812 ", "3.1 M": powers of 1000, the letter behind a space."""
    if value < 999.5:
        return f"{value:.0f} "
    for unit in "kMGTP":
        value /= 1000
        if value < 999.95 or unit == "P":
            break
    return f"{value:.1f} {unit}"


def sparkline(values: list[float], width: int, blocks: str = BLOCKS) -> str:
    """The values as bars, the newest at the right; neighbours are put together where there is no room."""
    if width <= 0:
        return ""
    step = max(-(-len(values) // width), 1)
    padded = [0.0] * (-len(values) % step) + values
    merged = [max(padded[at : at + step]) for at in range(0, len(padded), step)]
    top = max(merged, default=0.0)
    levels = len(blocks) - 1
    bars = "".join(
        blocks[0 if value <= 0 or top <= 0 else max(1, round(value / top * levels))] for value in merged
    )
    return bars[-width:].rjust(width)


def clock(moment: int | None) -> str:
    """The time of day in UTC, of nanoseconds."""
    return datetime.fromtimestamp(moment // 1_000_000_000, UTC).strftime("%H:%M:%S") if moment else ""


def when(moment: int | None) -> str:
    """Day and time in UTC, of nanoseconds."""
    if not moment:
        return ""
    return datetime.fromtimestamp(moment // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def lasting(seconds: float) -> str:
    """ "12s", "3m04", "2h05", "3d04": how long, in few letters."""
    whole = int(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}"


def trip(seconds: float | None, signs: Signs) -> str:
    """A round trip: "12ms", "340µs"; nothing if it is unknown."""
    if seconds is None:
        return ""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}{signs.micro}s"
    return f"{seconds * 1e3:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"
