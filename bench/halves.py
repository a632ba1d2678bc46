"""A hundred thousand connections that each hold half a message: what they cost in memory."""

import json
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measure import BUILT, Check, Report, example, run, side_by_side

CONNECTIONS = 100_000
BUFFERS = 64 << 20
"""What all parsers together may hold, as ARCHITECTURE.md has it."""
CONNECTION = 1024
"""What a connection whose first message is unfinished may cost besides, bytes."""
HEADER = b"GET /" + b"x" * 100 + b" HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: " + b"y" * 200
HELLO = bytes.fromhex("160301020001 0001fc0303") + bytes(range(250))
LONG = b"GET / HTTP/1.1\r\nX: " + b"z" * 1300
"""With this much from each the buffers are full, and most are given up."""

SYN, SYN_ACK, ACK = 2, 18, 16


def frame(number: int, up: bool, flags: int, seq: int, ack: int, payload: bytes) -> bytes:
    """One Ethernet frame of a connection in a record of a capture file; checksums are left out."""
    ends = [(0x0A000000 + number // 50000, 10000 + number % 50000), (0x0AC80001, 80)]
    (src, sport), (dst, dport) = ends if up else reversed(ends)
    length = 40 + len(payload)
    ethernet = b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0"
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, length, 0, 0, 64, 6, 0, src, dst)
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65000, 0, 0)
    micros = number * 100  # ten seconds for all: no timeout strikes
    record = struct.pack("<IIII", 1_700_000_000 + micros // 1_000_000, micros % 1_000_000, *[14 + length] * 2)
    return record + ethernet + ip + tcp + payload


def frames(payload: bytes) -> Iterator[bytes]:
    """A handshake and half a message for each connection."""
    for number in range(CONNECTIONS):
        yield frame(number, True, SYN, 100, 0, b"")
        yield frame(number, False, SYN_ACK, 500, 101, b"")
        yield frame(number, True, ACK, 101, 501, payload)


def capture(name: str, payload: bytes) -> Path:
    """The capture, made anew."""
    path = BUILT / f"halves-{name}.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        file.writelines(frames(payload))
    return path


def halves() -> Report:
    """What the engine's memory grew by, for each kind of half."""
    engine = example("engine")
    kinds = {"half an HTTP header": HEADER, "half a ClientHello": HELLO, "1.3 kB of header each": LONG}
    files = {name: str(capture(name.replace(" ", "-"), payload)) for name, payload in kinds.items()}
    runs = side_by_side({name: partial(run, [engine, file, "--all"]) for name, file in files.items()}, 1)
    rows: list[tuple[str, ...]] = [("", "connections open", "MB in all", "bytes a connection")]
    checks = []
    for name, (one,) in runs.items():
        facts = json.loads(one.output)
        resident = facts["resident"]
        rows.append((name, str(facts["open"]), f"{resident / 1e6:.0f}", f"{resident / CONNECTIONS:.0f}"))
        bound = (BUFFERS + CONNECTIONS * CONNECTION) / 1e6
        checks.append(Check(f"{name}, MB", resident / 1e6, bound, at_least=False))
    return Report(rows, checks)
