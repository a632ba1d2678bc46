"""Reports put together: which file, which window, which store, and what of the configuration they mind."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tidegate.model.config import Config
from tidegate.model.document import Document
from tidegate.model.errors import TidegateError
from tidegate.model.zone import local_zone
from tidegate.settings import find
from tidegate.sources.live import own_addresses

if TYPE_CHECKING:
    from tidegate.app import Capture, Tick
    from tidegate.reports.definition import Report
    from tidegate.reports.window import Window

TRIAL = 20.0
"""Seconds that the questions of a report have, all together, where they are only tried out."""
FOLDER = "reports"
"""Beside the configuration: a user's own reports."""


@dataclass(frozen=True)
class Wanted:
    """A report as it is asked for."""

    name: str
    store: Path
    window: str = ""
    """In words, see docs/report.md; the one of the report's file unless given."""
    begin: str = ""
    end: str = ""
    """Instead of `window`: "22:00" and "06:00", or dates."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When: it knows its zone."""
    zone: ZoneInfo = field(default_factory=local_zone)
    own: tuple[str, ...] | None = None
    """Addresses of this machine; looked up unless given."""
    compare: bool = True
    captured: bool = False
    """Whether the store holds captures that were read, not a watch that goes on."""
    longest: float | None = None
    """Seconds that all questions have together, unless as long as a report may take."""


@dataclass(frozen=True)
class Spanned:
    """A report over a span of time that somebody else has found: the schedule."""

    name: str
    begin: datetime
    end: datetime
    """Both know their zone, which is the report's."""


def make_spanned(asked: Spanned, root: Path, config: Config, folders: Sequence[Path]) -> Document:
    """The report over that span; raises UsageError, StoreError."""
    from tidegate.reports.files import find_report
    from tidegate.reports.make import Asked, make
    from tidegate.reports.window import spanned

    report, reset_day = _with_quota(find_report(asked.name, folders), config)
    window = spanned(asked.begin, asked.end, report.window, _zone(asked.end), reset_day)
    return make(report, Asked(root, window, own_addresses(), limit=report.limit))


def covers(
    name: str, moment: datetime, config: Config, folders: Sequence[Path]
) -> tuple[datetime, datetime] | None:
    """What a report covers by its own window at this moment, which knows its zone; raises UsageError."""
    from tidegate.reports.files import find_report
    from tidegate.reports.window import made_at

    report, reset_day = _with_quota(find_report(name, folders), config)
    window = made_at(report.window, moment, _zone(moment), reset_day)
    return window.begin, window.end


def _zone(moment: datetime) -> ZoneInfo:
    return moment.tzinfo if isinstance(moment.tzinfo, ZoneInfo) else local_zone()


def make_report(
    wanted: Wanted, config: Config, folders: Sequence[Path], tick: Callable[[str], None] = lambda _: None
) -> Document:
    """The report; raises UsageError for what is asked wrongly, StoreError for a store that cannot be read."""
    from tidegate.reports.files import find_report
    from tidegate.reports.make import Asked, make

    report = find_report(wanted.name, folders)
    report, reset_day = _with_quota(report, config)
    window = _window(wanted, report, reset_day)
    own = wanted.own if wanted.own is not None else own_addresses()
    asked = Asked(
        wanted.store, window, own, wanted.compare, not wanted.captured, report.limit, wanted.longest
    )
    return make(report, asked, tick)


def try_out(name: str, config: Config, folders: Sequence[Path]) -> tuple[str, ...]:
    """What is wrong with the questions of a user's own report: they are asked of a store without rows.

    Raises UsageError for what is wrong with its file, TidegateError where nothing can be tried.
    """
    from tidegate.reports.files import is_own
    from tidegate.store.layout import Layout

    if not is_own(name, folders):  # the tests have tried those
        return ()
    with temporary_store() as root:
        Layout(root).create()
        return make_report(Wanted(name, root, own=(), longest=TRIAL), config, folders).faults


def report_folders(file: Path | None, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where a user's own reports lie: beside the configuration that is used, then where others would be."""
    used = find.find(file, environment)
    files = [*([used] if used else []), *find.places(environment)]
    return list(dict.fromkeys(file.absolute().parent / FOLDER for file in files))


@contextmanager
def store_of(capture: "Capture", tick: "Tick | None" = None) -> Iterator[Path]:
    """A store for a while, of what captures hold."""
    from tidegate.store.layout import Layout

    with temporary_store() as root:
        layout = Layout(root)
        layout.create()
        paths = {
            table: layout.closed_path(table, "20000101T000000000000-00000000") for table in capture.tables
        }
        for path in paths.values():
            path.parent.mkdir(parents=True)
        capture.write_parquet({table: str(path) for table, path in paths.items()}, tick)
        yield root


@contextmanager
def temporary_store() -> Iterator[Path]:
    """A place for a store that goes with its end; another user may find its way into it."""
    try:
        with tempfile.TemporaryDirectory(prefix="tidegate-report-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o711)
            yield Path(folder) / "store"
    except OSError as error:
        where = f"{tempfile.tempdir}: " if tempfile.tempdir else ""  # none was found that can be written
        raise TidegateError(f"{where}{error.strerror or error}; set TMPDIR") from None


def _window(wanted: Wanted, report: "Report", reset_day: int) -> "Window":
    from tidegate.reports.window import between, parse_window

    if wanted.begin or wanted.end:
        return between(wanted.begin or None, wanted.end or None, wanted.now, wanted.zone)
    if wanted.captured and not wanted.window:
        return _spanned(wanted)
    return parse_window(wanted.window or report.window, wanted.now, wanted.zone, reset_day)


def _spanned(wanted: Wanted) -> "Window":
    """From the first to the last row of a capture."""
    from tidegate.queries.sql import ask
    from tidegate.reports.window import whole

    parts = " UNION ALL ".join(
        f"SELECT min(ts) AS first, max({last}) AS last FROM {table}"
        for table, last in (
            ("conn", "last_ts"),
            ("health", "ts"),
            ("icmp", "ts"),
            ("http", "ts"),
            ("relay", "ts"),
        )
    )
    first, last = next(iter(ask(wanted.store, f"SELECT min(first), max(last) FROM ({parts})")))
    if first is None:
        return whole(wanted.now, wanted.now, wanted.zone)
    return whole(first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), wanted.zone)


def _with_quota(report: "Report", config: Config) -> "tuple[Report, int]":
    """The report with the limit, and its reset day, of the configuration's first quota where it has none."""
    from dataclasses import replace

    rule = next((rule for rule in config.alerts.rules if rule.metric == "quota"), None)
    if report.window != "month" or rule is None:
        return report, report.reset_day or 1
    limit = report.limit or int(rule.threshold or 0)
    filter = report.filter or rule.filter
    return replace(report, limit=limit, filter=filter), report.reset_day or rule.reset_day
