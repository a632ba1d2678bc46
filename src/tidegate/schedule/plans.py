"""Settings of the schedule, made true: every mistake with its key."""

import re
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import partial

from tidegate.model.config import ReportTimeSettings, ScheduleSettings, WindowSettings
from tidegate.model.errors import SettingError, keyed, tried
from tidegate.model.text import clip, safe_text
from tidegate.model.zone import find_zone, zone_of
from tidegate.schedule.planner import Plan
from tidegate.schedule.spans import Span, parse_span
from tidegate.schedule.when import parse_when

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def plans(settings: ScheduleSettings) -> list[Plan]:
    """The reports; raises SettingError."""
    zone = _zone(settings)
    found = []
    for number, each in enumerate(settings.reports):
        with keyed("reports", number):
            found.append(_plan(each, zone))
    return found


def windows(settings: ScheduleSettings) -> list[tuple[WindowSettings, Span]]:
    """The recordings, and when they are; raises SettingError."""
    zone = _zone(settings)
    found = []
    for number, each in enumerate(settings.windows):
        with keyed("windows", number):
            found.append((each, _span(each, zone)))
    return found


def mistakes(settings: ScheduleSettings) -> Iterator[SettingError]:
    """Everything that is wrong with them by themselves, with its key."""
    wrong = list(tried(partial(_zone, settings)))
    yield from wrong
    zone = find_zone("UTC") if wrong else _zone(settings)
    for number, each in enumerate(settings.reports):
        yield from tried(partial(_plan, each, zone), "reports", number)
    for number, window in enumerate(settings.windows):
        yield from tried(partial(_span, window, zone), "windows", number)
    yield from _twice("reports", [each.called for each in settings.reports])
    yield from _twice("windows", [each.name for each in settings.windows])


def _twice(group: str, names: Sequence[str]) -> Iterator[SettingError]:
    for number, name in enumerate(names):
        if name in names[:number]:
            text = f'there are two "{clip(safe_text(name), 40)}"; give each a name of its own'
            yield SettingError(text, group, number, "name")


def _zone(settings: ScheduleSettings) -> tzinfo:
    with keyed("zone"):
        return zone_of(settings.zone)


def _plan(each: ReportTimeSettings, zone: tzinfo) -> Plan:
    _check_name(each.report, "report")
    _check_name(each.called, "name")
    with keyed("at"):
        when = parse_when(each.at, zone)
    if each.last is not None and (each.from_ or each.to):
        raise SettingError("give from and to, or last", "last")
    if each.last is not None and each.last < 1:
        raise SettingError("a time above 0 is needed", "last")
    if bool(each.from_) != bool(each.to):
        raise SettingError("from and to go together", "to" if each.from_ else "from")
    span = parse_span(each.from_, each.to, "daily", zone) if each.from_ else None
    return Plan(each.called, each.report, when, span, each)


def _span(window: WindowSettings, zone: tzinfo) -> Span:
    _check_name(window.name, "name")
    if window.total < 1_000_000:
        raise SettingError("1 MB at least", "total")
    return parse_span(window.from_, window.to, window.days, zone)


def _check_name(name: str, key: str) -> None:
    """A name that may stand in a file's name and a Message-ID."""
    if not _NAME.fullmatch(name):
        said = clip(safe_text(name), 40)
        raise SettingError(f'"{said}" is no name: letters, digits, dots, dashes, 64 at most', key)
