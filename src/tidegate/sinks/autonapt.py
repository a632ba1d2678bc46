"""Format autonapt: events of the relay, one JSON object a line, as AutoNapt's logger laid them out.

Its readers find `datetime`, `connection_id`, `type`, `protocol`, `packet_size`, `packet`, `sha1` and the four
ends under `client` and `server` where they look for them. Times are UTC. `packet` holds a character for each
byte, of the excerpt as it is configured. What AutoNapt had no word for stands in `tidegate`.
"""

from collections.abc import Iterator

from tidegate.sinks.layout import Key, Keys, Laid, Layout, column, layout

_DATA = ("recv", "send")
_WITH_SERVER = ("connect", "close")
"""AutoNapt told of the backend's ends when it was connected to."""


def _end(path: str, ours: str) -> Iterator[Key]:
    """A socket's end: AutoNapt names a side, and the end of it as seen from the relay."""
    yield column(f"{path}.address", f"{ours}_ip")
    yield column(f"{path}.port", f"{ours}_port")


def _keys(kind: str) -> Keys:
    server = kind in _WITH_SERVER
    return (
        column("connection_id", "connection_id"),
        column("datetime", "ts", "spaced micros"),
        column("type", "type"),
        column("protocol", "protocol"),
        *_end("client.remote", "client"),
        *_end("client.local", "server"),
        *(_end("server.remote", "remote") if server else ()),
        *(_end("server.local", "local") if server else ()),
        # When it is accepted the address is called ip, otherwise address; here it has both names then.
        *((column("client.remote.ip", "client_ip"),) if kind == "accept" else ()),
        column("client.remote.geoip.city.iso_code", "client_country", "known"),
        column("client.remote.geoip.city.city", "client_city", "known"),
        column("client.remote.geoip.asn.asn", "client_as_org", "known"),
        column("client.remote.geoip.asn.number", "client_asn", "known"),
        *((column("packet_size", "size"),) if kind in _DATA else ()),
        column("packet", "payload_base64", "characters"),
        column("sha1", "sha1"),
        column("tidegate.uid", "uid"),
        column("tidegate.sensor", "sensor", "known"),
        *(column(f"tidegate.{name}", name) for name in ("service", "backend", "rule", "cause", "duration")),
        *(column(f"tidegate.{name}", name) for name in ("up_bytes", "down_bytes")),
    )


def _layout() -> Layout:
    """Notices are of no connection and are left out."""
    return layout(_keys, ("accept", *_DATA, *_WITH_SERVER), without=("notice",))


class Autonapt(Laid):
    """Lines of relay's events."""

    LAYOUT = _layout
