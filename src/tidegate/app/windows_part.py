"""Recordings of `tidegate run` at certain times of day: captures of their own, in one thread."""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate.model.config import EngineSettings, RecordSettings, WatchSettings, WindowSettings
from tidegate.model.durable import make_folder
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import safe_text
from tidegate.model.units import counted, human_bytes, human_count
from tidegate.model.zone import told
from tidegate.pipeline.backoff import Backoff
from tidegate.pipeline.supervisor import POLL
from tidegate.schedule.spans import Interval, Span, in_utc
from tidegate.sources.patient import Capture, Patient, Totals

LAST_WAIT = 10.0
"""Seconds a recording has to write what it still holds."""
FLOWS = 4096
"""Connections that are followed at once: nobody reads rows of them."""
TIDY = 60.0
"""Seconds between two looks at how much has been recorded."""

Open = Callable[[WatchSettings], Capture]

_log = logging.getLogger("tidegate.schedule")


_MISSING = "recording: "
"""How the core begins to say that packets are missing in a file, as on a full disk."""


@dataclass(frozen=True)
class Window:
    """What is recorded, when and where."""

    settings: WindowSettings
    span: Span
    folder: Path


@dataclass
class Recording:
    """One window, and what runs for it now."""

    window: Window
    interval: Interval | None = None
    """The span that is being recorded."""
    source: Patient | None = None
    totals: Totals = field(default_factory=Totals)
    backoff: Backoff = field(default_factory=Backoff)
    error: str = ""
    failures: int = 0
    tidied: float = float("-inf")
    opened: float = float("inf")
    """When its capture was, which has a file from then on."""
    missing: str = ""
    """That packets could not be written to its file, and how many."""
    missed: float = 0.0
    """When that was so last."""

    @property
    def name(self) -> str:
        """As in the configuration."""
        return self.window.settings.name


