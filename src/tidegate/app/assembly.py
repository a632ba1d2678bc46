"""What a configuration asks for, put together: stages that know more of rows, and sinks that keep them."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tidegate.app.losses import Losses
from tidegate.model.config import (
    Config,
    NameSettings,
    PlaceSettings,
    ProgramSettings,
    WatchSettings,
)
from tidegate.model.config.alerts import by_mail
from tidegate.model.config.capture import live
from tidegate.model.config.enrich import TOLD
from tidegate.model.errors import UsageError
from tidegate.model.tables import check_tables, default_tables
from tidegate.pipeline.guard import Guarded
from tidegate.pipeline.pipeline import Stage
from tidegate.sinks import Sink
from tidegate.sinks.store import StoreSink
from tidegate.store.writer import StoreWriter

if TYPE_CHECKING:
    from tidegate.alerts import Alerts, Tellers
    from tidegate.helper.client import Helper


class Counting(Protocol):
    """A sink that may lose rows, and says how many."""

    @property
    def lost(self) -> int:
        """Rows that were lost."""

    @property
    def waiting(self) -> int:
        """What the sink did not get rid of yet."""

    @property
    def lag(self) -> float:
        """Seconds for which something has been waiting."""

    @property
    def trouble(self) -> str:
        """What is wrong now; empty while it works."""


class Assembly:
    """The parts behind a capture. Nothing is open before `stages` and `sinks` are called."""

    def __init__(
        self,
        config: Config,
        root: Path | None,
        helper: "Helper | None" = None,
        programs: Callable[[], Stage] | None = None,
        tellers: "Tellers | None" = None,
        losses: Losses | None = None,
    ) -> None:
        """`config` has passed `check`; `root` is the store, if rows are kept.

        `programs` gives the stage of programs where it is not to be a new one, `tellers` are those
        who are told of alerts where they outlive this configuration, as `losses` are counted on.
        """
        self.config = config
        self.root = root
        self._programs = programs or (lambda: program_stage(config.programs, helper))
        self._tellers = tellers
        self._losses = losses or Losses()
        self._stages: list[Guarded] = []
        self._counting: list[tuple[str, Counting]] = []
        self._store: StoreSink | None = None
        self._alerts: Alerts | None = None

    @property
    def tables(self) -> list[str]:
        """The tables that the capture has to fill."""
        from tidegate.sinks.elastic import sink as elastic
        from tidegate.sinks.log import tables_of

        wanted = check_tables(self.config.watch.tables) or default_tables()
        logged = [table for log in self.config.logs for table in tables_of(log)]
        logged += [table for each in self.config.elastic for table in elastic.tables_of(each)]
        segments = (self.config.logger or {}).get("per") == "segment" or self.config.excerpts.bytes
        return list(dict.fromkeys([*wanted, *logged, *(["packet"] if segments else [])]))

    def stages(self) -> list[Stage]:
        """Programs, places and names, then alerts; one that fails is left out for a while."""
        config = self.config
        self._stages = [
            *([Guarded("programs", self._programs)] if config.programs.method != "none" else []),
            Guarded("places", lambda: place_stage(config.places)),
            Guarded("names", lambda: name_stage(config.names)),
            Guarded("alerts", self._make_alerts),
        ]
        for stage in self._stages:
            self._losses.add(f"failures of {stage.name}", partial(getattr, stage, "failures"))
        return list(self._stages)

    def sinks(self) -> list[Sink]:
        """The store, then logs; if one cannot be opened, none stays open."""
        from tidegate.sinks.log import open_logs

        self._losses.begin()  # the line before is closed: whoever lost rows at its end has counted them
        self._counting = []
        with ExitStack() as opened:
            sinks: list[Sink] = []
            if self.root:
                self._store = open_store(self.config, self.root)
                opened.callback(self._store.close)
                sinks.append(self._store)
            for log in open_logs(self.config.logs):
                opened.callback(log.close)
                self._counting.append((f"log {log.name}", log))
                sinks.append(log)
            for server in self.config.elastic:
                from tidegate.sinks.elastic.sink import ElasticSink, spool_of

                shipped = ElasticSink(server, spool_of(server, self.root))
                opened.callback(shipped.close)
                self._counting.append((f"elastic {server.name}", shipped))
                sinks.append(shipped)
            if self.config.logger:
                from tidegate.sinks.logger import LoggerSink

                logger = LoggerSink(self.config.logger)
                self._counting.append(("logger", logger))
                sinks.append(logger)
            opened.pop_all()
        for name, sink in self._counting:
            self._losses.add(name, partial(getattr, sink, "lost"))
        if self._store:
            self._losses.add("store", partial(getattr, self._store.writer, "lost_rows"))
        return sinks

    @property
    def store(self) -> StoreWriter | None:
        """The store, where it is open."""
        return self._store.writer if self._store else None

    @property
    def stored_lost(self) -> int:
        """Rows that the store did not keep, since the program began."""
        return self._losses.of("store")

    def running_alerts(self) -> "Alerts":
        """The alerts that run now; raises UsageError while they are down."""
        if self._alerts is None:
            raise UsageError("alerts do not run at the moment; see tidegate control status")
        return self._alerts

    def facts(self) -> dict[str, Any]:
        """How the parts stand."""
        stages = [
            {
                "name": stage.name,
                "failures": self._losses.of(f"failures of {stage.name}"),
                "error": stage.error,
                "said": self._said(stage),
            }
            for stage in self._stages
        ]
        sinks = [
            {
                "name": name,
                "lost": self._losses.of(name),
                "waiting": sink.waiting,
                "lag": sink.lag,
                "error": sink.trouble,
                **({"said": sink.said} if hasattr(sink, "said") else {}),
            }
            for name, sink in self._counting
        ]
        alerts = self._alerts.desk.open_alerts() if self._alerts else []
        return {
            "parts": [*stages, *sinks],
            "stored_lost": self.stored_lost,
            "alerts_open": len(alerts),
            "alerts_acknowledged": sum(alert["acknowledged_by"] is not None for alert in alerts),
            "notices": self._alerts.notices() if self._alerts else [],
        }

    def nameless(self) -> str:
        """Why connections may be without a program, in words; empty where nothing is known to be wrong."""
        for stage in self._stages:
            if stage.name == "programs" and stage.stage is None:
                return f"not known: {stage.error}"
            method = getattr(stage.stage, "method", None)
            if stage.name == "programs" and method not in TOLD:
                return f'by {method} only, short connections will be "?"; see tidegate doctor'
        return ""

    def _said(self, stage: Guarded) -> str:
        running = stage.stage
        return str(getattr(running, "said", "working")) if running else ""

    def _make_alerts(self) -> "Alerts":
        from tidegate.alerts import NAME, Alerts

        state = self.root / NAME if self.root else None
        settings = by_mail(self.config.alerts, self.config.mail)
        self._alerts = Alerts(settings, live(self.config.watch).engine.sensor, state, self._tellers)
        return self._alerts


def program_stage(settings: ProgramSettings, helper: "Helper | None" = None) -> Stage:
    """Says which program a connection belongs to; the helper looks where we may not."""
    from tidegate.enrich.process import ProcessStage
    from tidegate.enrich.watch import local_addresses, open_source

    return ProcessStage(helper.records() if helper else open_source(settings), settings, local_addresses)


def place_stage(settings: PlaceSettings) -> Stage:
    """Says where public addresses are; raises UsageError for a database that is named and cannot be used."""
    from tidegate.enrich.place import Places

    return Places(settings)


def name_stage(settings: NameSettings) -> Stage:
    """Names machines of the local network, and by the name server if that is wanted."""
    from tidegate.enrich.names import Names

    return Names(settings)


def open_store(config: Config, root: Path) -> StoreSink:
    """The store as a sink; raises StoreError if another process writes to it.

    A row for each packet is kept only where it was asked for, not because a log needs it.
    """
    packets = "packet" in config.watch.tables or config.excerpts.bytes > 0
    writer = StoreWriter(root, config.store, ages={"packet": config.excerpts.keep_time})
    return StoreSink(writer, () if packets else ("packet",))


def captured(config: Config, tables: Iterable[str]) -> WatchSettings:
    """What is captured: these tables, excerpts as they are kept."""
    engine = replace(config.watch.engine, excerpt=config.excerpts.bytes)
    return replace(config.watch, tables=tuple(tables), engine=engine)
