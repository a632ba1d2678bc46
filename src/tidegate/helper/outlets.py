"""What the worker will write to."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outlets:
    """Made, and handed to the worker's user, before it gives up its rights."""

    store: Path | None = None
    files: tuple[Path, ...] = ()
    """Recordings and outputs; their directories are made if there are none."""
