"""What alerts remember over a restart: open ones, history, silences, quotas, what is known. Data and JSON."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from tidegate.model.errors import TidegateError

VERSION = 1
MOST_HISTORY = 500
MOST_SILENCES = 1000
MOST_KNOWN = 10_000
"""Programs or places a rule remembers; of more, those not seen for longest are forgotten."""
EVERY_RULE = "*"

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
        alerts = [_made(Alert, each) for each in data["open"]]
        history = [_made(Alert, each) for each in data["history"]]
        silences = [_made(Silence, each) for each in data["silences"][-MOST_SILENCES:]]
        return Ledger(
            serial=int(data["serial"]),
            open={alert.alert_id: alert for alert in alerts},
            history=deque(history, MOST_HISTORY),
            outbox=[_row(each) for each in data["outbox"]],
            silences={silence.silence_id: silence for silence in silences},
            mutes={str(name): int(until) for name, until in data["mutes"].items()},
            quotas={str(name): _quota(each) for name, each in data["quotas"].items()},
            known={str(name): _known(each) for name, each in data["known"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenStateError(f"holds no alerts ({type(error).__name__}: {error})") from None


def _quota(data: Mapping[str, Any]) -> Quota:
    return Quota(int(data["period"]), {str(key): float(total) for key, total in data["totals"].items()})


def _known(data: Mapping[str, Any]) -> Known:
    seen = {str(name): int(ts) for name, ts in list(data["seen"].items())[-MOST_KNOWN:]}
    return Known(int(data["learning_until"]), seen)


def _row(data: Mapping[str, Any]) -> dict[str, Any]:
    alert = {name: data[name] for name in _ROW}
    if not isinstance(alert["ts"], int) or not isinstance(alert["since"], int):
        raise TypeError("a row's time is no number")
    return alert


def _made(kind: type[Any], data: Mapping[str, Any]) -> Any:
    """An object of plain data, each field of the type it says."""
    given = {each.name: data[each.name] for each in fields(kind) if each.name in data}
    for each in fields(kind):
        if each.name in given and not _fits(given[each.name], str(each.type)):
            raise TypeError(f"{each.name} is {type(given[each.name]).__name__}")
    return kind(**given)


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return "None" in kind
    return isinstance(value, _TYPES.get(kind.split(" ")[0], (str,)))


_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
_ROW = tuple(Alert("", "", None, 0, "raised", "", "", 0, 0, 0, 0, 0, None, None, "").row(""))
