"""What alerts remember over a restart: open ones, history, silences, quotas, what is known. Data and JSON."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_network
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tidegate.model.errors import TidegateError

VERSION = 1
MOST_HISTORY = 500
_LARGEST = 1 << 63
MOST_SILENCES = 1000
MOST_KNOWN = 10_000
"""Programs or places a rule remembers; of more, those not seen for longest are forgotten."""

State = Literal["raised", "recovered"]


class BrokenStateError(TidegateError):
    """A state file that holds something else."""


@dataclass
class Alert:
    """One alert, from its raising to its recovery; times are nanoseconds UTC, as shown."""

    alert_id: str
    rule: str
    key: str | None
    level: int
    """Which of the rule's levels; only a quota has several."""
    state: State
    severity: str
    metric: str
    value: float
    threshold: float
    clear: float
    peak: float
    since: int
    until: int | None
    duration: float | None
    message: str
    told: bool = False
    """Whether actions were told that it was raised: they are told of its end only then."""
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None

    def row(self, sensor: str) -> dict[str, Any]:
        """Its row of the table `alert`, as it is now."""
        over = self.state == "recovered"
        return {
            "ts": self.until if over else self.since,
            "alert_id": self.alert_id,
            "sensor": sensor,
            "rule": self.rule,
            "key": self.key,
            "state": self.state,
            "severity": self.severity,
            "metric": self.metric,
            "value": self.value,
            "threshold": self.threshold,
            "clear": self.clear,
            "peak": self.peak,
            "since": self.since,
            "duration": self.duration,
            "message": self.message,
        }


@dataclass(frozen=True)
class Silence:
    """What raises no alert: all that is given has to match. `until` is None for good."""

    silence_id: str
    rule: str | None = None
    key: str | None = None
    source: str | None = None
    destination: str | None = None
    until: int | None = None
    by: str = ""


@dataclass
class Quota:
    """Counters of one rule's quota: totals by key, and the period they belong to."""

    period: int
    totals: dict[str, float]


@dataclass
class Known:
    """What one rule has seen before, with the last time, and until when it only learns."""

    learning_until: int
    seen: dict[str, int]


@dataclass
class Ledger:
    """Everything that is kept."""

    serial: int = 0
    """How many alerts were raised so far; part of their names."""
    seen_until: int = -1
    """The time up to which connections were counted."""
    open: dict[str, Alert] = field(default_factory=dict)
    """Raised and not recovered, by alert_id."""
    history: deque[Alert] = field(default_factory=lambda: deque(maxlen=MOST_HISTORY))
    """The latest that are over, oldest first."""
    outbox: list[dict[str, Any]] = field(default_factory=list)
    """Rows handed on of which it is not known yet whether they arrived: after a crash they go out again."""
    silences: dict[str, Silence] = field(default_factory=dict)
    mutes: dict[str, int] = field(default_factory=dict)
    """Until when nobody is told, by rule; `*` stands for all."""
    quotas: dict[str, Quota] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "version": VERSION,
            "serial": self.serial,
            "seen_until": self.seen_until,
            "open": [asdict(alert) for alert in self.open.values()],
            "history": [asdict(alert) for alert in self.history],
            "outbox": self.outbox,
            "silences": [asdict(silence) for silence in self.silences.values()],
            "mutes": self.mutes,
            "quotas": {name: asdict(quota) for name, quota in self.quotas.items()},
            "known": {name: asdict(known) for name, known in self.known.items()},
        }


def from_json(data: Any) -> Ledger:
    """The ledger of plain data; raises BrokenStateError that says what is wrong."""
    try:
        if data["version"] > VERSION:
            raise BrokenStateError("was written by a newer Tidegate")
        found = [_made(Alert, each) for each in data["open"]]
        alerts = {(alert.rule, alert.key, alert.level): alert for alert in found}.values()
        history = [_made(Alert, each) for each in data["history"]]
        silences = [_silence(each) for each in data["silences"][-MOST_SILENCES:]]
        return Ledger(
            serial=_whole(data["serial"]),
            seen_until=_whole(data.get("seen_until", -1)),
            open={alert.alert_id: alert for alert in alerts},
            history=deque(history, MOST_HISTORY),
            outbox=[_row(each) for each in data["outbox"]],
            silences={silence.silence_id: silence for silence in silences},
            mutes={str(name): _whole(until) for name, until in data["mutes"].items()},
            quotas={str(name): _quota(each) for name, each in data["quotas"].items()},
            known={str(name): _known(each) for name, each in data["known"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BrokenStateError(f"holds no alerts ({type(error).__name__}: {error})") from None


def _silence(data: Mapping[str, Any]) -> Silence:
    silence: Silence = _made(Silence, data)
    for address in (silence.source, silence.destination):
        if address:
            ip_network(address, strict=False)
    return silence


def _quota(data: Mapping[str, Any]) -> Quota:
    return Quota(_whole(data["period"]), {str(key): float(total) for key, total in data["totals"].items()})


def _known(data: Mapping[str, Any]) -> Known:
    seen = {str(name): _whole(ts) for name, ts in list(data["seen"].items())[-MOST_KNOWN:]}
    return Known(_whole(data["learning_until"]), seen)


def _row(data: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table `alert`, each value of the type it has there."""
    hints = get_type_hints(Alert) | {"ts": int, "sensor": str}
    return {name: _checked(name, data[name], hints[name]) for name in _ROW}


def _made(kind: type[Any], data: Mapping[str, Any]) -> Any:
    """An object of plain data, each field of the type it says."""
    hints = get_type_hints(kind)
    return kind(**{name: _checked(name, data[name], hint) for name, hint in hints.items() if name in data})


def _checked(name: str, value: Any, hint: Any) -> Any:
    """The value; raises TypeError if it is of another type. A whole number is a number, too."""
    if get_origin(hint) is Literal:
        fits = value in get_args(hint)
    else:
        kinds = get_args(hint) or (hint,)
        fits = type(value) in kinds or (type(value) is int and float in kinds)
    if not fits:
        raise TypeError(f"{name} is {type(value).__name__}")
    return _whole(value) if type(value) is int else value


def _whole(value: Any) -> int:
    """A whole number that fits into a column; raises ValueError for a larger one."""
    number = int(value)
    if not -_LARGEST <= number < _LARGEST:
        raise ValueError("a number is too large")
    return number


_ROW = tuple(Alert("", "", None, 0, "raised", "", "", 0, 0, 0, 0, 0, None, None, "").row(""))
