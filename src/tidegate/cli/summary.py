"""The summary of a capture as text: aligned, in the width of the terminal, without colours."""

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidegate.cli.ranking import Ranking, Row, count, details, duration, size, terminal_width, text
from tidegate.model.stats import Stats
from tidegate.model.text import clip, fit, safe_text
from tidegate.model.units import human_bytes, human_count, human_duration, human_rate

if TYPE_CHECKING:
    from tidegate.queries.summary import Figures, Site

KINDS = 10
"""Kinds of packets that are named."""

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


def _words(values: Sequence[str] | None) -> str:
    return " ".join(values or [])


def _service(row: Row) -> str:
    port = "" if row["port"] is None else f"/{row['port']}"
    return f"{row['proto']}{port} {row['service'] or ''}"


def _target(row: Row) -> str:
    """The called end of a row, by name where it has one."""
    address = f"[{row['dst_ip']}]" if ":" in row["dst_ip"] else row["dst_ip"]
    return f"{row['name'] or address}:{row['dst_port']}"


_TRAFFIC = [count("connections", "connections", 13), count("packets", "packets", 13), size("bytes", "bytes")]

RANKINGS: Mapping[str, Ranking] = {
    "talkers": Ranking("Top talkers", lambda row: row["address"], _TRAFFIC),
    "names": Ranking(
        "Top names",
        lambda row: row["name"],
        [
            text("said by", 14, lambda row: _words(row["sources"])),
            count("connections", "connections", 13),
            size("bytes", "bytes"),
        ],
    ),
    "services": Ranking("Top services", _service, _TRAFFIC),
    "protocols": Ranking("Protocols", lambda row: row["proto"], _TRAFFIC),
    "failed-connections": Ranking(
        "Connections that failed",
        lambda row: f"{row['src_ip']} > {_target(row)}",
        [text("failure", 26, lambda row: row["failure"]), count("times", "connections", 9)],
    ),
    "tls-names": Ranking(
        "TLS and QUIC server names",
        lambda row: row["name"],
        [
            text("versions", 18, lambda row: _words(row["versions"])),
            count("unfinished", "unfinished", 12),
            count("quic", "quic", 7),
            count("handshakes", "handshakes", 12),
        ],
    ),
    "tls-old": Ranking(
        "Old or untrusted TLS",
        lambda row: f"{row['name']}:{row['dst_port']}",
        [
            text("version", 10, lambda row: row["version"] or ""),
            text("problem", 35, lambda row: row["problem"]),
            count("times", "handshakes", 9),
        ],
    ),
    "dns-queries": Ranking(
        "DNS queries",
        lambda row: row["name"],
        [
            text("types", 12, lambda row: _words(row["types"])),
            count("failed", "failures", 8),
            count("no reply", "unanswered", 10),
            duration("median", "median_rtt"),
            count("queries", "queries", 9),
        ],
    ),
    "dns-failures": Ranking(
        "DNS failures",
        lambda row: row["name"],
        [
            text("servers", 20, lambda row: _words(row["servers"])),
            text("failure", 12, lambda row: row["failure"]),
            count("queries", "queries", 9),
        ],
    ),
    "pings": Ranking(
        "Pings",
        lambda row: f"{row['src_ip']} > {row['dst_ip']}",
        [
            duration("max", "max_rtt"),
            duration("median", "median_rtt"),
            count("sent", "sent", 8),
            count("lost", "lost", 8),
        ],
    ),
}
"""How each question's answer is shown, in order, by the question's name."""

HOSTS = Ranking(
    "HTTP hosts",
    lambda row: row["host"],
    [
        count("no reply", "unanswered", 10),
        duration("median", "median_latency"),
        size("bytes", "bytes"),
        count("errors", "errors", 8),
        count("requests", "requests", 10),
    ],
)


