"""Settings of the store."""

from dataclasses import dataclass
from typing import Annotated

from tidegate.model.config.option import DURATION, SIZE, option
from tidegate.model.errors import SettingError


@dataclass(frozen=True)
class StoreSettings:
    """Where the store lies, how it writes and what it keeps."""

    path: str = option(
        "", "directory of the store; /var/lib/tidegate or your own state directory unless given"
    )
    segment_bytes: Annotated[int, SIZE] = option(64_000_000, "a segment is closed into Parquet at this size")
    segment_age: Annotated[float, DURATION] = option(3600.0, "and after this time")
    sync_interval: Annotated[float, DURATION] = option(10.0, "how often open segments are forced to disk")
    retry_interval: Annotated[float, DURATION] = option(10.0, "how soon a failed write is tried again")
    keep_bytes: Annotated[int, SIZE] = option(
        10_000_000_000, "size of the store at most; the oldest rows go first"
    )
    keep_age: Annotated[float, DURATION] = option(30 * 86400.0, "age of what the store keeps")
    keep_free: Annotated[int, SIZE] = option(1_000_000_000, "room the store leaves on its disk")

    def __post_init__(self) -> None:
        """Refuses what would keep nothing."""
        for name in ("keep_bytes", "keep_age"):
            if getattr(self, name) <= 0:
                raise SettingError("the store must keep something: more than 0", name)
