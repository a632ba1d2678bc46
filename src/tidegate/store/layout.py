"""Where things lie in a store.

    DIR/VERSION                              the schema version, one number
    DIR/lock                                 held by the one writer, with its process id
    DIR/open/TABLE/ID.arrows                 open segment: Arrow IPC stream, only grows
    DIR/TABLE/date=YYYY-MM-DD/ID.parquet     closed segment, never changed

An ID is the UTC time of the segment's opening and a random tail; it sorts by age. The date
is that of the opening.
"""

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tidegate.model.errors import StoreError

SCHEMA_VERSION = 1
"""Goes up when a column changes its meaning or type; new columns alone do not raise it."""

_ID = re.compile(r"(\d{8})T\d{12}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Segment:
    """One file of rows of one table."""

    table: str
    id: str
    path: Path
    size: int
    """Bytes on disk."""

    @property
    def opened(self) -> float:
        """When it was opened, in seconds since 1970."""
        return datetime.strptime(self.id[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Layout:
    """The paths of one store."""

    root: Path

    @property
    def marker(self) -> Path:
        """The file with the schema version."""
        return self.root / "VERSION"

    @property
    def lock(self) -> Path:
        """The file the one writer holds."""
        return self.root / "lock"

    def open_path(self, table: str, segment_id: str) -> Path:
        """Where the open segment lies."""
        return self.root / "open" / table / f"{segment_id}.arrows"

    def closed_path(self, table: str, segment_id: str) -> Path:
        """Where the closed segment lies, or will."""
        day = f"{segment_id[:4]}-{segment_id[4:6]}-{segment_id[6:8]}"
        return self.root / table / f"date={day}" / f"{segment_id}.parquet"

    def create(self) -> None:
        """Makes the store if there is none, readable by its owner and group."""
        try:
            self.root.mkdir(mode=0o750, parents=True, exist_ok=True)
            if not self.marker.exists():
                write_durably(self.marker, f"{SCHEMA_VERSION}\n")
        except OSError as error:
            raise StoreError(_refused(self.root, error)) from None
        self.check()

    def check(self) -> None:
        """Raises StoreError if there is no store, or a newer one than this program knows."""
        try:
            version = int(self.marker.read_text())
        except FileNotFoundError:
            raise StoreError(f"{self.root}: no store here yet; start one with: tidegate watch") from None
        except OSError as error:
            raise StoreError(_refused(self.root, error)) from None
        except ValueError:
            raise StoreError(f"{self.marker}: should hold a number; is this a store of Tidegate?") from None
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.root}: written by a newer Tidegate (schema {version}, this one knows up to "
                f"{SCHEMA_VERSION}); upgrade Tidegate or choose another --store"
            )

    def open_segments(self) -> list[Segment]:
        """The open segments, oldest first."""
        found = _segments(self.root / "open", "*/*.arrows", lambda path: path.parent.name)
        return sorted(found, key=lambda segment: segment.id)

    def closed_segments(self) -> list[Segment]:
        """The closed segments, oldest first."""
        found = _segments(self.root, "*/date=*/*.parquet", lambda path: path.parent.parent.name)
        return sorted(found, key=lambda segment: segment.id)

    def segments(self) -> tuple[list[Segment], list[Segment]]:
        """Open and closed segments, each row in one of them only.

        Open ones are listed first: one that is closed meanwhile then shows up twice, where
        the closed one wins, and never not at all.
        """
        still_open = self.open_segments()
        closed = self.closed_segments()
        done = {segment.id for segment in closed}
        return [segment for segment in still_open if segment.id not in done], closed

    def remove_unfinished(self) -> None:
        """Removes files a killed writer did not finish. Only for the holder of the lock."""
        for pattern in ("VERSION.*.tmp", "open/*/.*.part", "*/date=*/.*.part"):
            for path in self.root.glob(pattern):
                path.unlink(missing_ok=True)


SYSTEM_ROOT = Path("/var/lib/tidegate")
"""Where root keeps its rows."""


def default_root() -> Path:
    """SYSTEM_ROOT for root, else tidegate in the user's state directory."""
    if os.geteuid() == 0:
        return SYSTEM_ROOT
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "tidegate"


def new_segment_id(now: float) -> str:
    """An ID for a segment opened now (seconds since 1970)."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def write_durably(path: Path, text: str) -> None:
    """Writes a small file so that it is there whole or not at all, after a power cut too."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _segments(root: Path, pattern: str, table_of: Callable[[Path], str]) -> Iterator[Segment]:
    """Plain files whose name says when they were opened: a pipe would be waited for."""
    for path in root.glob(pattern):
        try:
            found = path.stat()
        except FileNotFoundError:  # closed or removed since it was listed
            continue
        segment = Segment(table_of(path), path.stem, path, found.st_size)
        if _ID.fullmatch(path.stem) and stat.S_ISREG(found.st_mode) and _has_date(segment):
            yield segment


def _has_date(segment: Segment) -> bool:
    try:
        return segment.opened > 0
    except ValueError:
        return False


def _refused(root: Path, error: OSError) -> str:
    return f"{root}: {error.strerror or error}; choose another directory with --store"
