"""Format autonapt: events of the relay, one JSON object a line, as AutoNapt's logger laid them out.

Its readers find `datetime`, `connection_id`, `type`, `protocol`, `packet_size`, `packet`, `sha1` and the four
ends under `client` and `server` where they look for them. Times are UTC. `packet` holds a character for each
byte, of the excerpt as it is configured. What AutoNapt had no word for stands in `tidegate`.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tidegate.model.batch import Batch
from tidegate.sinks.choice import without_notices
from tidegate.sinks.format import row_lines
from tidegate.sinks.moments import micros
from tidegate.sinks.nested import Field, Nested, Object, Shape, field

_DATA = ("recv", "send")
_ENDS = {
    "client.remote": ("client_ip", "client_port"),
    "client.local": ("server_ip", "server_port"),
    "server.remote": ("remote_ip", "remote_port"),
    "server.local": ("local_ip", "local_port"),
}
"""The four sockets' ends: AutoNapt names a side, and the end of it as seen from the relay."""


def _datetime(ts: int) -> str:
    """`2026-11-20 10:20:54.176026`."""
    return micros(ts, "").replace("T", " ")


def _characters(base64: str) -> str:
    return b64decode(base64).decode("latin-1")


def _of_data(kind: str, value: Any) -> Any:
    return value if kind in _DATA else None


def _with_server(kind: str, value: Any) -> Any:
    """The backend's ends: AutoNapt told of them when it was connected to."""
    return value if kind in ("connect", "close") else None


def _accepted(kind: str, value: Any) -> Any:
    """When it is accepted the address is called ip, otherwise address; here it has both names then."""
    return value if kind == "accept" else None


def _city(country: str | None, city: str | None) -> Object | None:
    found = {"iso_code": country, "city": city}
    return {name: value for name, value in found.items() if value} or None


def _asn(number: int | None, organisation: str | None) -> Object | None:
    found = {"asn": organisation, "number": number}
    return {name: value for name, value in found.items() if value} or None


def _ends() -> list[Field]:
    fields = []
    for path, (ip, port) in _ENDS.items():
        if path.startswith("server"):
            fields.append(field(f"{path}.address", "type", ip, make=_with_server))
            fields.append(field(f"{path}.port", "type", port, make=_with_server))
        else:
            fields.append(field(f"{path}.address", ip))
            fields.append(field(f"{path}.port", port))
    return fields


def _shape() -> Shape:
    fields = (
        field("connection_id", "connection_id"),
        field("datetime", "ts", make=_datetime),
        field("type", "type"),
        field("protocol", "protocol"),
        *_ends(),
        field("client.remote.ip", "type", "client_ip", make=_accepted),
        field("client.remote.geoip.city", "client_country", "client_city", make=_city),
        field("client.remote.geoip.asn", "client_asn", "client_as_org", make=_asn),
        field("packet_size", "type", "size", make=_of_data),
        field("packet", "payload_base64", make=_characters),
        field("sha1", "sha1"),
        field("tidegate.uid", "uid"),
        field("tidegate.sensor", "sensor", make=lambda name: name or None),
        *(field(f"tidegate.{name}", name) for name in ("service", "backend", "rule", "cause", "duration")),
        *(field(f"tidegate.{name}", name) for name in ("up_bytes", "down_bytes")),
    )
    return Shape("relay", fields)


class Autonapt(Nested):
    """Lines of relay's events; notices are of no connection and are left out."""

    SHAPES: ClassVar[Mapping[str, Callable[[], Shape]]] = {"relay": _shape}

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return row_lines(self.of("relay", without_notices(batch)))
