"""The command line of a report: what is asked, and where its rows come from."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import rich_click as click

from tidegate.model.errors import CaptureError, TidegateError, UsageError
from tidegate.model.units import human_duration
from tidegate.model.zone import zone_of

if TYPE_CHECKING:
    from tidegate.app.reporting import Wanted
    from tidegate.model.config import Config

DEFAULT = "overnight"


@dataclass(frozen=True)
class Reporting:
    """The options, as click parsed them."""

    words: tuple[str, ...]
    begin: str
    end: str
    last: str
    day: str
    zone: ZoneInfo | None
    store: Path | None
    files: tuple[str, ...]
    seconds: float | None
    interfaces: tuple[str, ...]
    places: tuple[str, ...]
    own: tuple[str, ...]
    no_compare: bool
    folder: Path | None
    opened: bool
    mailed: bool
    listed: bool
    shown: bool
    config: Path | None

    def __post_init__(self) -> None:
        """Refuses options that make no sense together."""
        if bool(self.begin or self.end) + bool(self.last) + bool(self.day) > 1:
            raise UsageError("--from and --to, --last, --day: a report has one window; give one of them")
        if bool(self.store) + bool(self.files) + bool(self.seconds) > 1:
            raise UsageError("--store, -r, --capture: a report has one place to look; give one of them")
        if self.seconds is not None and (self.window or self.begin or self.end):
            raise UsageError("--capture makes the window itself: leave --from, --to, --last and --day out")
        if self.folder and os.path.lexists(self.folder) and not self.folder.is_dir():
            raise UsageError(f"{self.folder} is a file; -o takes a directory, for page, pictures and tables")
        if self.seconds is not None and self.seconds <= 0:
            raise UsageError("--capture needs a time above 0")
        if self.interfaces and not self.seconds:
            raise UsageError("-i is for what is captured: add --capture TIME")
        if self.places and not (self.files or self.seconds):
            raise UsageError("--place is for captures: add -r FILE")

    @property
    def window(self) -> str:
        """In words, of --last or --day."""
        return f"last {self.last}" if self.last else self.day

    @cached_property
    def folders(self) -> list[Path]:
        """Where a user's own reports lie."""
        from tidegate.app.reporting import report_folders

        return report_folders(self.config)

    @cached_property
    def name(self) -> str:
        """The report: the first word, where it is one or nothing else can be."""
        from tidegate.reports.files import names

        first = self.words[0] if self.words else DEFAULT
        is_report = first in names(self.folders) or first.endswith((".yml", ".yaml"))
        return first if is_report or not (self.files or self.seconds) else DEFAULT

    @property
    def filter(self) -> str | None:
        """The BPF expression: all words but the name. Raises UsageError for one without a capture."""
        rest = self.words[1:] if self.words and self.words[0] == self.name else self.words
        if rest and not (self.files or self.seconds):
            if len(self.words) == len(rest):
                return None
            raise UsageError(
                f'"{" ".join(rest)}": a filter is for captures; of a store, the report\'s file has `filter:`'
            )
        return " ".join(rest) or None

    def overview(self) -> str:
        """Every report with its window, its title and what is in it, a line each."""
        from tidegate.model.text import one_line
        from tidegate.reports.files import find_report, names

        lines = []
        for name in names(self.folders):
            try:
                found = find_report(name, self.folders)
                what = f"{found.title}: {', '.join(section.title for section in found.sections)}"
                lines.append(f"{name:<16}{one_line(found.window, 30):<14}{one_line(what, 200)}")
            except UsageError as error:
                lines.append(f"{name:<16}{one_line(str(error), 100)}")
        return "\n".join(lines)

    def text(self) -> str:
        """The report's file."""
        from tidegate.reports.files import text_of

        return text_of(self.name, self.folders)

    @contextmanager
    def source(self, config: "Config") -> "Iterator[Wanted]":
        """What is asked for, its store made if need be."""
        from tidegate import app
        from tidegate.app import reporting
        from tidegate.cli.closing import warn
        from tidegate.cli.options import capture_stages
        from tidegate.cli.progress import Progress

        expression = self.filter
        if self.files:
            for file in self.files:
                if file != "-" and not Path(file).is_file():
                    raise CaptureError(
                        f"{file}: {'is a directory' if Path(file).is_dir() else 'no such file'}"
                    )
            databases = self.places or config.places.databases
            capture = app.read(self.files, expression, stages=capture_stages(databases, ""))
            capture.check()
            with Progress() as progress, reporting.store_of(capture, progress) as root:
                if capture.stats:
                    warn(capture.stats)
                yield self._wanted(root, config, captured=True)
        elif self.seconds:
            with reporting.temporary_store() as root:
                begin = datetime.now(UTC).isoformat()
                self._capture(root, expression, config)
                end = datetime.now(UTC).isoformat()
                yield replace(self._wanted(root, config, captured=True), begin=begin, end=end)
        else:
            from tidegate.app.paths import store_root

            yield self._wanted(self.store or store_root(config), config, captured=False)

    def _wanted(self, root: Path, config: "Config", captured: bool) -> "Wanted":
        from tidegate.app.reporting import Wanted

        windowed = bool(self.begin or self.end or self.window)
        return Wanted(
            self.name,
            root,
            self.window,
            self.begin,
            self.end,
            own=self.own or None,
            compare=not self.no_compare and (windowed or not captured),
            captured=captured,
            zone=self.zone or zone_of(config.schedule.zone),
        )

    def _capture(self, root: Path, expression: str | None, config: "Config") -> None:
        """Watches into the store for the time; Ctrl-C ends that early. Raises CaptureError."""
        empty = root.with_name("capture.yml")  # else it would write the configured logs a second time
        empty.write_text("{}\n")
        places = self.places or config.places.databases
        words = [
            *(sys.executable, "-m", "tidegate", "watch", "--plain", "--config", str(empty)),
            *("--store", str(root), "--for", f"{self.seconds}s", "--keep-free", "100M"),
            *(word for interface in self.interfaces for word in ("-i", interface)),
            *(word for place in places for word in ("--place", str(place))),
            *(["-f", expression] if expression else []),
        ]
        what = f"capturing for {human_duration(self.seconds or 0)}"
        click.echo(f"tidegate: {what}; Ctrl-C ends it early, the report is of what there is", err=True)
        # The keyboard's signal goes to both: it ends the capture, and the report is made of what there is.
        before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
        try:
            code = _watched(words)
        finally:
            signal.signal(signal.SIGINT, before)
        if not (root / "VERSION").exists():
            raise CaptureError("nothing was captured, see above")
        if code < 0:
            raise TidegateError(f"the capture was ended by signal {-code}")


def _watched(words: list[str]) -> int:
    """Runs the watch and hands on what it says, but where its store lies, which goes with the report."""
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as watch:
        for line in watch.stderr or ():
            if not line.startswith("tidegate: kept in "):
                click.echo(line.replace("sudo tidegate watch", "sudo tidegate report"), err=True, nl=False)
        return watch.wait()
