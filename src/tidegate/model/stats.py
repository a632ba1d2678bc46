"""The counters of a source, as the core keeps them, and their sums over several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tidegate._core import Stats

__all__ = ["RELAY", "Counters", "Standing", "Stats"]

RELAY = "relay"
"""The source in table health of what the relay lost; others are interfaces, files, or empty."""

_SUMMED = (
    "packets",
    "bytes",
    "connections",
    "dropped_kernel",
    "dropped_queue",
    "dropped_table",
    "duplicates",
)


@dataclass(frozen=True)
class Counters:
    """What was counted up to now; named as in Stats."""

    packets: int = 0
    bytes: int = 0
    connections: int = 0
    flows: int = 0
    """Connections open now."""
    dropped_kernel: int = 0
    dropped_queue: int = 0
    dropped_table: int = 0
    duplicates: int = 0
    malformed: Mapping[str, int] = field(default_factory=dict)
    not_ip: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, stats: Stats) -> "Counters":
        """The counters of one source."""
        return cls(
            **{name: getattr(stats, name) for name in _SUMMED},
            flows=stats.flows,
            malformed=stats.malformed,
            not_ip=stats.not_ip,
            warnings=tuple(stats.warnings),
        )

    def ended(self) -> "Counters":
        """The same once their source is over: what it warned of and had open is no more."""
        return replace(self, flows=0, warnings=())

    def plus(self, other: "Counters") -> "Counters":
        """Sums; warnings one after the other."""
        return Counters(
            **{name: getattr(self, name) + getattr(other, name) for name in _SUMMED},
            flows=self.flows + other.flows,
            malformed=_sum(self.malformed, other.malformed),
            not_ip=_sum(self.not_ip, other.not_ip),
            warnings=self.warnings + other.warnings,
        )


def _sum(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {kind: some.get(kind, 0) + others.get(kind, 0) for kind in {**some, **others}}


@dataclass(frozen=True)
class Standing:
    """What has become of the interfaces of a capture."""

    watched: tuple[str, ...] = ()
    """Those that are there."""
    down: tuple[str, ...] = ()
    """Of these, the ones that are switched off."""
    gone: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str], stats: Stats) -> "Standing":
        """Of the interfaces watched so far; one of which no figures are there yet has just been opened."""
        known = {each.name: each for each in stats.by_interface}
        gone = tuple(name for name in names if name in known and not known[name].watched)
        watched = tuple(name for name in names if name not in gone)
        down = tuple(name for name in watched if name in known and not known[name].up)
        return cls(watched, down, gone)
