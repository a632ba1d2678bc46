"""PROXY headers of both versions as seeds of a fuzz target: `proxy_headers.py FOLDER`."""

import socket
import struct
import sys
from pathlib import Path

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def headers() -> dict[str, bytes]:
    """Each by a name."""
    pairs = {
        4: b"".join(socket.inet_aton(ip) for ip in ("192.0.2.1", "198.51.100.2")),
        6: b"".join(socket.inet_pton(socket.AF_INET6, ip) for ip in ("2001:db8::1", "2001:db8::2")),
    }
    ports = struct.pack("!HH", 40000, 443)
    additions = struct.pack("!BH", 1, 2) + b"h2" + struct.pack("!BHI", 3, 4, 0) + struct.pack("!BH", 4, 0)
    return {
        "line-4": b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\nGET / HTTP/1.1\r\n",
        "line-6": b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 443\r\n",
        "line-unknown": b"PROXY UNKNOWN\r\n",
        "local": binary(0x20, 0, b""),
        "tcp4": binary(0x21, 0x11, pairs[4] + ports),
        "udp6": binary(0x21, 0x22, pairs[6] + ports),
        "unix": binary(0x21, 0x31, b"/run/a".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0")),
        "additions": binary(0x21, 0x11, pairs[4] + ports + additions),
    }


def binary(command: int, family: int, body: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


if __name__ == "__main__":
    for name, header in headers().items():
        (Path(sys.argv[1]) / name).write_bytes(header)
