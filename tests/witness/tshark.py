"""What tshark counts: packets and IP bytes from each end to the other, over TCP and UDP."""

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

Way = tuple[str, str, int, str, int]
"""Protocol, sender's address and port, receiver's address and port."""

DECODED = frozenset(
    shlex.split(
        "frame eth ethertype vlan ieee8021ad sll null loop raw ip ipv6 ipv6.hopopts ipv6.routing ipv6.fraghdr"
        " ipv6.dstopts ah gre erspan vxlan vxlan_gpe mpls pppoes ppp ppp_hdlc chdlc fddi llc snap tcp udp"
    )
)
"""Layers that we look through as well."""
OTHERS = frozenset(
    shlex.split(
        "pwethheuristic pwethcw pwethnocw wlan wlan_radio radiotap prism ppi geneve gtp etherip"
        " l2tp nflog pflog fr tr isl mip ayiya batadv trill nsh 6lowpan linx"
        " teredo capwap capwap.data lwapp arcnet"
    )
)
"""Layers that tshark looks through and we do not; all that lies behind them is left out by name."""
PREFERENCES = """\
ip.defragment: TRUE
ip.check_checksum: FALSE
ip.tso_support: TRUE
ipv6.defragment: TRUE
tcp.desegment_tcp_streams: FALSE
tcp.check_checksum: FALSE
tcp.analyze_sequence_numbers: FALSE
tcp.try_heuristic_first: FALSE
udp.check_checksum: FALSE
udp.try_heuristic_first: FALSE
"""
NUMBER, LAYERS, LENGTH = "frame.number", "frame.protocols", "frame.len"
IP = ("ip.src", "ip.dst", "ip.len", "ip.frag_offset", "ip.flags.mf")
IPV6 = ("ipv6.src", "ipv6.dst", "ipv6.plen")
TCP_HEADER = "tcp.hdr_len"
PORTS = {"tcp": ("tcp.srcport", "tcp.dstport"), "udp": ("udp.srcport", "udp.dstport")}
WHOLE = ("ip.reassembled_in", "ipv6.reassembled.in")
FIELDS = (NUMBER, LAYERS, LENGTH, *IP, *IPV6, *PORTS["tcp"], *PORTS["udp"], TCP_HEADER, *WHOLE)


LINK_BYTES = {"eth": 14, "vlan": 4, "ieee8021ad": 4}
TOO_LONG, BAD_TCP = "IP length beyond the frame", "TCP header of an impossible size"


class Unreadable(Exception):
    """tshark itself does not read the file, or not in time."""


@dataclass
class View:
    """One program's view of one capture."""

    packets: Counter[Way] = field(default_factory=Counter)
    octets: Counter[Way] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    """Segments behind a layer we do not decode, by its name."""
    odd: Counter[tuple[Way, str]] = field(default_factory=Counter)
    """How many of a way's packets are unusual, and in what."""

    def add(self, way: Way, packets: int, octets: int) -> None:
        """Counts packets going one way."""
        self.packets[way] += packets
        self.octets[way] += octets


@dataclass
class _Header:
    """An IP header on the way through a frame."""

    src: str
    dst: str
    octets: int
    fragment: bool
    size: int
    """Of the header itself, without options."""

    def has_room(self, tcp_header: int) -> bool:
        """Whether a TCP header of this size can follow it."""
        return tcp_header >= 20 and (self.fragment or tcp_header <= self.octets - self.size)


@cache
def _settings() -> TemporaryDirectory[str]:
    """A configuration folder in which everything that matters is pinned; gone when the program ends."""
    kept = TemporaryDirectory(prefix="witness-")
    folder = Path(kept.name)
    listed = subprocess.run(["tshark", "-G", "protocols"], check=True, capture_output=True, text=True).stdout
    names = {line.split("\t")[2] for line in listed.splitlines()}
    unwanted = sorted(names - DECODED - OTHERS)
    (folder / "disabled_protos").write_text("\n".join(unwanted) + "\n")
    (folder / "preferences").write_text(PREFERENCES)
    return kept


