"""The whole configuration: what a file can say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.model.config.alerts import AlertSettings
from tidegate.model.config.capture import WatchSettings
from tidegate.model.config.elastic import ElasticSettings
from tidegate.model.config.enrich import NameSettings, PlaceSettings, ProgramSettings
from tidegate.model.config.mail import MailSettings
from tidegate.model.config.option import option
from tidegate.model.config.relay import RelaySettings
from tidegate.model.config.schedule import ScheduleSettings
from tidegate.model.config.service import ServiceSettings
from tidegate.model.config.sinks import ExcerptSettings, LogSettings
from tidegate.model.config.store import StoreSettings


@dataclass(frozen=True)
class Config:
    """Everything that can be set."""

    watch: WatchSettings = option(WatchSettings(), "what is captured, and how")
    store: StoreSettings = option(StoreSettings(), "where rows are kept, and how long")
    programs: ProgramSettings = option(ProgramSettings(), "programs of connections")
    places: PlaceSettings = option(PlaceSettings(), "countries, cities and networks of public addresses")
    names: NameSettings = option(NameSettings(), "names of addresses")
    alerts: AlertSettings = option(AlertSettings(), "what raises an alert, and who is told")
    logs: tuple[LogSettings, ...] = option((), "files of rows, in the format of your choice")
    elastic: tuple[ElasticSettings, ...] = option((), "Elasticsearch and OpenSearch servers that get rows")
    excerpts: ExcerptSettings = option(ExcerptSettings(), "payload as text; none unless asked for")
    logger: Mapping[str, Any] | None = option(None, "Python's logging.config.dictConfig: rows as log records")
    relay: RelaySettings = option(RelaySettings(), "ports that are relayed to others, and by which rules")
    mail: MailSettings = option(MailSettings(), "how mail is sent, and to whom reports go")
    schedule: ScheduleSettings = option(ScheduleSettings(), "what is done at which time")
    service: ServiceSettings = option(ServiceSettings(), "how a running Tidegate is reached and runs")
