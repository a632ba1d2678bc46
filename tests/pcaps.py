"""Tiny captures built byte by byte, so that a test says exactly what is in them."""

import struct
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

START = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

Frame = tuple[float, bytes]


def write_pcap(path: Path, frames: Iterable[Frame]) -> Path:
    """A classic pcap with microseconds, little endian, Ethernet."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for moment, data in frames:
            seconds, micros = divmod(round((START + moment) * 1e6), 1_000_000)
            file.write(struct.pack("<IIII", seconds, micros, len(data), len(data)) + data)
    return path


def tcp(
    src: tuple[str, int], dst: tuple[str, int], flags: int, seq: int = 0, ack: int = 0, payload: bytes = b""
) -> bytes:
    """An Ethernet frame with a TCP segment."""
    header = struct.pack(">HHIIBBHHH", src[1], dst[1], seq, ack, 5 << 4, flags, 65535, 0, 0)
    return _frame(src[0], dst[0], 6, header + payload)


def udp(src: tuple[str, int], dst: tuple[str, int], payload: bytes = b"") -> bytes:
    """An Ethernet frame with a UDP datagram."""
    return _frame(src[0], dst[0], 17, struct.pack(">HHHH", src[1], dst[1], 8 + len(payload), 0) + payload)


def arp() -> bytes:
    """A frame that holds no IP."""
    return b"\xff" * 6 + b"\x02" * 6 + b"\x08\x06" + b"\0" * 28


def http_get(
    client: tuple[str, int] = ("10.0.0.5", 40000),
    server: tuple[str, int] = ("192.0.2.9", 80),
    start: float = 0.0,
    request: bytes = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
    reply: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
) -> list[Frame]:
    """A whole TCP conversation: handshake, request, reply, FIN from both sides. Ten packets."""
    up, down = 1000, 5000
    after_up, after_down = up + 1 + len(request), down + 1 + len(reply)
    steps = [
        tcp(client, server, SYN, up),
        tcp(server, client, SYN | ACK, down, up + 1),
        tcp(client, server, ACK, up + 1, down + 1),
        tcp(client, server, PSH | ACK, up + 1, down + 1, request),
        tcp(server, client, ACK, down + 1, after_up),
        tcp(server, client, PSH | ACK, down + 1, after_up, reply),
        tcp(client, server, ACK, after_up, after_down),
        tcp(client, server, FIN | ACK, after_up, after_down),
        tcp(server, client, FIN | ACK, after_down, after_up + 1),
        tcp(client, server, ACK, after_up + 1, after_down + 1),
    ]
    return [(start + number * 0.01, step) for number, step in enumerate(steps)]


def dns_exchange(start: float = 0.0, port: int = 50000) -> list[Frame]:
    """A UDP question and its answer."""
    client, server = ("10.0.0.5", port), ("10.0.0.1", 53)
    return [(start, udp(client, server, b"q" * 30)), (start + 0.02, udp(server, client, b"a" * 60))]


def long_stream(seconds: int, port: int = 41000) -> list[Frame]:
    """A TCP connection that says one byte a second and is never closed."""
    client, server = ("10.0.0.7", port), ("192.0.2.7", 22)
    frames = [
        (0.0, tcp(client, server, SYN, 100)),
        (0.01, tcp(server, client, SYN | ACK, 900, 101)),
        (0.02, tcp(client, server, ACK, 101, 901)),
    ]
    frames += [(1.0 + n, tcp(client, server, PSH | ACK, 101 + n, 901, b"x")) for n in range(seconds)]
    return frames


def _frame(src: str, dst: str, protocol: int, payload: bytes) -> bytes:
    total = 20 + len(payload)
    header = struct.pack(
        ">BBHHHBBH4s4s",
        0x45,
        0,
        total,
        0,
        0,
        64,
        protocol,
        0,
        IPv4Address(src).packed,
        IPv4Address(dst).packed,
    )
    return b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + header + payload
