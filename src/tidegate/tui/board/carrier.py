"""What a relay says of itself, as its control socket answers: read with care, whoever answers there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.model.ends import joined
from tidegate.model.text import clip

LONGEST = 512
MOST = 1000
"""Of each kind; a relay gives no more."""

NUMBERS = 1 << 63


@dataclass(frozen=True)
class Carrier:
    """A service as its relay tells of it."""

    name: str
    listen: str
    backend: str
    rules: int
    connections: int
    limit: int | None
    addresses: int
    address_limit: int | None
    total: int
    up: int
    """Bytes from clients."""
    down: int
    """Bytes to clients."""
    refused: int
    ended: Mapping[str, int]
    keeps: bool
    """Whether anything of the payload is kept."""


@dataclass(frozen=True)
class Aside:
    """What is to be known beside services."""

    kind: str
    """rejected (an address), or waiting (a door that is not open)."""
    what: str
    why: str = ""


@dataclass(frozen=True)
class Picture:
    """All of it."""

    carriers: tuple[Carrier, ...]
    asides: tuple[Aside, ...]
    draining: bool
    connections: tuple[Mapping[str, Any], ...]
    whole: bool
    """Whether all connections that are open are among them."""


def read(told: Mapping[str, Any]) -> Picture | None:
    """The picture of plain data; None if it makes no sense."""
    try:
        return _read(told)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _read(told: Mapping[str, Any]) -> Picture:
    carriers = tuple(_carrier(each) for each in _dicts(told, "services"))
    asked = told["connections"] is not None
    connections = tuple(_connection(each) for each in (_dicts(told, "connections") if asked else ()))
    rejected = [Aside("rejected", _text(ip)) for ip in list(told["rejected"])[:MOST]]
    doors = list(dict(told["waiting"]).items())[:MOST]
    waiting = [Aside("waiting", _text(place), _text(why)) for place, why in doors]
    return Picture(
        carriers,
        (*waiting, *rejected),
        bool(told["draining"]),
        connections,
        asked and len(connections) < MOST,
    )


def _carrier(told: Mapping[str, Any]) -> Carrier:
    return Carrier(
        name=_text(told["name"]),
        listen=_text(", ".join(map(str, told["listen"]))),
        backend=_text(told["backend"]),
        rules=_number(told["rules"]),
        connections=_number(told["connections"]),
        limit=_limit(told["limit"]),
        addresses=_number(told["addresses"]),
        address_limit=_limit(told["address_limit"]),
        total=_number(told["total"]),
        up=_number(told["up"]),
        down=_number(told["down"]),
        refused=sum(map(_number, dict(told["refused"]).values())),
        ended={_text(cause): _number(count) for cause, count in dict(told["ended"]).items()},
        keeps=bool(told["keeps"]),
    )


def _connection(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """In the names of the table `relay`; `idle` in nanoseconds."""
    texts = ("uid", "service", "client_ip", "server_ip", "backend", "rule", "protocol", "phase")
    host, _, port = _text(told["remote"]).rpartition(":")
    numbered = port.isdigit() and not host.startswith("/")
    return {
        **{name: None if told[name] is None else _text(told[name]) for name in texts},
        "connection_id": _number(told["id"]),
        "client_port": _number(told["client_port"]),
        "server_port": _number(told["server_port"]),
        "remote_ip": (host.strip("[]") if numbered else _text(told["remote"])) or None,
        "remote_port": int(port) if numbered else None,
        "up_bytes": _number(told["up"]),
        "down_bytes": _number(told["down"]),
        "ts": _number(told["since"]),
        "idle": int(max(float(told["idle"]), 0.0) * 1e9),
    }


def remote(ip: str | None, port: int | None) -> str:
    """ "192.0.2.1:80", or the path of a socket."""
    return "" if ip is None else ip if port is None else joined(ip, port)


def _dicts(told: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    return [each for each in list(told[name])[:MOST] if isinstance(each, dict)]


def _number(value: Any) -> int:
    return max(min(int(value), NUMBERS), 0)


def _limit(value: Any) -> int | None:
    return None if value is None else _number(value)


def _text(value: object) -> str:
    return clip(str("" if value is None else value), LONGEST)
