"""A rule, compiled: checked once, then asked for every row."""

import math
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tidegate.alerts.clock import SECOND
from tidegate.alerts.ledger import EVERY_RULE
from tidegate.alerts.machine import Limits
from tidegate.alerts.metrics import KINDS, Metric, Novelty
from tidegate.alerts.metrics.metric import joined, key_columns, key_text
from tidegate.model.config import RuleSettings
from tidegate.model.config.alerts import DERIVED
from tidegate.model.errors import UsageError
from tidegate.model.filter import Filter, Row, parse_filter
from tidegate.model.tables import find_table
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes

LONGEST_WINDOW = 31 * 86_400.0
LONGEST_NAME = 100
STATUS_CLASS = DERIVED[0]
PLACES = ("value", "threshold", "size", "limit", "key", "rule", "metric", "window")
"""What a message can put in."""


@dataclass(frozen=True)
class Rule:
    """One rule."""

    name: str
    settings: RuleSettings
    metric: Metric
    filter: Filter
    keys: tuple[str, ...]
    columns: frozenset[str]
    """Every column that is looked at."""
    levels: tuple[Limits, ...]
    window: int

    @property
    def table(self) -> str:
        """Where its rows come from."""
        return self.metric.table

    @property
    def keyed(self) -> bool:
        """Whether it counts by keys."""
        return bool(self.keys) or isinstance(self.metric, Novelty)

    def key_of(self, row: Row) -> tuple[bool, str | None]:
        """Whether the row has a key, or needs none, and the key."""
        if not self.keys or isinstance(self.metric, Novelty):
            return True, None
        values = [_class_of(row["status"]) if name == STATUS_CLASS else row[name] for name in self.keys]
        key = joined(values)
        return (False, None) if key is None else (True, key_text(key))

    def message(self, value: float, threshold: float, key: str | None) -> str:
        """What is told when it is raised."""
        values = _values(self.name, self.settings, value, threshold, key)
        return safe_text(self.template.format_map(values))

    @property
    def template(self) -> str:
        """The words of the message."""
        if self.settings.message:
            return self.settings.message
        of = " of {key}" if self.keyed else ""
        return _WORDS.get(self.settings.metric, _WORDS["others"]).replace(" of {key}", of)


_WORDS = {
    "others": "{metric} of {key}: {value:,.10g} in {window}, more than {threshold:,.10g}",
    "bytes": "{size} of {key} in {window}, more than {limit}",
    "new_program": "new program: {key}",
    "new_place": "new place: {key}",
    "kernel_drops": "the kernel dropped {value:,.0f} packets of {key} in {window}",
    "quota": "{size} of {key} this month, more than {limit}",
}


def compile_rules(settings: Sequence[RuleSettings]) -> list[Rule]:
    """All rules; raises UsageError that names the rule and says what is wrong."""
    rules: list[Rule] = []
    for number, each in enumerate(settings):
        if any(each.name == rule.name for rule in rules):
            raise UsageError(f'alerts: there are two rules "{clip(each.name, 40)}"; give each its own name')
        try:
            rules.append(_compile(each, number))
        except UsageError as error:
            raise UsageError(f'alert rule "{clip(each.name, 40)}": {error}') from None
    return rules


def _compile(settings: RuleSettings, number: int) -> Rule:
    if not settings.name.strip() or len(settings.name) > LONGEST_NAME or settings.name == EVERY_RULE:
        raise UsageError(f'a name is needed, of at most {LONGEST_NAME} characters, and not "{EVERY_RULE}"')
    kind = KINDS.get(settings.metric)
    if kind is None:
        raise UsageError(_unlike("metric", settings.metric, KINDS))
    window = _nanoseconds("window", settings.window, 1.0)
    metric = kind(settings, number, window)
    there = {column.name for column in find_table(kind.table).columns}
    keys = key_columns(settings.key or kind.key)
    for name in keys:
        if name not in there and not (name == STATUS_CLASS and "status" in there):
            raise UsageError(_unlike(f"column in {kind.table} for key", name, there))
    found = parse_filter(settings.filter)
    for word in found.words:
        if not there.intersection(word.columns):
            raise UsageError(f'filter: "{clip(word.text, 40)}" is about columns that {kind.table} has not')
    columns = {*kind.columns, *found.columns, *keys, "src_ip", "dst_ip"}
    columns |= {"status"} if STATUS_CLASS in keys else set()
    rule = Rule(
        safe_text(settings.name),
        settings,
        metric,
        found,
        keys,
        frozenset(columns & there),
        _levels(settings, metric),
        window,
    )
    _check_message(rule)
    return rule


def _levels(settings: RuleSettings, metric: Metric) -> tuple[Limits, ...]:
    """What is held against; several for a quota."""
    threshold = metric.threshold if settings.threshold is None else settings.threshold
    if threshold is None or not (math.isfinite(threshold) and threshold >= 0):
        raise UsageError("a threshold is needed: a number from 0")
    clear = threshold if settings.clear is None else settings.clear
    if not (math.isfinite(clear) and 0 <= clear <= threshold):
        raise UsageError("clear: a number from 0 to the threshold")
    hold = _nanoseconds("hold", settings.hold, 0.0)
    settle = _nanoseconds("settle", settings.settle, 0.0)
    _nanoseconds("learn", settings.learn, 0.0)
    if settings.metric != "quota":
        return (Limits(threshold, clear, hold, settle),)
    if not 1 <= settings.reset_day <= 31:
        raise UsageError("reset_day: a day from 1 to 31")
    if not settings.levels or not all(0 < level <= 100 for level in settings.levels):
        raise UsageError("levels: shares of the threshold, such as 0.8, 0.9, 1.0")
    # A month's total falls once, when the next one begins: then at once.
    return tuple(Limits(threshold * level, threshold * level, 0, 0) for level in sorted(settings.levels))


def _nanoseconds(name: str, seconds: float, least: float) -> int:
    if not least <= seconds <= LONGEST_WINDOW:
        raise UsageError(f"{name}: a time from {least:g}s to {LONGEST_WINDOW / 86400:g}d")
    return int(seconds * SECOND)


def _check_message(rule: Rule) -> None:
    """Tries the message once, so that it cannot fail when it matters."""
    try:
        for _, name, _, _ in string.Formatter().parse(rule.template):
            if name is not None and name not in PLACES:
                raise UsageError(_unlike("place in a message", name, PLACES))
        rule.message(1.5, 1.0, "key")
    except (ValueError, KeyError, IndexError) as error:
        raise UsageError(f"message: {error}") from None


def _values(
    name: str, settings: RuleSettings, value: float, threshold: float, key: str | None
) -> dict[str, str | float]:
    return {
        "value": value,
        "threshold": threshold,
        "size": human_bytes(value),
        "limit": human_bytes(threshold),
        "key": key or "",
        "rule": name,
        "metric": settings.metric,
        "window": _span(settings.window),
    }


def _span(seconds: float) -> str:
    """As it is written in the configuration: 90s, 2m, 1h, 7d."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


def _class_of(status: int | None) -> str | None:
    return None if status is None else f"{status // 100}xx"


def _unlike(what: str, given: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(given, names, 1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(sorted(names))}"
    return f'there is no {what} "{clip(given, 40)}"{hint}'
