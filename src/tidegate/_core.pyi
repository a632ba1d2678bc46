"""The core as Python sees it. Checked against the built module by stubtest."""

from collections.abc import Mapping, Sequence
from typing import final

__version__: str

class CoreError(Exception):
    """Base of every error of the core; its text says what is wrong and what to do."""

class CaptureError(CoreError):
    """A file or interface that cannot be opened, read or written."""

class UsageError(CoreError):
    """A filter, table, column or option that does not exist or does not parse."""

@final
class Batch:
    """Rows of one table; speaks the Arrow PyCapsule protocol."""

    table: str
    num_rows: int
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Rows:
    """A re-readable run of batches with one schema: each `__arrow_c_stream__` starts anew."""

    table: str
    num_rows: int
    def __init__(self, batches: Sequence[Batch]) -> None: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class EngineConfig:
    """Settings of the engine; seconds and bytes, unset ones keep the core's defaults."""

    def __init__(
        self,
        *,
        sensor: str = "",
        max_flows: int | None = None,
        max_stream_buffer: int | None = None,
        max_buffer_total: int | None = None,
        max_fragment_bytes: int | None = None,
        verify_checksums: bool = False,
        interim: float | None = None,
        health: float | None = None,
        packet_table: bool = False,
        excerpt: int = 0,
        timeouts: Mapping[str, float] | None = None,
    ) -> None: ...

@final
class Stats:
    """Counters of a reader or watcher since its start."""

    packets: int
    bytes: int
    first_ts: int | None
    last_ts: int | None
    flows: int
    """Connections open now."""
    dropped_kernel: int
    dropped_queue: int
    dropped_table: int
    duplicates: int
    malformed: dict[str, int]
    warnings: list[str]
    bytes_read: int
    """Bytes of the files read so far, as they lie on disk."""
    bytes_total: int | None
    """Bytes of the files in all, if known."""

@final
class Reader:
    """Capture files (pcap, pcapng, gzip or zstd of either; "-" is standard input), one after the other, as one capture."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        filter: str | None = None,
        tables: Sequence[str] | None = None,
        config: EngineConfig | None = None,
    ) -> None: ...
    def poll(self, timeout: float) -> list[Batch] | None:
        """The next batches, after at most `timeout` seconds of work; None once when all is read."""
    def write_parquet(self, paths: Mapping[str, str], timeout: float) -> dict[str, int] | None:
        """Like poll, but writes each named table's rows to its file inside the core; rows written so far per table, None at the end (files closed, renamed into place)."""
    def stats(self) -> Stats: ...

@final
class Watcher:
    """Live interfaces; capture and engine run on a thread of the core until stop()."""

    def __init__(
        self,
        interfaces: Sequence[str],
        *,
        filter: str | None = None,
        tables: Sequence[str] | None = None,
        config: EngineConfig | None = None,
        snaplen: int = 262144,
        promiscuous: bool = False,
        ring_bytes: int = 64 << 20,
        count: int | None = None,
        record: str | None = None,
        record_bytes: int | None = None,
        record_seconds: float | None = None,
        record_total: int | None = None,
    ) -> None: ...
    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches made since the last call, waiting at most `timeout` seconds; None once after stop() when all is handed over."""
    def stop(self) -> None:
        """Ends the capture; poll() then gives what is left. Safe from any thread and from a signal handler."""
    def interfaces(self) -> list[str]: ...
    def stats(self) -> Stats: ...

@final
class InterfaceInfo:
    """A network interface of this machine."""

    name: str
    index: int
    up: bool
    running: bool
    loopback: bool
    link: str
    """Link type by name; empty where it cannot be captured."""
    addresses: list[str]

@final
class ColumnInfo:
    name: str
    type: str
    nullable: bool
    doc: str

@final
class TableInfo:
    name: str
    doc: str
    columns: list[ColumnInfo]

def interfaces() -> list[InterfaceInfo]: ...
def tables() -> list[TableInfo]: ...
def empty(table: str) -> Rows:
    """No rows, with the table's schema."""

def check_filter(expression: str) -> None:
    """Compiles a BPF expression for Ethernet; raises UsageError with the compiler's words."""

@final
class TextWriter:
    """Arrow rows (any object with `__arrow_c_stream__`) as text: tsv, csv or jsonl."""

    def __init__(self, format: str, *, header: bool = True) -> None: ...
    def write(self, rows: object) -> bytes:
        """The rows as bytes, the header line before the first."""

@final
class ParquetWriter:
    """Arrow rows to one Parquet file: written beside, synced and renamed at close()."""

    def __init__(self, path: str) -> None: ...
    def write(self, rows: object) -> None: ...
    def close(self) -> int:
        """Bytes of the finished file."""

@final
class SegmentWriter:
    """The open segment of a table: an Arrow IPC stream that only grows."""

    def __init__(self, path: str, batch: Batch) -> None:
        """Creates the file with the batch's schema; does not write the batch."""
    def write(self, batch: Batch) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...
    bytes_written: int
    rows_written: int

@final
class SegmentReader:
    """An open or left-over segment up to its last whole batch; each stream reads the file anew, one batch at a time."""

    def __init__(self, path: str) -> None: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def to_parquet(self, path: str) -> int:
        """Rewrites it as Parquet (beside, synced, renamed); rows written."""
