"""Settings, typed once: where they enter, they are checked; from there on they are true."""

from dataclasses import dataclass, field

from tidegate.model.errors import UsageError

FORMATS = ("table", "tsv", "csv", "jsonl", "parquet")
"""The formats rows can be written in."""


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


@dataclass(frozen=True)
class StoreSettings:
    """How the store writes and what it keeps; sizes in bytes, times in seconds."""

    segment_bytes: int = 64 << 20
    segment_age: float = 3600.0
    sync_interval: float = 10.0
    retry_interval: float = 10.0
    keep_bytes: int = 10 << 30
    keep_age: float = 30 * 86400.0
    keep_free: int = 1 << 30

    def __post_init__(self) -> None:
        """Refuses what would keep nothing."""
        if self.keep_bytes <= 0 or self.keep_age <= 0:
            raise UsageError("the store must keep something: a size and an age above 0")
