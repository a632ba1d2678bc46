"""What is said on stderr: warnings at once, and at the end counters and everything that was lost."""

import shlex
import time
from collections.abc import Callable, Mapping

import rich_click as click

from tidegate.model.batch import Batch
from tidegate.model.stats import Counters, Stats
from tidegate.model.text import safe_text
from tidegate.model.units import counted, human_bytes, human_count, human_duration, human_rate
from tidegate.store.layout import default_root
from tidegate.store.writer import StoreWriter

MOST_NAMES = 16
"""Interfaces that are named at the end; containers make new ones for ever."""


def say(text: str) -> None:
    """One line on stderr."""
    click.echo(safe_text(text), err=True)


def warn(stats: Stats) -> None:
    """The warnings of the core, such as a file that is cut off."""
    for warning in stats.warnings:
        say(f"tidegate: warning: {warning}")


def recording_failed(stats: Stats) -> bool:
    """Whether packets are missing in what was recorded; the core says so in a warning."""
    return any(warning.startswith("recording: ") for warning in stats.warnings)


class Warnings:
    """Says the warnings of a running capture as they come. It is fed as a sink is, and takes no rows."""

    def __init__(self, warnings: Callable[[], list[str]]) -> None:
        self._warnings = warnings
        self._said: dict[str, str] = {}

    def write(self, batch: Batch) -> None:
        """Nothing: warnings are not in rows."""

    def flush(self) -> None:
        """Says what is new; one that only goes on counting is not said again."""
        warnings = self._warnings()
        for warning in warnings:
            if _about(warning) not in self._said:
                self._say(warning)
        # The core keeps only the latest of what comes and goes, and so do we.
        there = {_about(warning) for warning in warnings}
        self._said = {about: said for about, said in self._said.items() if about in there}

    def close(self) -> None:
        """Says how those ended that went on counting."""
        for warning in self._warnings():
            if self._said.get(_about(warning)) != warning:
                self._say(warning)

    def _say(self, warning: str) -> None:
        self._said[_about(warning)] = warning
        say(f"tidegate: warning: {warning}")


def _about(warning: str) -> str:
    """A warning without the count behind it."""
    return warning.partition(";")[0]


def performance(stats: Stats, seconds: float) -> None:
    """Packets per second, CPU time, what was not decoded, and what holds no IP."""
    cpu = time.process_time()
    rate = human_rate(stats.packets / max(seconds, 1e-9))
    per_cpu = human_rate(stats.packets / max(cpu, 1e-9))
    say(f"packets      {human_count(stats.packets)} in {human_duration(seconds)} ({rate}/s)")
    say(f"CPU          {human_duration(cpu)} ({per_cpu} packets per CPU second)")
    say(f"not decoded  {by_kind(stats.malformed)}")
    say(f"not IP       {by_kind(stats.not_ip)}")


def watched(stats: Stats | Counters, interfaces: list[str], seconds: float, relay_dropped: int = 0) -> None:
    """What a watch saw and what it lost, and what the relay beside it could not hand over."""
    further = len(interfaces) - MOST_NAMES
    names = ", ".join(interfaces[:MOST_NAMES]) + (f" and {further} more" if further > 0 else "")
    names = names or "no interface"
    say(
        f"tidegate: watched {names} for {human_duration(seconds)}: {counted(stats.packets, 'packet')}, "
        f"{human_bytes(stats.bytes)}, {counted(stats.connections, 'connection')}"
    )
    losses = {
        "by the kernel": stats.dropped_kernel,
        "by a full queue": stats.dropped_queue,
        "by a full connection table": stats.dropped_table,
        "by the relay": relay_dropped,
    }
    lost = ", ".join(f"{human_count(count)} {where}" for where, count in losses.items() if count)
    say(f"tidegate: dropped: {lost or 'nothing, by the kernel or later'}")
    if stats.dropped_kernel:
        say("tidegate: packets came faster than we read; more of watch.buffer bears longer bursts")
    if stats.malformed:
        say(f"tidegate: not decoded: {by_kind(stats.malformed)}")
    if stats.not_ip:
        say(f"tidegate: not IP: {by_kind(stats.not_ip)}")


def stored(writer: StoreWriter, lost: int) -> None:
    """Where the rows are, and what the store had to drop (`lost` rows) or remove."""
    removed = writer.removed
    if lost:
        say(f"tidegate: {human_count(lost)} rows were not stored, the disk took none")
    if removed.segments:
        say(f"tidegate: removed {human_count(removed.segments)} old segments, {human_bytes(removed.bytes)}")
    root = writer.layout.root
    where = "" if root == default_root() else f" --store {shlex.quote(str(root))}"
    say(f'tidegate: kept in {root}; ask it with: tidegate query{where} "SELECT * FROM conn"')


def by_kind(counts: Mapping[str, int]) -> str:
    """The most frequent first."""
    kinds = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {human_count(count)}" for kind, count in kinds) or "0"
