"""DuckDB over a store: a view per table, shut off from everything else."""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import BinaryIO, TypeVar

import duckdb

from tidegate.model.errors import TidegateError
from tidegate.model.tables import all_tables
from tidegate.store.layout import Layout, Segment
from tidegate.store.segments import no_rows, read_segment

MEMORY = "512MB"
SPILL = "8GB"
GRACE = 5.0
"""Seconds that DuckDB has to stop when it is interrupted."""

T = TypeVar("T")

_LATEST_CONN = """
    CREATE VIEW conn AS
    SELECT * FROM conn_rows WHERE state = 'closed'
    UNION ALL
    SELECT * FROM (
        SELECT * FROM conn_rows WHERE state <> 'closed'
        QUALIFY row_number() OVER (
            PARTITION BY uid
            ORDER BY last_ts DESC, coalesce(up_packets + down_packets, up_payload + down_payload) DESC
        ) = 1
    ) AS running
    WHERE NOT EXISTS (FROM conn_rows AS over WHERE over.uid = running.uid AND over.state = 'closed')
"""
"""Each connection once: final rows as they are; of the running ones only the last row is ranked."""


# now() as our times are, in UTC without saying so: DuckDB's cannot be compared with them.
_MACROS = """
    CREATE MACRO now() AS make_timestamp_ns(epoch_ns(get_current_timestamp()));
    CREATE MACRO total(x) AS least(coalesce(sum(x), 0), 9223372036854775807)::BIGINT;
    CREATE MACRO several(x) AS (list(DISTINCT x ORDER BY x) FILTER (WHERE x IS NOT NULL))[1:8];
    CREATE MACRO called(name, address) AS coalesce(lower(name), address);
    CREATE MACRO hextets(part) AS
        list_filter(string_split(part, ':'), lambda hextet: hextet != '');
    CREATE MACRO hex_of(part) AS
        array_to_string(list_transform(hextets(part), lambda hextet: lpad(hextet, 4, '0')), '');
    CREATE MACRO address_key(ip) AS CASE WHEN contains(ip, ':')
        THEN '6' || hex_of(split_part(ip, '::', 1))
            || repeat('0000', 8 - len(hextets(replace(ip, '::', ':'))))
            || hex_of(split_part(ip, '::', 2))
        ELSE '4' || array_to_string(list_transform(string_split(ip, '.'),
            lambda octet: printf('%02x', TRY_CAST(octet AS INTEGER))), '') END;
"""
"""A sum that is 0 without rows and always a plain 64-bit number, and a list of different values:
bounded, both, because strangers choose what is in them. What an end is called, or else its address. Text
that sorts as addresses do; see `model/filter.py`."""