def render(files: Sequence[str], stats: Stats, figures: "Figures") -> str:
    """The whole summary, with a line end after its last line."""
    columns = terminal_width()
    answers = dict(figures.rankings)
    if not any(row["sources"] for row in answers.get("names", [])):
        answers.pop("names", None)  # addresses alone say no more than the talkers
    rankings = {
        name: list(shape.lines(answers[name], columns)) for name, shape in RANKINGS.items() if name in answers
    }
    sections = [
        [wrapped for line in _head(files, stats, figures) for wrapped in _wrapped(line, columns)],
        *(rankings.pop(name, []) for name in ("talkers", "names", "services", "protocols")),
        list(_states(figures.rankings.get("states", []), columns)),
        list(_sites(figures.sites, columns)),
        *rankings.values(),
        list(_trouble(stats, figures, columns)),
        list(_more(files, figures, columns)),
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
    yield f"  connections  {human_count(figures.losses['connections']):>12}"
    if stats.not_ip:
        yield f"  not IP       {human_count(sum(stats.not_ip.values())):>12}  {_kinds(stats.not_ip)}"


def _kinds(counts: Mapping[str, int]) -> str:
    """The most frequent by name."""
    names = sorted(counts, key=lambda name: -counts[name])
    return ", ".join(map(safe_text, names[:KINDS])) + (", …" if len(names) > KINDS else "")


def _wrapped(line: str, columns: int) -> list[str]:
    return textwrap.wrap(line, columns, subsequent_indent=" " * 15, break_long_words=False) or [line]


def _states(rows: Sequence[Row], columns: int) -> Iterator[str]:
    if rows:
        yield "States"
    for row in rows:
        state, meaning = row["conn_state"], STATES.get(row["conn_state"], "")
        yield clip(f"  {state:<7}{human_count(row['connections']):>13}  {meaning}".rstrip(), columns)


def _sites(sites: "Sequence[Site]", columns: int) -> Iterator[str]:
    if not sites:
        return
    parts = {site.row["host"]: site for site in sites}
    below = lambda row: details(_parts(parts[row["host"]]), columns)  # noqa: E731 - short, and used once
    yield from HOSTS.lines([site.row for site in sites], columns, below)


def _parts(site: "Site") -> list[list[str]]:
    """Methods, status codes and sections, each with how often."""
    from tidegate.queries.summary import PARTS

    groups = []
    for rows, column in ((site.methods, "method"), (site.statuses, "status"), (site.sections, "section")):
        words = [f"{_or_none(row[column])} {human_count(row['requests'])}" for row in rows[:PARTS]]
        groups.append([*words, "…"] if len(rows) > PARTS else words)
    return groups


def _or_none(value: object) -> str:
    return "none" if value is None else clip(str(value), 30)


def _trouble(stats: Stats, figures: "Figures", columns: int) -> Iterator[str]:
    """What was malformed, missing or given up."""
    missed, again = figures.losses["missed_bytes"], figures.losses["retransmits"]
    counts = {
        "bytes missing in streams": human_bytes(missed) if missed else "",
        "segments sent again": human_count(again) if again else "",
        "connections given up, table full": human_count(stats.dropped_table) if stats.dropped_table else "",
    }
    kinds = sorted(stats.malformed.items(), key=lambda item: -item[1])
    for kind, times in kinds[:KINDS]:
        counts[f"not decoded: {kind}"] = human_count(times)
    if rest := kinds[KINDS:]:
        counts[f"not decoded: {len(rest)} other kinds (all with --stats)"] = human_count(
            sum(times for _, times in rest)
        )
    lines = {name: shown for name, shown in counts.items() if shown}
    if lines:
        yield "Missing or malformed"
    room = min(50, columns - 17)
    for name, shown in lines.items():
        yield f"  {fit(safe_text(name), room)} {shown:>14}"


def _more(files: Sequence[str], figures: "Figures", columns: int) -> Iterator[str]:
    """How to ask on, with the question whose answer is most worth it here."""
    if not figures.rankings or "-" in files:
        return
    known = ("http-hosts" if figures.sites else "", "tls-names", "dns-queries", "pings", "services")
    name = next(name for name in known if name == "http-hosts" or name in figures.rankings)
    reads = "".join(f" -r {shlex.quote(safe_text(file))}" for file in files)
    line = f"More: tidegate query --named {name}"
    yield line + (reads if len(line + reads) <= columns else " -r FILE")
    yield "All that can be asked so: tidegate query --list"


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
