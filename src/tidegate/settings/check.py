"""The whole examination of a document: types, what refers to what, and what the parts themselves say."""

from collections.abc import Callable, Iterable, Sequence

from tidegate.model.config import Config
from tidegate.model.errors import SettingError, tried
from tidegate.model.tables import check_tables
from tidegate.model.text import clip, meant
from tidegate.settings.build import examine
from tidegate.settings.check_relay import check_relay
from tidegate.settings.document import Document
from tidegate.settings.problem import ConfigError, Problem, at, twice

Found = Iterable[SettingError]
Look = Callable[[Config], Found]
"""Says what is wrong with a configuration; the errors' keys are whole paths."""

BUILT_IN = ("log", "screen")
"""Actions that need no settings."""


def checked(document: Document, looks: Sequence[Look] = ()) -> Config:
    """The settings of a document; raises ConfigError with everything that is wrong, in order of lines.

    `looks` say what only the parts know. What follows from another mistake is not told.
    """
    config, problems = examine(document)
    for look in (_names, _references, _relay, *looks):
        for error in look(config):
            if not any(told.covers(error.key) for told in problems):
                problems.append(at(document, error.key, error.text))
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: _order(document, problem)))
    return config


def _order(document: Document, problem: Problem) -> tuple[bool, int]:
    by_variable = any(problem.path[:length] in document.variables for length in range(len(problem.path) + 1))
    return not by_variable, 0 if by_variable else document.line(problem.path) or 0


def _names(config: Config) -> Found:
    """Things that are called the same."""
    alerts = config.alerts
    yield from twice(("alerts", "rules"), [rule.name for rule in alerts.rules])
    taken = [*BUILT_IN, *(hook.name for hook in alerts.webhooks)]
    yield from twice(("alerts", "webhooks"), taken[len(BUILT_IN) :], BUILT_IN)
    yield from twice(("alerts", "mails"), [mail.name for mail in alerts.mails], taken)
    yield from twice(("logs",), [log.name for log in config.logs])
    yield from twice(("elastic",), [server.name for server in config.elastic])


def _relay(config: Config) -> Found:
    return check_relay(config.relay)


def _references(config: Config) -> Found:
    """Names of other things that have to be there."""
    alerts = config.alerts
    actions = [*BUILT_IN, *(hook.name for hook in alerts.webhooks), *(mail.name for mail in alerts.mails)]
    for number, rule in enumerate(alerts.rules):
        for name in rule.actions:
            if name not in actions:
                text = f'there is no action "{clip(name, 40)}"{meant(name, actions)}'
                yield SettingError(text, "alerts", "rules", number, "actions")
    rules = [rule.name for rule in alerts.rules]
    for number, silence in enumerate(alerts.silences):
        if silence.rule and silence.rule not in rules:
            text = f'there is no rule "{clip(silence.rule, 40)}"{meant(silence.rule, rules)}'
            yield SettingError(text, "alerts", "silences", number, "rule")
    yield from tried(lambda: check_tables(config.watch.tables), "watch", "tables")
