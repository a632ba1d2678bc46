"""What people did about alerts, here or elsewhere, and how near rules are: as the alerts' desk tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.model.config.alerts import EVERY_RULE, UNCOUNTED
from tidegate.model.text import clip

LONGEST = 512
LATEST = 1 << 62
"""Nanoseconds UTC in 2116: a time that can be written down."""
MOST = 1000
"""Of each kind; the desk has no more."""


@dataclass(frozen=True)
class Quiet:
    """A mute or a silence."""

    kind: str
    """muted (nobody is told) or silenced (nothing is raised)."""
    rule: str | None = None
    """None: any rule."""
    key: str | None = None
    source: str | None = None
    destination: str | None = None
    until: int | None = None
    """Nanoseconds UTC; None: for good."""
    by: str = ""
    silence_id: str = ""

    def __contains__(self, name: str) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        """As a row of alerts, for filters."""
        return {"rule": self.rule, "key": self.key, "state": self.kind}.get(name)

    def covers(self, rule: str, key: str | None) -> bool:
        """Whether all alerts of this rule and key are meant, wherever their traffic is from."""
        if self.source or self.destination:
            return False
        return self.rule in (None, rule) and self.key in (None, key)

    @property
    def whom(self) -> str:
        """Whose alerts are meant."""
        parts = {"rule": self.rule, "key": self.key, "from": self.source, "to": self.destination}
        return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "every rule"


@dataclass(frozen=True)
class Gauge:
    """What a rule counts now against its threshold; of a rule with keys the highest of them."""

    rule: str
    metric: str
    value: float
    threshold: float
    window: float
    """Seconds."""
    key: str | None = None

    @property
    def share(self) -> float:
        """1 at the threshold; where any value is over, 2."""
        return self.value / self.threshold if self.threshold else 2.0 * (self.value > 0)


@dataclass(frozen=True)
class Told:
    """What became of telling somebody of an alert, by mail or webhook."""

    name: str
    ok: bool
    at: int
    """When, in nanoseconds."""
    error: str = ""


@dataclass(frozen=True)
class Halt:
    """Why nothing is captured at the moment, and what is done about it."""

    error: str
    retry_in: float
    """Seconds."""
    failures: int


@dataclass(frozen=True)
class Desk:
    """All of it."""

    acknowledged: Mapping[str, str] = field(default_factory=dict)
    """Open alerts that somebody looks after, by alert_id: who."""
    values: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Open alerts by alert_id: the value now, and the highest."""
    quiets: tuple[Quiet, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)
    """Who was told of an alert, by alert_id."""

    halt: Halt | None = None
    """None while all is well, or where nobody says."""

    def about(self, kind: str, rule: str, key: str | None) -> Quiet | None:
        """The mute or silence that covers an alert, the one that lasts longest."""
        found = [each for each in self.quiets if each.kind == kind and each.covers(rule, key)]
        return max(found, key=lambda each: each.until or float("inf"), default=None)


def desk_of(told: Mapping[str, Any]) -> Desk:
    """The desk of plain data, as `desk` of the control socket answers; an empty one if it makes no sense."""
    try:
        return _read(told)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Desk()


def _read(told: Mapping[str, Any]) -> Desk:
    acknowledged = {
        _text(each["alert_id"]): _text(each.get("acknowledged_by"))
        for each in _dicts(told, "open", "alert_id")
        if each.get("acknowledged_by")
    }
    values = {
        _text(each["alert_id"]): (float(each["value"]), float(each["peak"]))
        for each in _dicts(told, "open", "alert_id", "value", "peak")
    }
    mutes = told.get("mutes")
    muted = [
        Quiet("muted", None if rule == EVERY_RULE else _text(rule), until=_moment(until))
        for rule, until in (mutes.items() if isinstance(mutes, dict) else ())
    ][:MOST]
    silenced = [_silence(each) for each in _dicts(told, "silences", "silence_id")]
    gauges = [
        _gauge(each)
        for each in _dicts(told, "rules", "rule", "metric", "value", "threshold", "window")
        if each["metric"] not in UNCOUNTED
    ]
    given = told.get("told")
    channels = given if isinstance(given, dict) else {}
    tellings = {
        _text(name): tuple(map(_telling, _dicts(channels, name, "name", "at")))
        for name in list(channels)[:MOST]
    }
    return Desk(
        acknowledged, values, (*muted, *silenced), tuple(gauges), tellings, _halt(told.get("capture"))
    )


def _halt(told: Any) -> Halt | None:
    if not isinstance(told, dict) or not told.get("error"):
        return None
    retry_in = min(max(float(told["retry_in"]), 0.0), 1e6)
    return Halt(_text(told["error"]), retry_in, int(told["failures"]))


def _telling(told: Mapping[str, Any]) -> Told:
    error = _text(told.get("error"))
    return Told(_text(told["name"]), not error, _moment(told["at"]) or 0, error)


def _silence(told: Mapping[str, Any]) -> Quiet:
    words = {name: _text(told[name]) for name in ("rule", "key", "source", "destination") if told.get(name)}
    by, name = _text(told.get("by")), _text(told["silence_id"])
    return Quiet("silenced", **words, until=_moment(told.get("until")), by=by, silence_id=name)


def _gauge(told: Mapping[str, Any]) -> Gauge:
    value, threshold, window = (float(told[name]) for name in ("value", "threshold", "window"))
    key = _text(told["key"]) if told.get("key") else None
    return Gauge(_text(told["rule"]), _text(told["metric"]), value, threshold, window, key)


def _dicts(told: Mapping[str, Any], name: str, *needed: str) -> Iterable[Mapping[str, Any]]:
    given = told.get(name)
    found = given[:MOST] if isinstance(given, list) else []
    return [each for each in found if isinstance(each, dict) and all(key in each for key in needed)]


def _moment(value: Any) -> int | None:
    return None if value is None else max(min(int(value), LATEST), 0)


def _text(value: object) -> str:
    return clip(str(value or ""), LONGEST)