class Database:
    """One connection to DuckDB and its directory for what does not fit into memory.

    Raises TidegateError where that cannot be made.
    """

    def __init__(self, memory: str = MEMORY) -> None:
        self.files: list[Path] = []
        """The closed segments its views read."""
        self.held: list[BinaryIO] = []
        """The open segments its views read, so that closing cannot take them away."""
        self._stuck = False
        try:
            self.spill = tempfile.mkdtemp(prefix="tidegate-")
        except OSError as error:
            raise TidegateError(f"no temporary files can be made: {error.strerror}; set TMPDIR") from None
        self.duckdb = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": self.spill,
                "python_enable_replacements": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
            },
        )
        # Given to connect() it is shown, but held by nobody: DuckDB 2.0 wants to be told afterwards.
        self.duckdb.execute(f"SET max_temp_directory_size = '{SPILL}'")
        self.duckdb.execute("SET enable_progress_bar = false")  # it would stand in stdout, whatever that is
        self.duckdb.execute(_MACROS)

    def run(self, work: Callable[[], T], seconds: float | None = None) -> T:
        """What `work` with this connection gives; a signal ends it, and so does the end of its time.

        DuckDB sees no signal while it works in the thread that Python gives them to. Raises TimeoutError.
        """
        outcome: Future[T] = Future()
        worker = Thread(target=_settle, args=(outcome, work), daemon=True)
        worker.start()
        try:
            return outcome.result(seconds)
        except (KeyboardInterrupt, SystemExit, TimeoutError):
            self.duckdb.interrupt()
            worker.join(GRACE)
            self._stuck = worker.is_alive()
            raise

    @property
    def stuck(self) -> bool:
        """Whether it did not stop when it was interrupted: it cannot be asked again."""
        return self._stuck

    def has_moved_on(self) -> bool:
        """Whether a segment was closed or removed since it was listed: then list again."""
        return not all(file.exists() for file in self.files)

    def release(self) -> None:
        """Lets go of the open segments; its views cannot be read any more."""
        while self.held:
            self.held.pop().close()

    def close(self) -> None:
        """Frees memory and disk."""
        self.release()
        if not self._stuck:  # closing would wait for it
            self.duckdb.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def lock_in(self, files: Iterable[Path]) -> None:
        """From here on only these files can be read, nothing written, no setting changed."""
        allowed = ", ".join(_quoted(str(file)) for file in files)
        self.duckdb.execute(f"SET allowed_paths = [{allowed}]")
        self.duckdb.execute("SET enable_external_access = false")
        self.duckdb.execute("SET lock_configuration = true")


def _settle(outcome: Future[T], work: Callable[[], T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        outcome.set_exception(error)


def add_views(database: Database, layout: Layout) -> None:
    """A view per table over the store as it is now, and nothing else."""
    growing = [(segment, _hold(database, segment)) for segment in layout.open_segments()]
    closed = layout.closed_segments()
    done = {segment.id for segment in closed}
    database.files = [segment.path for segment in closed]
    for table in all_tables():
        _add_view(
            database.duckdb,
            table.name,
            [path for segment, path in growing if segment.table == table.name and segment.id not in done],
            [segment.path for segment in closed if segment.table == table.name],
        )
    database.lock_in(database.files)


def _hold(database: Database, segment: Segment) -> Path:
    """A path to the segment that stays good after it is closed and removed, where the system has one.

    Raises FileNotFoundError if it was closed since it was listed.
    """
    database.held.append(segment.path.open("rb"))
    held = Path(f"/proc/self/fd/{database.held[-1].fileno()}")
    return held if held.exists() else segment.path


def one_line(error: Exception) -> str:
    """DuckDB's message without its picture of the place, and without advice that is not for our users."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"more than {MEMORY} of memory or {SPILL} of disk is needed; ask for fewer rows or columns"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    picture = next((at for at, line in enumerate(lines) if line.startswith("LINE ")), len(lines))
    return " ".join(lines[:picture])


def unreadable(root: Path, error: Exception) -> str:
    """What is said of a store of which a segment is damaged."""
    advice = "; move that file elsewhere to ask the rest" if ".parquet" in str(error) else ""
    return f"{root}: {one_line(error)}{advice}"


def _add_view(
    database: duckdb.DuckDBPyConnection, table: str, still_open: list[Path], closed: list[Path]
) -> None:
    """The table's rows wherever they lie; a column that an older segment lacks is NULL there."""
    database.register(f"no_{table}", no_rows(table))
    parts = [f"SELECT * FROM no_{table}"]
    if closed:
        files = ", ".join(_quoted(str(path)) for path in closed)
        parts.append(
            f"SELECT * FROM read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
        )
    for number, path in enumerate(still_open):
        rows = read_segment(path)
        if rows is None:  # the next writer sets it aside, and says so
            continue
        database.register(f"open_{table}_{number}", rows)
        parts.append(f"SELECT * FROM open_{table}_{number}")
    name = "conn_rows" if table == "conn" else table
    database.execute(f"CREATE VIEW {name} AS " + " UNION ALL BY NAME ".join(parts))
    if table == "conn":
        database.execute(_LATEST_CONN)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
