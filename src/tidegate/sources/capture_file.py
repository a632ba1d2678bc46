"""Source: capture files, read once from first to last packet."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from tidegate import _core
from tidegate._core import Rows
from tidegate.model.batch import Batch
from tidegate.model.config import EngineSettings
from tidegate.model.errors import from_core
from tidegate.sources.engine import engine_config

__all__ = ["CaptureFile", "Rows", "gather"]


class CaptureFile:
    """Files one after the other as one capture; "-" is standard input."""

    def __init__(
        self,
        paths: Sequence[str],
        filter: str | None,
        tables: Sequence[str],
        settings: EngineSettings,
    ) -> None:
        """Opens the first file; raises CaptureError or UsageError (the filter)."""
        with from_core():
            self._reader = _core.Reader(
                list(paths), filter=filter, tables=list(tables), config=engine_config(settings)
            )

    def poll(self, timeout: float) -> list[Batch] | None:
        """The next batches after at most `timeout` seconds; None when all is read."""
        with from_core():
            batches = self._reader.poll(timeout)
        return None if batches is None else list(batches)

    def write_parquet(self, paths: Mapping[str, str], timeout: float) -> dict[str, int] | None:
        """Like poll, but the rows of each table go to its file; rows so far, None at the end."""
        with from_core():
            return self._reader.write_parquet(paths, timeout)

    def stats(self) -> _core.Stats:
        """The counters so far."""
        return self._reader.stats()

    def stop(self) -> None:
        """A file ends by itself."""

    def __iter__(self) -> Iterator[Batch]:
        while (batches := self.poll(1.0)) is not None:
            yield from batches


def gather(batches: Sequence[Batch], table: str) -> Rows:
    """Batches of one table as one object that can be read again and again."""
    with from_core():
        return Rows([cast(_core.Batch, batch) for batch in batches]) if batches else _core.empty(table)
