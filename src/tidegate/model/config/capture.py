"""Settings of capture and engine."""

import platform
from dataclasses import dataclass, replace
from typing import Annotated

from tidegate.model.config.option import DURATION, SIZE, internal, option, required
from tidegate.model.errors import SettingError


@dataclass(frozen=True)
class EngineSettings:
    """How packets become rows; None keeps the core's default."""

    sensor: str = option("", "name of the observer, in every row; live: the host's unless given")
    max_flows: int | None = option(None, "connections watched at once; 1,000,000 unless given")
    verify_checksums: bool = option(False, "packets with a wrong IP, TCP or UDP checksum do not count")
    excerpt: int = internal(
        0, "bytes of each packet's payload kept as text in table packet", instead="excerpts.bytes"
    )
    keep_credentials: bool = option(
        False, "keep passwords, tokens and cookies as sent; else they are [redacted]"
    )
    redact_query: bool = option(False, "leave out what follows the ? or # of a URI; it often holds secrets")
    opened: bool = option(False, "a connection gives a row when it begins, too")
    interim: Annotated[float, DURATION] | None = option(None, "how often a long connection gives a row")
    health: Annotated[float, DURATION] | None = option(None, "how often losses and totals are written down")


@dataclass(frozen=True)
class RecordSettings:
    """Recording packets to pcapng files beside the tables."""

    path: str = required("file that packets are recorded to")
    rotate_size: Annotated[int, SIZE] | None = option(None, "a new file at this size")
    rotate_time: Annotated[float, DURATION] | None = option(None, "a new file after this time")
    total: Annotated[int, SIZE] | None = option(None, "bytes of all recordings; the oldest go first")


@dataclass(frozen=True)
class WatchSettings:
    """What to capture, and how."""

    interfaces: tuple[str, ...] = option((), "interfaces to watch; all that are up unless given")
    filter: str | None = option(None, "BPF expression: only these packets are seen at all")
    tables: tuple[str, ...] = option((), "tables that are filled; all but packet unless given")
    snaplen: int = option(262144, "bytes kept of a packet")
    promiscuous: bool = option(False, "also take what is not meant for this machine")
    buffer: Annotated[int, SIZE] = option(
        32 << 20, "kernel memory for packets that wait to be read, all interfaces together"
    )
    count: int | None = option(None, "end after this many packets")
    record: RecordSettings | None = option(None, "record packets beside")
    engine: EngineSettings = option(EngineSettings(), "how packets become rows")

    def __post_init__(self) -> None:
        """Refuses what no packet fits in, and more memory than a mistake in the unit would ask for."""
        if not 64 <= self.snaplen <= 262144:
            raise SettingError(f"{self.snaplen} bytes of a packet; 64 to 262144 can be kept", "snaplen")
        if not 1 << 20 <= self.buffer <= 4 << 30:
            raise SettingError(f"{self.buffer} bytes of kernel memory; 1Mi to 4Gi can be had", "buffer")


def live(settings: WatchSettings, interim: float = 5.0, health: float = 10.0) -> WatchSettings:
    """The settings of a live capture: what it needs is put in where nothing was said; seconds."""
    engine = settings.engine
    told = replace(
        engine,
        sensor=engine.sensor or platform.node(),
        opened=True,
        interim=interim if engine.interim is None else engine.interim,
        health=health if engine.health is None else engine.health,
    )
    return replace(settings, engine=told)
