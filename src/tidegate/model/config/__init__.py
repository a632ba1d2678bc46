"""Settings, typed once: where they enter, they are checked; from there on they are true."""

from tidegate.model.config.alerts import (
    AlertMailSettings,
    AlertSettings,
    RuleSettings,
    SilenceSettings,
    WebhookSettings,
)
from tidegate.model.config.capture import EngineSettings, RecordSettings, WatchSettings
from tidegate.model.config.elastic import ElasticSettings
from tidegate.model.config.enrich import NameSettings, PlaceSettings, ProgramSettings
from tidegate.model.config.mail import MailSettings
from tidegate.model.config.relay import (
    BackendSettings,
    PortSettings,
    RelayExcerpts,
    RelayLimits,
    RelayServiceSettings,
    RelaySettings,
    RelayTimeouts,
    RouteSettings,
)
from tidegate.model.config.schedule import ReportTimeSettings, ScheduleSettings, WindowSettings
from tidegate.model.config.service import ServiceSettings
from tidegate.model.config.sinks import ExcerptSettings, LogSettings
from tidegate.model.config.store import StoreSettings
from tidegate.model.config.whole import Config

__all__ = [
    "FORMATS",
    "ROW_FORMATS",
    "AlertMailSettings",
    "AlertSettings",
    "BackendSettings",
    "Config",
    "ElasticSettings",
    "EngineSettings",
    "ExcerptSettings",
    "LogSettings",
    "MailSettings",
    "NameSettings",
    "PlaceSettings",
    "PortSettings",
    "ProgramSettings",
    "RecordSettings",
    "RelayExcerpts",
    "RelayLimits",
    "RelayServiceSettings",
    "RelaySettings",
    "RelayTimeouts",
    "ReportTimeSettings",
    "RouteSettings",
    "RuleSettings",
    "ScheduleSettings",
    "ServiceSettings",
    "SilenceSettings",
    "StoreSettings",
    "WatchSettings",
    "WebhookSettings",
    "WindowSettings",
]

FORMATS = ("table", "tsv", "csv", "jsonl", "parquet")
"""The formats any rows can be written in: those of a table, and answers to a question."""

ROW_FORMATS = (*FORMATS, "conmon", "zeek", "eve", "ecs", "autonapt", "cowrie")
"""The formats that rows of tables can be written in by read and watch."""