class Windows:
    """Works from start() to close(), on its thread tidegate-windows."""

    def __init__(
        self,
        open: Open,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL,
    ) -> None:
        """`open` gives a capture; it may be called from our thread."""
        self._open = open
        self._wall = wall
        self._clock = clock
        self._poll = poll
        self._changed = threading.Condition()
        self._wanted: tuple[Window, ...] = ()
        self._recordings: list[Recording] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="tidegate-windows")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def follow(self, windows: Sequence[Window]) -> None:
        """Records these from now on; what is being recorded and stays as it was goes on."""
        with self._changed:
            self._wanted = tuple(windows)
            self._changed.notify()

    def close(self) -> None:
        """Ends all recordings; what they hold is written."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident:
            self._thread.join()

    def facts(self) -> list[dict[str, Any]]:
        """How each stands, as parts of a running Tidegate."""
        return [
            {
                "name": f"window {each.name}",
                "error": each.error,
                "failures": each.failures,
                "said": self._said(each),
            }
            for each in list(self._recordings)
        ]

    def step(self) -> None:
        """One look at clock and captures."""
        self._exchange()
        now = in_utc(self._wall())
        for each in self._recordings:
            current = each.window.span.current(now)
            if each.source and (current is None or current != each.interval):
                self._end(each)
            if current and each.source is None and each.backoff.is_due(self._clock()):
                self._begin(each, current, now)
            if each.source:
                self._hear(each)
            if each.source and self._clock() - each.tidied >= TIDY:
                each.tidied = self._clock()
                self._tidy(each.window)
                self._look_for_file(each)

    def end(self) -> None:
        """Ends what is being recorded."""
        for each in self._recordings:
            self._end(each)

    def _exchange(self) -> None:
        wanted = self._wanted
        if [each.window for each in self._recordings] == list(wanted):
            return
        known = {each.window: each for each in self._recordings}
        for window, each in known.items():
            if window not in wanted:
                self._end(each)
        self._recordings = [known.get(window) or Recording(window) for window in wanted]

    def _begin(self, each: Recording, interval: Interval, now: datetime) -> None:
        window = each.window
        each.opened = float("inf")
        each.backoff.start(self._clock())
        try:
            make_folder(window.folder, 0o750)
            self._tidy(window)
            each.source = Patient(
                _capture(window, now), lambda settings: self._counted(each, settings), zone=window.span.zone
            )
        except (TidegateError, OSError) as error:
            self._failed(each, str(error))
            return
        each.interval = interval
        each.error = each.missing = ""
        _log.info("window %s: recording to %s", each.name, safe_text(str(window.folder)))

    def _counted(self, each: Recording, settings: WatchSettings) -> Capture:
        capture = self._open(settings)
        each.totals.begin(capture)
        each.opened = self._clock()
        return capture

    def _hear(self, each: Recording) -> None:
        """Its rows are those of the running capture, where that sees the packets: here they are let go."""
        try:
            batches = each.source.poll(0) if each.source else []
        except TidegateError as error:
            self._failed(each, str(error))
            return
        if batches is None:
            self._failed(each, "the capture ended")
            return
        self._look_for_missing(each)

    def _look_for_missing(self, each: Recording) -> None:
        """Says of a disk that is full; the core tries it with every packet, so that it goes on by itself."""
        missing = next((said for said in each.totals.warnings() if said.startswith(_MISSING)), "")
        missing = safe_text(missing.removeprefix(_MISSING))
        if missing != each.missing:
            if not each.missing:
                each.failures += 1
                _log.warning("window %s: %s", each.name, missing)
            each.missing = each.error = missing
            each.missed = self._clock()
        elif missing and each.error == missing and self._clock() - each.missed >= TIDY:
            each.error = ""  # no more are missing since; `said` goes on saying those

    def _look_for_file(self, each: Recording) -> None:
        """Begins anew where somebody has removed the file, or its folder: what is written then is lost."""
        if self._clock() - each.opened >= TIDY and not files_of(each.window):
            self._end(each)
            self._failed(each, f"{each.window.folder}: its file is gone, and what was in it")

    def _failed(self, each: Recording, reason: str) -> None:
        each.source = None
        each.error = safe_text(reason)
        each.failures += 1
        delay = each.backoff.fail(self._clock())
        _log.warning("window %s: failed; next try in %.0f s: %s", each.name, delay, each.error)

    def _end(self, each: Recording) -> None:
        source, each.source, each.interval = each.source, None, None
        if source is None:
            return
        source.stop()
        ends = self._clock() + LAST_WAIT
        try:
            while source.poll(self._poll) is not None and self._clock() < ends:
                continue
        except TidegateError as error:
            each.error = safe_text(str(error))
        self._tidy(each.window)
        _log.info("window %s: ended; %s", each.name, self._said(each))

    def _said(self, each: Recording) -> str:
        counters = each.totals.counters()
        dropped = counters.dropped_kernel
        lost = f", {human_count(dropped)} dropped by the kernel" if dropped else ""
        lost += f"; {each.missing}" if each.missing else ""
        what = f"{counted(counters.packets, 'packet')}{lost}, {human_bytes(_size(each.window))} in all"
        if each.source and each.source.missing:
            return f"waiting for {', '.join(map(safe_text, each.source.missing))}; {what}"
        if each.interval:
            return f"recording until {told(each.interval.end, each.window.span.zone)}; {what}"
        coming = each.window.span.next(in_utc(self._wall()))
        return f"next at {told(coming.begin, each.window.span.zone)}; {what}"

    def _tidy(self, window: Window) -> None:
        """The oldest files go until all are within `total`; the newest stays."""
        files = files_of(window)
        size = sum(bytes for _, bytes in files)
        for path, bytes in files[:-1]:
            if size <= window.settings.total:
                return
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _log.warning("window %s: %s: %s", window.settings.name, safe_text(str(path)), error.strerror)
                return
            size -= bytes

    def _work(self) -> None:
        while not self._stopping:
            self.step()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, self._poll)
        self.end()


def window_of(settings: WindowSettings, span: Span, root: Path) -> Window:
    """A window, its files in the store where no folder is named."""
    return Window(settings, span, Path(settings.folder) if settings.folder else root / "recordings")


def _capture(window: Window, now: datetime) -> WatchSettings:
    settings = window.settings
    shown = now.astimezone(window.span.zone)
    path = window.folder / f"{settings.name}-{shown:%Y%m%d-%H%M%S}.pcapng"
    if "\0" in str(path):
        raise UsageError("a folder without zero bytes is needed")
    return WatchSettings(
        interfaces=settings.interface,
        filter=settings.filter or None,
        tables=("health",),
        promiscuous=settings.promiscuous,
        record=RecordSettings(str(path), total=settings.total),
        engine=EngineSettings(health=60.0, max_flows=FLOWS),
    )


def files_of(window: Window) -> list[tuple[Path, int]]:
    """Its files with their sizes, the oldest first: their names tell. None where nobody can look."""
    ours = re.compile(re.escape(window.settings.name) + r"-\d{8}-\d{6}(_\d+)?\.pcapng")
    found = []
    try:
        paths = sorted(window.folder.glob("*.pcapng"))
    except OSError:  # its disk was taken out, or it goes just now
        return []
    for path in paths:
        if not ours.fullmatch(path.name):
            continue
        try:
            found.append((path, path.stat().st_size))
        except OSError:  # gone meanwhile
            continue
    return found


def _size(window: Window) -> int:
    return sum(size for _, size in files_of(window))
