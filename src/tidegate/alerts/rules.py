"""A rule, compiled: checked once, then asked for every row."""

import math
import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tidegate.alerts.clock import SECOND
from tidegate.alerts.machine import Limits
from tidegate.alerts.metrics import KINDS, Metric, Novelty
from tidegate.alerts.metrics.metric import joined, key_columns, key_text
from tidegate.model.config import RuleSettings
from tidegate.model.config.alerts import DERIVED, EVERY_RULE
from tidegate.model.errors import SettingError, UsageError, tried
from tidegate.model.filter import Filter, Row, parse_filter
from tidegate.model.tables import find_table
from tidegate.model.text import clip, meant, safe_text
from tidegate.model.units import IN_BYTES, human_amount, human_bytes, parse_size

LONGEST_WINDOW = 31 * 86_400.0
LONGEST_NAME = 100
STATUS_CLASS = DERIVED[0]
PLACES = ("value", "threshold", "size", "limit", "key", "rule", "metric", "window")
"""What a message can put in."""
_UNBOUNDED = re.compile(r"[{}]|\d{3}")


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
        whole = self.settings.threshold or threshold
        share = f"{threshold / whole:.0%} of " if threshold != whole else ""
        values["bound"] = f"{share}{human_bytes(whole)}"
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
    "quota": "{size} of {key} this month, more than {bound}",
}


def compile_rules(settings: Sequence[RuleSettings]) -> list[Rule]:
    """All rules; raises UsageError that names the rule and says what is wrong."""
    rules: list[Rule] = []
    for number, each in enumerate(settings):
        if any(each.name == rule.name for rule in rules):
            raise UsageError(f'alerts: there are two rules "{clip(each.name, 40)}"; give each its own name')
        for error in mistakes(each):
            where = "".join(f"{part}: " for part in error.key)
            raise SettingError(f"{where}{error.text}", of=f'alert rule "{clip(each.name, 40)}"')
        rules.append(_compile(each, number))
    return rules


def mistakes(settings: RuleSettings) -> Iterator[SettingError]:
    """Everything that is wrong with a rule by itself, with its key."""
    if not settings.name.strip() or len(settings.name) > LONGEST_NAME or settings.name == EVERY_RULE:
        text = f'a name is needed, of at most {LONGEST_NAME} characters, and not "{EVERY_RULE}"'
        yield SettingError(text, "name")
    kind = KINDS.get(settings.metric)
    if kind is None:
        yield SettingError(_unlike("metric", settings.metric, KINDS), "metric")
    else:
        yield from _of_columns(settings, kind)
        yield from _of_threshold(settings, kind.threshold)
    for name, least in (("window", 1.0), ("hold", 0.0), ("settle", 0.0), ("learn", 0.0)):
        if not least <= getattr(settings, name) <= LONGEST_WINDOW:
            text = f"a time from {least:g}s to {LONGEST_WINDOW / 86400:g}d is expected"
            yield SettingError(text, name)
    if not 1 <= settings.reset_day <= 31:
        yield SettingError("a day of the month is expected, from 1 to 31", "reset_day")
    if not settings.levels or not all(0 < level <= 100 for level in settings.levels):
        yield SettingError("shares of the threshold are expected, such as 0.8, 0.9, 1.0", "levels")
    yield from tried(lambda: _check_message(settings), "message")


def _of_columns(settings: RuleSettings, kind: type[Metric]) -> Iterator[SettingError]:
    """What the metric's table does not have."""
    there = {column.name for column in find_table(kind.table).columns}
    for name in key_columns(settings.key):
        if name not in there and not (name == STATUS_CLASS and "status" in there):
            near = get_close_matches(name, there, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"see tidegate tables {kind.table}"
            yield SettingError(f'there is no column in {kind.table} "{clip(name, 40)}"; {hint}', "key")
    try:
        found = parse_filter(settings.filter)
    except UsageError as error:
        yield SettingError(str(error), "filter")
        return
    for word in found.words:
        if not there.intersection(word.columns):
            text = f'"{clip(word.text, 40)}" is about columns that table {kind.table} has not'
            yield SettingError(text, "filter")


def _of_threshold(settings: RuleSettings, own: float | None) -> Iterator[SettingError]:
    threshold = own if settings.threshold is None else settings.threshold
    if threshold is None or not (math.isfinite(threshold) and threshold >= 0):
        yield SettingError(f"{settings.metric} needs a threshold: a number from 0, or a size", "threshold")
    elif settings.clear is not None and not (
        math.isfinite(settings.clear) and 0 <= settings.clear <= threshold
    ):
        limit = _exactly(settings.metric, threshold)
        yield SettingError(f"a number from 0 to the threshold, {limit}, is expected", "clear")


def _compile(settings: RuleSettings, number: int) -> Rule:
    """A rule without mistakes."""
    kind = KINDS[settings.metric]
    window = int(settings.window * SECOND)
    metric = kind(settings, number, window)
    there = {column.name for column in find_table(kind.table).columns}
    keys, found = key_columns(settings.key or kind.key), parse_filter(settings.filter)
    columns = {*kind.columns, *found.columns, *keys, "src_ip", "dst_ip"}
    columns |= {"status"} if STATUS_CLASS in keys else set()
    return Rule(
        safe_text(settings.name),
        settings,
        metric,
        found,
        keys,
        frozenset(columns & there),
        _levels(settings, metric.threshold),
        window,
    )


def _levels(settings: RuleSettings, own: float | None) -> tuple[Limits, ...]:
    """What is held against; several for a quota."""
    threshold = (own or 0.0) if settings.threshold is None else settings.threshold
    clear = threshold if settings.clear is None else settings.clear
    if settings.metric != "quota":
        return (Limits(threshold, clear, int(settings.hold * SECOND), int(settings.settle * SECOND)),)
    # A month's total falls once, when the next one begins: then at once.
    return tuple(Limits(threshold * level, threshold * level, 0, 0) for level in sorted(settings.levels))


def _check_message(settings: RuleSettings) -> None:
    """Tries the message once, so that it cannot fail when it matters."""
    try:
        for _, name, form, _ in string.Formatter().parse(settings.message):
            if name is not None and name not in PLACES:
                raise UsageError(_unlike("place in a message", name, PLACES))
            if form and _UNBOUNDED.search(form):  # a stranger may choose the key, and so how wide it is
                raise UsageError(f'"{clip(form, 40)}": a width of 99 at most, and no place within another')
        settings.message.format_map(_values("rule", settings, 1.5, 1.0, "key"))
    except UsageError:
        raise
    except (ValueError, KeyError, IndexError) as error:
        raise UsageError(str(error)) from None


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


def _exactly(metric: str, value: float) -> str:
    """An amount as a size, unless that would round it."""
    text = human_amount(metric, value)
    return text if metric in IN_BYTES and parse_size(text) == value else f"{value:.10g}"


def _class_of(status: int | None) -> str | None:
    return None if status is None else f"{status // 100}xx"


def _unlike(what: str, given: str, known: Iterable[str]) -> str:
    return f'there is no {what} "{clip(given, 40)}"{meant(given, sorted(known))}'