def _frames(path: Path, timeout: float) -> Iterator[dict[str, str]]:
    words = ["tshark", *shlex.split("-n -2 -T fields -E occurrence=a -E aggregator=,")]
    words += ["-r", str(path)]
    for name in FIELDS:
        words += ["-e", name]
    settings = os.environ | {"WIRESHARK_CONFIG_DIR": _settings().name}
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=settings)
    except subprocess.TimeoutExpired as late:
        raise Unreadable(f"tshark took more than {timeout:.0f} s") from late
    if done.returncode and not done.stdout:
        raise Unreadable(done.stderr.strip().splitlines()[-1])
    for line in done.stdout.splitlines():
        yield dict(zip(FIELDS, line.split("\t"), strict=True))


class _Frame:
    """The layers of one frame, each with its own values."""

    def __init__(self, values: dict[str, str]) -> None:
        self.number = values[NUMBER]
        self.layers = values[LAYERS].split(":")
        self.values = {name: value.split(",") if value else [] for name, value in values.items()}

    def take(self, name: str) -> str | None:
        """The next layer's value of a field; None when the frame ends before it."""
        rest = self.values[name]
        return rest.pop(0) if rest else None

    def ip(self) -> _Header:
        """The next IPv4 header."""
        src, dst, length, offset, more = (self.take(name) for name in IP)
        fragment = offset not in (None, "0") or more in ("1", "True")
        return _Header(src or "", dst or "", int(length or 0), fragment, 20)

    def ipv6(self) -> _Header:
        """The next IPv6 header."""
        src, dst, length = (self.take(name) for name in IPV6)
        return _Header(src or "", dst or "", int(length or 0) + 40, False, 40)


def _walk(frame: _Frame, view: View, pieces: dict[tuple[str, str, str], list[_Header]]) -> None:
    """Counts every TCP and UDP header of a frame under the IP header before it."""
    header, behind, room = _Header("", "", 0, False, 0), None, int(frame.take(LENGTH) or 0)
    too_long = False
    for layer in frame.layers:
        room -= LINK_BYTES.get(layer, 0)
        if layer in ("ip", "ipv6"):
            header = frame.ip() if layer == "ip" else frame.ipv6()
            too_long = too_long or header.octets > room
            room = header.octets - header.size
        elif layer == "ipv6.fraghdr":
            header.fragment = True
        elif layer in PORTS:
            ports = [frame.take(name) for name in PORTS[layer]]
            bad_tcp = layer == "tcp" and not header.has_room(int(frame.take(TCP_HEADER) or 20))
            if None in ports or behind:
                view.left_out[behind or "cut inside the ports"] += 1
                continue
            way = (layer, header.src, int(ports[0] or 0), header.dst, int(ports[1] or 0))
            _count(frame, view, way, header, pieces)
            view.odd[way, TOO_LONG] += too_long
            view.odd[way, BAD_TCP] += bad_tcp
        elif layer in OTHERS:
            behind = behind or layer


def _count(
    frame: _Frame, view: View, way: Way, header: _Header, pieces: dict[tuple[str, str, str], list[_Header]]
) -> None:
    view.add(way, 1, header.octets)
    if header.fragment:
        for piece in pieces.pop((frame.number, header.src, header.dst), []):
            view.add(way, 1, piece.octets)


def _pieces(frames: list[dict[str, str]]) -> dict[tuple[str, str, str], list[_Header]]:
    """The fragments that tshark puts together in a later frame, by that frame and their addresses."""
    found: dict[tuple[str, str, str], list[_Header]] = {}
    for values in frames:
        frame = _Frame(values)
        wholes = [number for name in WHOLE for number in frame.values[name]]
        if not wholes or not OTHERS.isdisjoint(frame.layers):
            continue
        headers = [getattr(frame, layer)() for layer in frame.layers if layer in ("ip", "ipv6")]
        for whole, header in zip(wholes, headers[-len(wholes) :], strict=True):
            if whole != frame.number:
                found.setdefault((whole, header.src, header.dst), []).append(header)
    return found


def view_of(path: Path, timeout: float) -> View:
    """tshark's view of a capture; raises Unreadable."""
    view, frames = View(), list(_frames(path, timeout))
    pieces = _pieces(frames)
    for values in frames:
        _walk(_Frame(values), view, pieces)
    return view
