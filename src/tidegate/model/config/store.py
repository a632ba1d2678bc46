"""Settings of the store."""

from dataclasses import dataclass

from tidegate.model.errors import UsageError


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
