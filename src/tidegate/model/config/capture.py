"""Settings of capture and engine."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EngineSettings:
    """How packets become rows; None keeps the core's default.

    `opened` gives a connection a row when it begins, `interim` one every so many seconds while it lasts.
    """

    sensor: str = ""
    max_flows: int | None = None
    verify_checksums: bool = False
    excerpt: int = 0
    keep_credentials: bool = False
    redact_query: bool = False
    opened: bool = False
    interim: float | None = None
    health: float | None = None


@dataclass(frozen=True)
class RecordSettings:
    """Recording packets to pcapng files beside the tables; sizes in bytes, times in seconds."""

    path: str
    rotate_size: int | None = None
    rotate_time: float | None = None
    total: int | None = None


@dataclass(frozen=True)
class WatchSettings:
    """What to capture, and how."""

    interfaces: tuple[str, ...] = ()
    filter: str | None = None
    tables: tuple[str, ...] = ()
    snaplen: int = 262144
    promiscuous: bool = False
    count: int | None = None
    record: RecordSettings | None = None
    engine: EngineSettings = field(
        default_factory=lambda: EngineSettings(opened=True, interim=5.0, health=10.0)
    )
