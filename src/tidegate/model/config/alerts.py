"""Settings of alerts: rules, who is told, and silences that stand in the file."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, option, required

METRICS = (
    "http_messages",
    "http_requests",
    "http_replies",
    "packets",
    "bytes",
    "connections",
    "failed_connections",
    "distinct_ports",
    "distinct_hosts",
    "new_program",
    "new_place",
    "kernel_drops",
    "quota",
)
"""What a rule can measure."""

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class RuleSettings:
    """One rule: what is measured, over how long, and when it is too much."""

    name: str = required("name of the rule; each has its own")
    metric: str = required("what is measured: " + ", ".join(METRICS))
    threshold: float = required("raised when the value is above this; for quota: bytes a month")
    filter: str = option("", 'only rows that match, such as "host:example.org status:>=500"')
    key: str | None = option(None, "column by whose values is counted apart, such as host, section, src_ip")
    window: Annotated[float, DURATION] = option(120.0, "time over which is counted")
    clear: float | None = option(None, "recovers at or below this; the threshold unless given")
    hold: Annotated[float, DURATION] = option(0.0, "how long the value must stay above before it is raised")
    severity: Severity = option("warning", "info, warning or critical")
    message: str = option("", "what is told; {value}, {threshold}, {key}, {rule}, {window} are put in")
    actions: tuple[str, ...] = option(
        ("log", "screen"), "who is told, by name: log, screen, or a mail or webhook"
    )
    reset_day: int = option(1, "quota: day of the month on which counting begins anew")
    levels: tuple[float, ...] = option(
        (0.8, 0.9, 1.0), "quota: shares of the threshold that each raise an alert"
    )


@dataclass(frozen=True)
class WebhookSettings:
    """An action: JSON to a URL."""

    name: str = required("name by which rules call it")
    url: str = required("where alerts are posted")
    timeout: Annotated[float, DURATION] = option(10.0, "time for one attempt")
    retries: int = option(5, "attempts after the first; each waits twice as long")
    headers: tuple[str, ...] = option(
        (), 'further headers, "Name: value"; ${VARIABLE} is taken from the environment'
    )


@dataclass(frozen=True)
class MailSettings:
    """An action: a mail."""

    name: str = required("name by which rules call it")
    to: tuple[str, ...] = required("addresses that are written to")
    server: str = option("localhost:25", "SMTP server and port")
    sender: str = option("", "address it comes from; tidegate@ this host unless given")
    security: Literal["none", "starttls", "tls"] = option("none", "none, starttls or tls")
    user: str = option("", "user name at the server")
    password_file: str = option("", "file that holds the password, readable by nobody else")
    retries: int = option(5, "attempts after the first; each waits twice as long")


DEFAULT_RULES = (
    RuleSettings(
        name="http-traffic",
        metric="http_messages",
        threshold=7000.0,
        message="High traffic: {value:.0f} HTTP messages in {window}",
    ),
)
"""What is watched for where nothing is configured: 7,000 HTTP requests and replies in 120 s."""


@dataclass(frozen=True)
class AlertSettings:
    """Alerts."""

    rules: tuple[RuleSettings, ...] = option(DEFAULT_RULES, "what raises alerts, and when they are over")
    webhooks: tuple[WebhookSettings, ...] = option((), "URLs that are told")
    mails: tuple[MailSettings, ...] = option((), "people who are written to")
    keys: int = option(10_000, "values of a key that are counted apart, a rule at most")
