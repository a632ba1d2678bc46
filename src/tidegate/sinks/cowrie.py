"""Format cowrie: events of the relay, one JSON object a line, by the names that Cowrie's output has.

`eventid` is Cowrie's own where there is one, `cowrie.session.connect` and `cowrie.session.closed`, and
`tidegate.relay.TYPE` for what it does not tell of. `session` is the connection's uid. Ports are the ones that
the client called, `shasum` is SHA-256 of the excerpt.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from tidegate.model.batch import Batch
from tidegate.sinks.choice import without_notices
from tidegate.sinks.format import row_lines
from tidegate.sinks.moments import micros
from tidegate.sinks.nested import Nested, Shape, field

_EVENTS = {"accept": "cowrie.session.connect", "close": "cowrie.session.closed"}

_OWN = ("service", "backend", "rule", "cause", "size", "up_bytes", "down_bytes", "connection_id")


def _eventid(kind: str) -> str:
    return _EVENTS.get(kind) or f"tidegate.relay.{kind}"


def _message(kind: str, service: str | None, client: str | None, cause: str | None) -> str:
    said = f"{kind} {client or '-'} at {service or 'the relay'}"
    return f"{said}: {cause}" if cause else said


def _duration(kind: str, seconds: float | None) -> float | None:
    return seconds if kind == "close" else None


def _shape() -> Shape:
    fields = (
        field("eventid", "type", make=_eventid),
        field("timestamp", "ts", make=micros),
        field("sensor", "sensor"),
        field("session", "uid"),
        field("src_ip", "client_ip"),
        field("src_port", "client_port"),
        field("dst_ip", "server_ip"),
        field("dst_port", "server_port"),
        field("protocol", "protocol"),
        field("message", "type", "service", "client_ip", "cause", make=_message),
        field("duration", "type", "duration", make=_duration),
        field("payload", "payload"),
        field("shasum", "sha256"),
        field("country", "client_country"),
        field("asn", "client_asn"),
        *(field(name, name) for name in _OWN),
    )
    return Shape("relay", fields)


class Cowrie(Nested):
    """Lines of relay's events; notices are of no session and are left out."""

    SHAPES: ClassVar[Mapping[str, Callable[[], Shape]]] = {"relay": _shape}

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return row_lines(self.of("relay", without_notices(batch)))
