"""The Host header of HTTP taken apart: name and port, for formats that want them in fields of their own."""

import re

_PORT = re.compile(r":([0-9]{1,5})$")


def name_of(host: str) -> str:
    """The name without a port; an IPv6 address stays in its brackets."""
    return _PORT.sub("", host)


def port_of(host: str) -> int | None:
    """The port, None where none is said."""
    match = _PORT.search(host)
    return int(match[1]) if match else None
