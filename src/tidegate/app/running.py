"""What `tidegate run` runs: the parts of a configuration, and what can be asked of them."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.alerts import Tellers
from tidegate.alerts import commands as alert_commands
from tidegate.app.assembly import Assembly, captured, program_stage
from tidegate.app.losses import Losses
from tidegate.app.paths import control_path, store_root
from tidegate.app.relay_part import RelayPart, machine
from tidegate.app.timetable import Reports, Timetable, Wanted, wanted
from tidegate.model.config import Config, WatchSettings
from tidegate.model.config.capture import live
from tidegate.model.stats import Counters, Standing, Stats
from tidegate.model.user import user_name
from tidegate.model.zone import zone_of
from tidegate.pipeline.guard import Guarded
from tidegate.pipeline.kept import Once
from tidegate.pipeline.metrics import MetricsServer
from tidegate.pipeline.pipeline import Line
from tidegate.pipeline.service import Parts, Service
from tidegate.pipeline.tally import Tally
from tidegate.relay.commands import commands as relay_commands
from tidegate.relay.copies import Copies
from tidegate.sinks import Sink
from tidegate.sources.live import Live
from tidegate.sources.patient import Patient, Totals
from tidegate.store.writer import StoreWriter

if TYPE_CHECKING:
    from tidegate.helper.client import Helper
    from tidegate.pipeline.control import Command


@dataclass(frozen=True)
class Sums:
    """What there is to say at the end."""

    counters: Counters
    interfaces: list[str]
    seconds: float
    store: StoreWriter | None
    stored_lost: int
    relay_dropped: int


class Running:
    """Everything a configuration asks for, put together: what `tidegate run` runs."""

    def __init__(
        self,
        load: Callable[[], Config],
        reports: Reports,
        file: str = "",
        root: Path | None = None,
        helper: "Helper | None" = None,
    ) -> None:
        """Reads the configuration; raises UsageError if it is wrong.

        `reports` makes those of the schedule, `helper` opens the interfaces, `root` is the store where the
        configuration names none.
        """
        self._load = load
        self.file = file
        self._root = root
        self._helper = helper
        self._parent = os.getppid()
        self._totals = Totals()
        self._source_now: Patient | None = None
        self._began = time.monotonic()
        config = load()
        # One for all configurations: records of programs are told once, and none is to be forgotten.
        self._programs = Once(lambda: program_stage(config.programs, helper))
        self._tellers = Tellers()
        self._losses = Losses()
        self._assembly = Assembly(config, store_root(config, root))
        self.control_path = control_path(config, root)
        self._relay = RelayPart()
        self._opening = threading.Lock()
        self._timetable = Timetable(self._capture, reports)
        self.service = Service(self._parts, lost=self._lost, beside=self._relay)
        self._copies = Copies(lambda: self.service.stopping)
        self.ready: Callable[[], None] = lambda: None
        """Called with the first capture, when everything is open."""
        self.turn: Callable[[], None] = lambda: None
        """Called with each turn of the loop, some four times a second."""
        self.beside: list[Sink] = []
        """Sinks that are fed beside those of the configuration; closed and used again with a reload."""
        self._tally = Tally()
        self._metrics: MetricsServer | None = None
        self._metrics_address = ""
        self._metrics_wanted = config.service.metrics

    def serve_metrics(self) -> None:
        """Begins to serve figures where that is wanted; raises UsageError. `run` ends it."""
        self._serve_metrics(self._metrics_wanted)

    def run(self) -> None:
        """Runs until the service is stopped; raises TidegateError if it cannot even start."""
        try:
            self.service.run()
        finally:
            self._programs.close()
            self._tellers.close()
            self._timetable.close()
            self._serve_metrics("")

    def commands(self) -> "dict[str, Command]":
        """What can be asked for over the control socket."""
        own: dict[str, Command] = {
            "status": self.status,
            "capture": self.service.capture,
            "reload": self._reload,
            "stop": self._stop,
        }
        relay = relay_commands(lambda: self._relay.relay, self._relay.drain)
        return own | relay | alert_commands(lambda: self._assembly.running_alerts())

    def warnings(self) -> list[str]:
        """What the user should know of the capture."""
        own = self._source_now.warnings if self._source_now else []
        return [*own, *self._totals.counters().warnings]

    def status(self) -> dict[str, Any]:
        """How everything stands; also before the parts are there."""
        return {**self._facts(self._assembly), **self.service.status()}

    def sums(self) -> Sums:
        """What was seen and lost since the start."""
        elapsed = time.monotonic() - self._began
        parts = self._assembly
        return Sums(
            self._totals.counters(),
            self._totals.interfaces(),
            elapsed,
            parts.store,
            parts.stored_lost,
            self._tally.relay_dropped,
        )

    def _lost(self) -> str:
        self.turn()
        if os.getppid() != self._parent:  # whoever started us was killed: nobody else would end us
            self.service.stop()
        gone = self._helper.warnings() if self._helper else []
        return f"{gone[0].partition(':')[0]}; a new worker brings a new one" if gone else ""

    def _parts(self) -> Parts:
        config = self._load()
        root = store_root(config, self._root)
        assembly = Assembly(config, root, self._helper, self._programs, self._tellers, self._losses)
        watched = live(captured(config, assembly.tables))
        by_clock = wanted(config, self._root)
        zone = zone_of(config.schedule.zone)
        self._relay.follow(config.relay, machine(config, self._helper, root))
        self._copies.follow(config.relay)
        return Parts(
            watched,
            lambda: self._source(watched, zone),
            lambda: self._line(assembly, by_clock),
            lambda: self._facts(assembly),
        )

    def _source(self, settings: WatchSettings, zone: tzinfo) -> Patient:
        self._source_now = Patient(settings, self._open, zone=zone)
        return self._source_now

    def _open(self, settings: WatchSettings) -> Live:
        live = self._capture(settings)
        self._totals.begin(live)
        return live

    def _capture(self, settings: WatchSettings) -> Live:
        with self._opening:  # one after the other, since the helper's answers come over one connection
            return Live(settings, settings.tables, self._helper.packet_fd if self._helper else None)

    def _line(self, assembly: Assembly, by_clock: Wanted) -> Line:
        self._serve_metrics(assembly.config.service.metrics)
        self._assembly = assembly
        self._timetable.follow(by_clock)
        sinks = assembly.sinks()  # first, since alerts are remembered in the store's directory
        copies = Guarded("relayed copies", lambda: self._copies)
        line = Line([*sinks, self._tally, *self.beside], [copies, *assembly.stages()])
        ready, self.ready = self.ready, lambda: None
        ready()
        return line

    def _serve_metrics(self, address: str) -> None:
        """Serves figures there, or nowhere; raises UsageError, and goes on as before, where it cannot."""
        if address == self._metrics_address:
            return
        made = MetricsServer(address, self.status) if address else None
        if self._metrics:
            self._metrics.close()
        self._metrics, self._metrics_address = made, address
        if made:
            made.start()

    def _facts(self, assembly: Assembly) -> dict[str, Any]:
        stats, standing = self._totals.counters(), self._totals.standing()
        waited = self._source_now.waited(standing.gone) if self._source_now else []
        known = process_facts(assembly, self.file)
        return {
            **known,
            "parts": [*known["parts"], *self._timetable.parts()],
            "reports": self._timetable.reports(),
            "connections_closed": dict(self._tally.connections),
            "alerts_told": [
                {"state": state, "severity": severity, "count": count}
                for (state, severity), count in list(self._tally.alerts.items())
            ],
            **self._relay.facts(),
            **capture_facts(
                stats, standing, waited, self.warnings(), self._helper, self._tally.relay_dropped
            ),
        }

    def _reload(self) -> dict[str, Any]:
        self.service.reload_if_right(self._load)
        return {}

    def _stop(self) -> dict[str, Any]:
        self.service.stop()
        return {}


def process_facts(assembly: Assembly, file: str) -> dict[str, Any]:
    """Who runs, with what, and how its parts stand."""
    return {
        "pid": os.getpid(),
        "user": user_name(),
        "config": file,
        "store": str(assembly.root or "none"),
        **assembly.facts(),
    }


def capture_facts(
    stats: Counters | Stats,
    standing: Standing,
    waited: list[str],
    warnings: list[str],
    helper: "Helper | None",
    relay_dropped: int = 0,
) -> dict[str, Any]:
    """What is watched and waited for now, and what was seen and lost."""
    return {
        "interfaces": list(standing.watched),
        "interfaces_down": list(standing.down),
        "waiting_for": waited,
        "packets": stats.packets,
        "bytes": stats.bytes,
        "flows": stats.flows,
        "connections": stats.connections,
        "dropped": {
            "by the kernel": stats.dropped_kernel,
            "by a full queue": stats.dropped_queue,
            "by a full connection table": stats.dropped_table,
            "by the relay": relay_dropped,
        },
        "warnings": [*warnings, *(helper.warnings() if helper else [])],
    }
