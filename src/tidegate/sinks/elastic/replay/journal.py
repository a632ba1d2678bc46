"""How far a log was sent, remembered over runs: one small file a log and server.

A log is known by its first line, so that it may be renamed, grow, or be compressed meanwhile.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

MOST = 1000
"""Logs that are remembered; the longest untouched goes."""


@dataclass
class Place:
    """Where to go on: bytes of the log without compression."""

    offset: int = 0
    moment: str = ""
    alike: dict[str, int] = field(default_factory=dict)
    """Events of the latest moment, see Recogniser.alike."""


class Journal:
    """Remembers places in a directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, target: str, first: bytes) -> str:
        """The name of a log that begins so, as far as it concerns one target (servers and stream)."""
        return blake2b(target.encode() + b"\n" + first, digest_size=16).hexdigest()

    def find(self, key: str) -> Place:
        """Where an earlier run stopped; the beginning if there was none."""
        try:
            found: Any = json.loads(self._path(key).read_text())
            alike = {str(name): int(count) for name, count in found["alike"].items()}
            return Place(max(int(found["offset"]), 0), str(found["moment"]), alike)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Place()

    def keep(self, key: str, place: Place, log: str) -> None:
        """Remembers a place; raises OSError."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True)
        path = self._path(key)
        beside = path.with_name(f"{key}.{os.getpid()}.tmp")
        beside.write_text(json.dumps(asdict(place) | {"log": log}))
        beside.replace(path)

    def prune(self) -> None:
        """Forgets the longest untouched ones where there are too many."""
        with suppress(OSError):
            known = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in known[: max(len(known) - MOST, 0)]:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"
