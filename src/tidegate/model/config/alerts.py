"""Settings of alerts: rules, who is told, and silences that stand in the file."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from tidegate.model.config.mail import MailSettings, Security
from tidegate.model.config.option import DURATION, Written, internal, option, required
from tidegate.model.units import parse_size

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

UNCOUNTED = frozenset({"new_program", "new_place"})
"""Metrics that have no threshold: what they see is new or not."""

FROM_ZERO = UNCOUNTED | {"kernel_drops"}
"""Metrics of which any value is too much, unless the rule says."""

EVERY_RULE = "*"
"""Stands for all rules where one is muted; no rule's name."""

DERIVED = ("status_class",)
"""Keys that are no columns, but made of one."""


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return parse_size(text)


AMOUNT = Written(_amount, "a number or a size: 7000, 64K, 100G")

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class RuleSettings:
    """One rule: what is measured, over how long, and when it is too much."""

    name: str = required("name of the rule; each has its own")
    metric: str = required("what is measured: " + ", ".join(METRICS))
    threshold: Annotated[float, AMOUNT] | None = option(
        None,
        "raised when the value is above this; for quota: bytes a month; 0 unless given for new_program, "
        "new_place and kernel_drops, needed for all others",
    )
    filter: str = option("", 'only rows that match, such as "host:example.org status:>=500"')
    key: str | None = option(
        None,
        "column by whose values is counted apart, such as host, section, src_ip; several with commas; "
        "status_class is 2xx, 4xx and so on; for new_program and new_place: what has to be new",
    )
    window: Annotated[float, DURATION] = option(120.0, "time over which is counted")
    clear: Annotated[float, AMOUNT] | None = option(
        None, "recovers at or below this; the threshold unless given"
    )
    hold: Annotated[float, DURATION] = option(0.0, "how long the value must stay above before it is raised")
    settle: Annotated[float, DURATION] = option(
        10.0, "how long the value must stay at or below clear before it has recovered"
    )
    severity: Severity = option("warning", "info, warning or critical")
    message: str = option(
        "",
        "what is told; {value}, {threshold}, {key}, {rule}, {metric}, {window} are put in; "
        "{size} and {limit} are value and threshold as bytes",
    )
    actions: tuple[str, ...] = option(
        ("log", "screen"), "who is told, by name: log, screen, or a mail or webhook"
    )
    tell_recovery: bool = option(True, "whether they are told that it is over, too")
    learn: Annotated[float, DURATION] = option(
        86400.0, "new_program, new_place: time from the rule's first start in which nothing is new"
    )
    reset_day: int = option(
        1, "quota: day of the month (UTC) on which counting begins anew; the last one of a short month"
    )
    levels: tuple[float, ...] = option(
        (0.8, 0.9, 1.0), "quota: shares of the threshold that each raise an alert"
    )


@dataclass(frozen=True)
class SilenceSettings:
    """What raises no alert: all that is given has to match."""

    rule: str = option("", "only this rule; all unless given")
    key: str = option("", "only alerts of this key")
    source: str = option("", "rows of this opener do not count: an address or a network")
    destination: str = option("", "rows of this called end do not count: an address or a network")


@dataclass(frozen=True)
class WebhookSettings:
    """An action: JSON to a URL."""

    name: str = required("name by which rules call it")
    url: str = required("where alerts are posted, http or https")
    timeout: Annotated[float, DURATION] = option(10.0, "time for one attempt")
    retries: int = option(5, "attempts after the first; each waits twice as long")
    headers: tuple[str, ...] = option(
        (), 'further headers, "Name: value"; ${VARIABLE} is taken from the environment'
    )
    ca_file: str = option("", "PEM file of certificates to trust instead of the system's")


@dataclass(frozen=True)
class AlertMailSettings:
    """An action: a mail."""

    name: str = required("name by which rules call it")
    to: tuple[str, ...] = required("addresses that are written to")
    server: str = option("", "SMTP server and port, if not the one of section mail")
    sender: str = option("", "address it comes from; that of section mail unless given")
    security: Security = option("none", "of this server: none, starttls or tls")
    user: str = option("", "user name at this server; needs starttls or tls")
    password_file: str = option("", "file that holds the password, readable by nobody else")
    timeout: Annotated[float, DURATION] = option(30.0, "time for one attempt")
    retries: int = option(5, "attempts after the first; each waits twice as long")
    ca_file: str = option("", "PEM file of certificates to trust instead of the system's")
    through: MailSettings = internal(MailSettings(), "section mail", instead="mail")


DEFAULT_RULES = (
    RuleSettings(
        name="http-traffic",
        metric="http_messages",
        threshold=7000.0,
        message="High traffic: {value:,.0f} HTTP messages in {window}",
    ),
)
"""What is watched for where nothing is configured: 7,000 HTTP requests and replies in 120 s."""


@dataclass(frozen=True)
class AlertSettings:
    """Alerts."""

    rules: tuple[RuleSettings, ...] = option(DEFAULT_RULES, "what raises alerts, and when they are over")
    webhooks: tuple[WebhookSettings, ...] = option((), "URLs that are told")
    mails: tuple[AlertMailSettings, ...] = option((), "people who are written to")
    silences: tuple[SilenceSettings, ...] = option((), "what raises no alert, for good")
    keys: int = option(10_000, "values of a key that are counted apart, a rule at most")


def by_mail(alerts: AlertSettings, mail: MailSettings) -> AlertSettings:
    """The alerts, their mails by the server of section mail where they name none."""
    return replace(alerts, mails=tuple(replace(each, through=mail) for each in alerts.mails))
