"""The summary of a capture as text: aligned, in 80 columns, without colours."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidegate.model.stats import Stats
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes, human_count, human_duration, human_rate

if TYPE_CHECKING:
    from tidegate.queries.summary import Figures, Ranked

NAME = 42
"""Characters of a name in a ranking."""

KINDS = 10
"""Kinds of undecoded packets that are named."""

STATES = {
    "S0": "opened, never answered",
    "S1": "established, still open",
    "SF": "opened and closed as it should",
    "REJ": "refused",
    "S2": "opener closed its side, no more was seen",
    "S3": "called end closed its side, no more was seen",
    "RSTO": "reset by the opener",
    "RSTR": "reset by the called end",
    "RSTOS0": "opened, then reset by the opener",
    "RSTRH": "answered, then reset by the called end",
    "SH": "opened and closed, answers not seen",
    "SHR": "answered and closed, opening not seen",
    "OTH": "neither opening nor closing seen",
}
"""What Zeek's connection states mean, for who does not know them by heart."""


def render(files: Sequence[str], stats: Stats, figures: "Figures") -> str:
    """The whole summary, with a line end after its last line."""
    sections = [
        list(_head(files, stats, figures)),
        list(_ranking("Top talkers", figures.talkers)),
        list(_ranking("Top services", figures.services)),
        list(_ranking("Protocols", figures.protocols)),
        list(_states(figures.states)),
        list(_trouble(stats, figures)),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _head(files: Sequence[str], stats: Stats, figures: "Figures") -> Iterator[str]:
    yield ", ".join(safe_text(file) for file in files) if len(files) < 4 else f"{len(files)} files"
    span = 0.0
    if stats.first_ts is not None and stats.last_ts is not None:
        span = (stats.last_ts - stats.first_ts) / 1e9
        first, last = _moment(stats.first_ts), _moment(stats.last_ts)
        yield f"  span         {first} to {_after(first, last)} UTC, {human_duration(span)}"
    yield f"  packets      {human_count(stats.packets):>12}{_per_second(stats.packets, span, '/s')}"
    yield f"  bytes        {human_bytes(stats.bytes):>12}{_per_second(stats.bytes * 8, span, 'bit/s')}"
    yield f"  connections  {human_count(figures.connections):>12}"


def _ranking(title: str, lines: "Sequence[Ranked]") -> Iterator[str]:
    if lines:
        yield f"{title:<{NAME}}{'connections':>13}{'packets':>13}{'bytes':>11}"
    for line in lines:
        name = clip(safe_text(line.name), NAME - 3)
        counts = f"{human_count(line.connections):>13}{human_count(line.packets):>13}"
        yield f"  {name:<{NAME - 2}}{counts}{human_bytes(line.bytes):>11}"


def _states(lines: "Sequence[Ranked]") -> Iterator[str]:
    if lines:
        yield "States"
    for line in lines:
        yield f"  {line.name:<7}{human_count(line.connections):>13}  {STATES.get(line.name, '')}".rstrip()


def _trouble(stats: Stats, figures: "Figures") -> Iterator[str]:
    """What was malformed, missing or given up."""
    counts = {
        "bytes missing in streams": human_bytes(figures.missed) if figures.missed else "",
        "segments sent again": human_count(figures.retransmits) if figures.retransmits else "",
        "connections given up, table full": human_count(stats.dropped_table) if stats.dropped_table else "",
    }
    kinds = sorted(stats.malformed.items(), key=lambda item: -item[1])
    for kind, count in kinds[:KINDS]:
        counts[f"not decoded: {kind}"] = human_count(count)
    if rest := kinds[KINDS:]:
        counts[f"not decoded: {len(rest)} other kinds (all with --stats)"] = human_count(
            sum(count for _, count in rest)
        )
    lines = {name: count for name, count in counts.items() if count}
    if lines:
        yield "Missing or malformed"
    for name, shown in lines.items():
        yield f"  {clip(safe_text(name), 50):<50} {shown:>14}"


def _per_second(count: float, span: float, unit: str) -> str:
    if span <= 0:
        return ""
    rate = human_rate(count / span)
    number, _, prefix = rate.partition(" ")
    return f"   {number} {prefix}{unit}" if unit != "/s" else f"   {rate}{unit}"


def _moment(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def _after(first: str, last: str) -> str:
    """The last moment without the date if it is the first one's."""
    return last[11:] if last[:10] == first[:10] else last
