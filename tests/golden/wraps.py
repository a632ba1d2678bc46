"""What a mirror port can add to a frame: VLAN tags and tunnel headers, each as its RFC draws it."""

import itertools
import struct

OUTER4 = (bytes([198, 51, 100, 1]), bytes([198, 51, 100, 2]))
OUTER6 = tuple(bytes.fromhex("20010db8000100000000000000000000")[:15] + bytes([end]) for end in (1, 2))
IPIP, IPV6, GRE = 4, 41, 47
_identification = itertools.count(1)


def vlan(frame: bytes, _direction: int) -> list[bytes]:
    """IEEE 802.1Q tag, VLAN 42, priority 3."""
    return [frame[:12] + struct.pack("!HH", 0x8100, 3 << 13 | 42) + frame[12:]]


def qinq(frame: bytes, _direction: int) -> list[bytes]:
    """IEEE 802.1ad service tag 100 around customer tag 200."""
    return [frame[:12] + struct.pack("!HHHH", 0x88A8, 100, 0x8100, 200) + frame[12:]]


def _sum16(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ipv4(payload: bytes, protocol: int, direction: int) -> bytes:
    src, dst = OUTER4[direction], OUTER4[1 - direction]
    length, number = 20 + len(payload), next(_identification) & 0xFFFF
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, number, 0, 63, protocol, 0, src, dst)
    return head[:10] + struct.pack("!H", _sum16(head)) + head[12:] + payload


def _ipv6(payload: bytes, protocol: int, direction: int) -> bytes:
    src, dst = OUTER6[direction], OUTER6[1 - direction]
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 63, src, dst) + payload


def _ether_type(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")


def ipip(frame: bytes, direction: int) -> list[bytes]:
    """IPv4 in IPv4 (RFC 2003); what is not IPv4 stays as it is."""
    if _ether_type(frame) != 0x0800:
        return [frame]
    return [frame[:14] + _ipv4(frame[14:], IPIP, direction)]


def six_in_four(frame: bytes, direction: int) -> list[bytes]:
    """IPv6 in IPv4 (RFC 4213); what is not IPv6 stays as it is."""
    if _ether_type(frame) != 0x86DD:
        return [frame]
    return [frame[:12] + b"\x08\x00" + _ipv4(frame[14:], IPV6, direction)]


def in_six(frame: bytes, direction: int) -> list[bytes]:
    """IPv4 or IPv6 in IPv6 (RFC 2473); what is neither stays as it is."""
    inner = {0x0800: IPIP, 0x86DD: IPV6}.get(_ether_type(frame))
    if inner is None:
        return [frame]
    return [frame[:12] + b"\x86\xdd" + _ipv6(frame[14:], inner, direction)]


def gre(frame: bytes, direction: int) -> list[bytes]:
    """GRE with key and sequence number (RFC 2784, RFC 2890), IPv4 or IPv6 inside, over IPv4."""
    if _ether_type(frame) not in (0x0800, 0x86DD):
        return [frame]
    head = struct.pack("!HHII", 0x3000, _ether_type(frame), 7, next(_identification))
    return [frame[:12] + b"\x08\x00" + _ipv4(head + frame[14:], GRE, direction)]


def gretap(frame: bytes, direction: int) -> list[bytes]:
    """Ethernet in GRE (protocol 0x6558), over IPv6."""
    if _ether_type(frame) not in (0x0800, 0x86DD):
        return [frame]
    return [frame[:12] + b"\x86\xdd" + _ipv6(b"\0\0\x65\x58" + frame, GRE, direction)]
