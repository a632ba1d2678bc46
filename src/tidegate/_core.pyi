"""The core as Python sees it. Checked against the built module by stubtest."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Self, final

__all__ = [
    "Batch",
    "CaptureError",
    "ColumnInfo",
    "CoreError",
    "EngineConfig",
    "InterfaceInfo",
    "InterfaceStats",
    "LineWriter",
    "ParquetWriter",
    "ProcessWatch",
    "Reader",
    "Relay",
    "Rows",
    "SegmentReader",
    "SegmentWriter",
    "SkLookup",
    "Stats",
    "TableInfo",
    "TextPieces",
    "TextWriter",
    "UsageError",
    "Watcher",
    "__version__",
    "check_filter",
    "empty",
    "interfaces",
    "make",
    "relay_check",
    "relay_judge",
    "tables",
]

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

    @property
    def table(self) -> str: ...
    @property
    def num_rows(self) -> int: ...
    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The values of each named column; times are nanoseconds in UTC, None is a missing value."""
    def with_columns(self, changed: Mapping[str, Sequence[Any]]) -> Batch:
        """The same rows with other values in these columns.

        Text may be given as bytes, as a stranger sent them: it is escaped as the core's own columns are.
        """
    def select(self, names: Sequence[str]) -> Batch:
        """The same rows, these columns only, in this order."""
    def keep(self, mask: Sequence[bool]) -> Batch:
        """The rows for which the mask is true."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Rows:
    """A re-readable run of batches with one schema: each `__arrow_c_stream__` starts anew."""

    @property
    def table(self) -> str: ...
    @property
    def num_rows(self) -> int: ...
    def __new__(cls, batches: Sequence[Batch]) -> Self: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class EngineConfig:
    """Settings of the engine; seconds and bytes, unset ones keep the core's defaults."""

    def __new__(
        cls,
        *,
        sensor: str = "",
        max_flows: int | None = None,
        max_stream_buffer: int | None = None,
        max_buffer_total: int | None = None,
        max_fragment_bytes: int | None = None,
        verify_checksums: bool = False,
        interim: float | None = None,
        opened: bool = False,
        health: float | None = None,
        excerpt: int = 0,
        keep_credentials: bool = False,
        redact_query: bool = False,
        timeouts: Mapping[str, float] | None = None,
    ) -> Self: ...

