"""What types cannot say: names that exist, filters that parse, things that are named once."""

from collections import Counter
from collections.abc import Callable, Iterator

from tidegate.model.config import AlertSettings, Config, LogSettings, RuleSettings
from tidegate.model.config.alerts import DERIVED, FROM_ZERO, METRICS
from tidegate.model.errors import UsageError
from tidegate.model.filter import parse_filter
from tidegate.model.tables import all_tables, check_tables
from tidegate.settings.build import ConfigError, Problem, dotted
from tidegate.settings.check_relay import check_relay
from tidegate.settings.document import Document, Path_

Found = Iterator[tuple[Path_, str]]

BUILT_IN = ("log", "screen")
"""Actions that need no settings."""


def check(config: Config, document: Document) -> None:
    """Raises ConfigError with everything that contradicts itself or names what is not there."""
    found = [*_alerts(config.alerts), *_logs(config.logs), *_watch(config), *check_relay(config.relay)]
    if found:
        raise ConfigError([Problem(document.place(path), f"{dotted(path)}: {text}") for path, text in found])


def _watch(config: Config) -> Found:
    yield from _said(("watch", "tables"), lambda: check_tables(config.watch.tables))


def _alerts(alerts: AlertSettings) -> Found:
    actions = [*BUILT_IN, *(hook.name for hook in alerts.webhooks), *(mail.name for mail in alerts.mails)]
    yield from _twice(("alerts", "rules"), [rule.name for rule in alerts.rules])
    yield from _twice(("alerts",), actions)
    for number, rule in enumerate(alerts.rules):
        yield from _rule(("alerts", "rules", number), rule, actions)


def _rule(path: Path_, rule: RuleSettings, actions: list[str]) -> Found:
    columns = {column.name for table in all_tables() for column in table.columns}
    if rule.metric not in METRICS:
        yield (*path, "metric"), f'there is no metric "{rule.metric}"; there are {", ".join(METRICS)}'
    if rule.threshold is None and rule.metric not in FROM_ZERO:
        yield (*path, "threshold"), "a number is needed"
    for key in (rule.key or "").split(",") if rule.key else ():
        if key.strip() not in columns | set(DERIVED):
            yield (*path, "key"), f'there is no column "{key.strip()}"; see tidegate tables'
    if rule.clear is not None and rule.clear > (rule.threshold or 0):
        yield (*path, "clear"), "an alert cannot be over at a value above the one that raises it"
    if not 1 <= rule.reset_day <= 31:
        yield (*path, "reset_day"), "a day of the month is expected: 1 to 31"
    for action in rule.actions:
        if action not in actions:
            yield (*path, "actions"), f'there is no action "{action}"; there are {", ".join(actions)}'
    yield from _said((*path, "filter"), lambda: parse_filter(rule.filter))


def _logs(logs: tuple[LogSettings, ...]) -> Found:
    yield from _twice(("logs",), [log.name for log in logs])
    for number, log in enumerate(logs):
        path: Path_ = ("logs", number)
        yield from _said((*path, "tables"), lambda log=log: check_tables(log.tables))  # type: ignore[misc]
        yield from _said((*path, "filter"), lambda log=log: parse_filter(log.filter))  # type: ignore[misc]
        there = {
            column.name for table in all_tables() if table.name in log.tables for column in table.columns
        }
        for column in log.columns:
            if column not in there:
                yield (*path, "columns"), f'there is no column "{column}" in {", ".join(log.tables)}'


def _twice(path: Path_, names: list[str]) -> Found:
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f'"{name}" is there {count} times; each needs a name of its own'


def _said(path: Path_, attempt: Callable[[], object]) -> Found:
    try:
        attempt()
    except UsageError as error:
        yield path, str(error)
