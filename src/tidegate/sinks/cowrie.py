"""Format cowrie: events of the relay, one JSON object a line, by the names that Cowrie's output has.

`eventid` is Cowrie's own where there is one, `cowrie.session.connect` and `cowrie.session.closed`, and
`tidegate.relay.TYPE` for what it does not tell of. `session` is the connection's uid. Ports are the ones that
the client called, `shasum` is SHA-256 of the excerpt.
"""

from tidegate.sinks.layout import Keys, Laid, Layout, column, constant, joined, layout

_EVENTS = {"accept": "cowrie.session.connect", "close": "cowrie.session.closed"}

_OWN = ("service", "backend", "rule", "cause", "size", "up_bytes", "down_bytes", "connection_id")


def _keys(kind: str) -> Keys:
    eventid = _EVENTS.get(kind)
    return (
        constant("eventid", eventid, "type")
        if eventid
        else joined("eventid", ("tidegate.relay.", "type", "")),
        column("timestamp", "ts", "micros"),
        column("sensor", "sensor"),
        column("session", "uid"),
        column("src_ip", "client_ip"),
        column("src_port", "client_port"),
        column("dst_ip", "server_ip"),
        column("dst_port", "server_port"),
        column("protocol", "protocol"),
        joined(
            "message",
            ("", "type", ""),
            (" ", "client_ip", "-"),
            (" at ", "service", "the relay"),
            (": ", "cause", None),
        ),
        *((column("duration", "duration"),) if kind == "close" else ()),
        column("payload", "payload"),
        column("shasum", "sha256"),
        column("country", "client_country"),
        column("asn", "client_asn"),
        *(column(name, name) for name in _OWN),
    )


def _layout() -> Layout:
    """Notices are of no session and are left out."""
    return layout(_keys, _EVENTS, without=("notice",))


class Cowrie(Laid):
    """Lines of relay's events."""

    LAYOUT = _layout