@final
class InterfaceStats:
    """Counters of one interface since the start."""

    @property
    def name(self) -> str: ...
    @property
    def packets(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def dropped(self) -> int:
        """Packets the kernel dropped."""
    @property
    def duplicates(self) -> int:
        """Packets seen on another interface as well, and counted there."""
    @property
    def up(self) -> bool:
        """Watched and switched on; False for files."""
    @property
    def watched(self) -> bool:
        """There and listened to; False for one that is waited for, and for files."""

@final
class Stats:
    """Counters of a reader or watcher since its start."""

    @property
    def packets(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def first_ts(self) -> int | None: ...
    @property
    def last_ts(self) -> int | None: ...
    @property
    def flows(self) -> int:
        """Connections open now."""
    @property
    def connections(self) -> int:
        """Connections seen so far."""
    @property
    def dropped_kernel(self) -> int: ...
    @property
    def dropped_queue(self) -> int: ...
    @property
    def dropped_table(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def by_interface(self) -> list[InterfaceStats]:
        """Each interface ever watched, or that the files name."""
    @property
    def malformed(self) -> dict[str, int]: ...
    @property
    def not_ip(self) -> dict[str, int]: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def bytes_read(self) -> int:
        """Bytes of the files read so far, as they lie on disk."""
    @property
    def bytes_total(self) -> int | None: ...

@final
class Reader:
    """Capture files, one after the other: pcap and pcapng, plain, gzip or zstd; "-" is standard input."""

    def __new__(
        cls,
        paths: Sequence[str],
        *,
        filter: str | None = None,
        tables: Sequence[str] | None = None,
        config: EngineConfig | None = None,
    ) -> Self: ...
    def poll(self, timeout: float) -> list[Batch] | None:
        """The next batches, after at most `timeout` seconds of work; None when all is read.

        A file that fails is told at the end, by a raise after the last rows: the others are read.
        """
    def write_parquet(self, paths: Mapping[str, str], timeout: float) -> dict[str, int] | None:
        """Like poll, but writes each named table's rows to its file inside the core.

        Rows written so far per table; the last counts come when the files are closed and have
        their names, after them None. The tables must be among those the reader was opened with.
        """
    def stats(self) -> Stats: ...

@final
class Watcher:
    """Live interfaces; capture and engine run on a thread of the core until stop()."""

    def __new__(
        cls,
        interfaces: Sequence[str],
        *,
        filter: str | None = None,
        tables: Sequence[str] | None = None,
        config: EngineConfig | None = None,
        snaplen: int = 262_144,
        promiscuous: bool = False,
        ring_bytes: int = 33_554_432,
        count: int | None = None,
        record: str | PathLike[str] | None = None,
        record_bytes: int | None = None,
        record_seconds: float | None = None,
        record_total: int | None = None,
        helper_fd: int | None = None,
    ) -> Self:
        """No interface, or "any", means all that are up, now or later.

        `helper_fd` is a connection to the privileged helper, which then opens packet sockets.
        """
    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches made since the last call, waiting at most `timeout` seconds.

        None after stop() (or `count` packets) when all is handed over. An error of the capture
        is raised after the rows made before it.
        """
    def stop(self) -> None:
        """Ends the capture; poll() then gives what is left. Safe from any thread and from a signal handler."""
    def interfaces(self) -> list[str]:
        """Those watched so far, gone ones included."""
    def stats(self) -> Stats: ...

@final
class Relay:
    """Services that take in connections and carry them to backends; threads of the core do it until stop()."""

    def __new__(cls, plan: object) -> Self:
        """Starts what a `tidegate.relay.plan.Plan` asks for; ports that are taken are in `stats()["waiting"]`."""
    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches of relay, conn, http, tls ... since the last call; None when all is over and handed on."""
    def stats(self) -> dict[str, Any]:
        """Counters since the start: services (by name: connections, total, refused by cause, up, down, today, addresses with their connections,
        last), connections, most, memory (bytes that wait), dropped (rows), files, waiting (ports, with the reason).
        """
    def dropped(self) -> int:
        """Rows of all tables that were dropped because poll() came too late; also in stats()."""
    def connections(self, limit: int) -> list[dict[str, Any]]:
        """Connections as they stand, the oldest first: id, uid, service, client_ip, client_port, server_ip, server_port, backend, remote, rule, protocol, phase,
        up, down, since (nanoseconds UTC), idle (seconds).
        """
    def reload(self, plan: object) -> None:
        """Exchanges the plan; connections go on as they began. The number of threads stays."""
    def reject(self, ip: str) -> bool:
        """Ends the connections of an address and lets none in any more; False if it was rejected already."""
    def release(self, ip: str) -> bool:
        """Takes that back; False if it was not rejected."""
    def rejected(self) -> list[str]: ...
    def kill(self, id: int) -> None:
        """Ends a connection, if it is there."""
    def drain(self, seconds: float | None = None) -> None:
        """Accepts nothing more, gives connections so long (the plan's `drain`) to end, then stops."""
    def stop(self) -> None:
        """Ends all connections and the threads; poll() then gives what is left. Safe from any thread."""
    def adopt(self, service: str, fd: int) -> int:
        """Gives a connection that the caller has accepted to a service; its number. The descriptor is copied."""

@final
class ProcessWatch:
    """Programs and the sockets they open, on Linux; a thread of the core hears the kernel until stop().

    Records are flat tuples of numbers, text and None, so that they travel as JSON unchanged. Times are
    nanoseconds UTC. A program's record comes before the first record that names it.

    - `("program", id, pid, started, parent_pid, parent, uid, name, path, cmdline, cgroup)`: one process
      from one exec or fork to the next; `id` names it within this watch. The same id again: this holds now.
    - `("socket", ts, action, method, proto, local_ip, local_port, remote_ip, remote_port, program, uid)`:
      `action` is connect, accept, send, listen, hold (found, not told) or close; `program` an id, 0 where it
      is not known; `local_ip` is `0.0.0.0`, `::` or `*` (both families) where it takes any; `remote_ip` is
      None and `remote_port` 0 where there is no other end.
    - `("gone", ts, program)`: it ended.
    - `("lost", ts, events)`: so many events were lost before this.
    """

    def __new__(cls, methods: Sequence[str] | None = None) -> Self:
        """Opens the best of these methods (of all: bpf, tracepoint, connector, sock_diag, scan) that works.

        The network namespace that counts is the calling thread's. What was there before is told first.
        Raises UsageError where none works, with what the system said.
        """
    def poll(self, timeout: float) -> list[tuple[Any, ...]] | None:
        """Records told since the last call, waiting at most `timeout` seconds; None after stop()."""
    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[tuple[Any, ...]]:
        """Records of all who hold the socket with these ends now, or listen for them; from any thread."""
    @property
    def method(self) -> str: ...
    @property
    def refused(self) -> list[tuple[str, str]]:
        """Better methods that do not work here, and what the system said."""
    @property
    def stats(self) -> dict[str, int]:
        """Counters: events, lost, dropped, foreign, unsure, evicted, programs, lookups, scans."""
    def stop(self) -> None:
        """Ends the thread; poll() then gives what is left. Safe from any thread."""

@final
class InterfaceInfo:
    """A network interface of this machine."""

    @property
    def name(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def up(self) -> bool: ...
    @property
    def running(self) -> bool: ...
    @property
    def loopback(self) -> bool: ...
    @property
    def link(self) -> str:
        """Link type by name; empty where it cannot be captured."""
    @property
    def addresses(self) -> list[str]: ...

@final
class ColumnInfo:
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def nullable(self) -> bool: ...
    @property
    def doc(self) -> str: ...

@final
class TableInfo:
    @property
    def name(self) -> str: ...
    @property
    def doc(self) -> str: ...
    @property
    def columns(self) -> list[ColumnInfo]: ...

def interfaces() -> list[InterfaceInfo]: ...
def tables() -> list[TableInfo]: ...
def empty(table: str) -> Rows:
    """No rows, with the table's schema."""

def make(table: str, columns: Mapping[str, Sequence[Any]]) -> Batch:
    """Rows of a table: a list of values for each column, missing where none is given."""

def check_filter(expression: str) -> None:
    """Compiles a BPF expression for Ethernet; raises UsageError with the compiler's words."""

@final
class TextWriter:
    """Arrow rows (any object with `__arrow_c_stream__`) as text: tsv, csv or jsonl."""

    def __new__(cls, format: str, *, header: bool = True) -> Self: ...
    def write(self, rows: object) -> bytes:
        """The rows as bytes, the header line before the first."""
    def pieces(self, rows: object) -> TextPieces:
        """The same in pieces of about a megabyte, made as they are asked for."""

@final
class LineWriter:
    """Rows of one table as lines of JSON, as a layout (`tidegate.sinks.layout.Layout`) has them."""

    def __new__(cls, layout: object) -> Self:
        """Raises UsageError for keys that cannot stand beside each other."""
    def write(self, rows: object) -> bytes:
        """A line for each row that the layout does not leave out; raises UsageError for a missing column."""

@final
class SkLookup:
    """Steers new TCP connections to any of many ports to one listening socket, by a BPF program of the kernel."""

    def __new__(
        cls, ip: str, ports: Sequence[tuple[int, int]], listener: int, spared: Sequence[tuple[str, int]]
    ) -> Self:
        """From now on, in the caller's network namespace.

        `ip` is the address connected to, 0.0.0.0 and :: for all; `ports` are (first, last); `listener` is the descriptor
        of a socket of the same family that listens; `spared` addresses and ports are left alone.
        Raises CoreError, with the reason and what to do, where the kernel or missing rights do not allow it.
        """
    def close(self) -> None:
        """Ends it; so does the end of the process."""

@final
class TextPieces:
    """Text made piece by piece."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class ParquetWriter:
    """Arrow rows to one Parquet file: written as `.NAME.part` beside, synced and renamed at close()."""

    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    def write(self, rows: object) -> None: ...
    def close(self) -> int:
        """Bytes of the finished file; 0 and no file if nothing was written, not even an empty stream."""

@final
class SegmentWriter:
    """The open segment of a table: an Arrow IPC stream that only grows."""

    def __new__(cls, path: str | PathLike[str], batch: Batch) -> Self:
        """Creates the file with the batch's schema; does not write the batch."""
    def write(self, batch: Batch) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...
    @property
    def bytes_written(self) -> int: ...
    @property
    def rows_written(self) -> int: ...

@final
class SegmentReader:
    """An open or left-over segment up to its last whole batch; each stream reads it anew, a batch at a time."""

    @property
    def readable(self) -> bool:
        """False where the file is empty or its schema torn: then it has no columns and no rows."""
    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def to_parquet(self, path: str | PathLike[str]) -> int:
        """Rewrites it as Parquet (beside, synced, renamed); rows written, 0 and no file if there are none."""

def relay_check(service: object) -> list[tuple[str | None, str, bool, str]]:
    """What is wrong with the rules of a service (`tidegate.relay.plan.Service`): of each the rule (None: the service itself),
    the kind, whether it keeps the service from starting, and what is wrong in a line.

    Kinds: wrong, backend, unreachable, duplicate, conflict, never, empty, waits, refusal.
    """

def relay_judge(
    service: object, first_bytes: bytes, source: str, port: int, over: bool, country: str | None = None
) -> tuple[str | None, str | None, str | None, str] | None:
    """Where a client that said this goes: backend (None: refused), rule (None: none holds), protocol, refusal.

    None: more bytes are waited for, unless `over` says that none come. `port` is the one the client called.
    """
