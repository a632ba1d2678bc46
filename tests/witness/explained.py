"""The committed list of differences from tshark, each with its reason. It stays short."""

from pathlib import Path

from tshark import BAD_TCP, TOO_LONG, View, Way

Counts = tuple[int, int]
"""Packets and IP bytes."""

FILES: dict[str, str] = {
    "ipv4_fragmented-1.pcap": "a first fragment of 18 bytes: RFC 791 wants a multiple of 8, so we drop it",
    "ipv6-reassembly-state-leak.pcap": "fragments 46 s apart: we wait 30 s, as Linux does; tshark for ever",
    "ipv6-mobility-dst-opts.pcap": "an option overruns its header: tshark stops, we believe the header",
    "Packet__Test_PacketExamples_NullLoopback.pcap": "an Ethernet type where the address family belongs",
    "Pcap__Test_PcapExamples_null_loopback.pcap": "an Ethernet type where the address family belongs",
}
"""Files whose differences have a reason of their own."""


def explain(path: Path, way: Way, mine: Counts, theirs: Counts, view: View) -> str | None:
    """Why a difference is right; None if there is no reason."""
    if view.odd[way, TOO_LONG] and mine[0] == theirs[0] and mine[1] < theirs[1]:
        return "the IP length is beyond the frame's end: we count what was on the wire"
    if 0 < view.odd[way, BAD_TCP] == theirs[0] - mine[0]:
        return "a TCP header that does not fit in its segment (RFC 9293): counted as malformed"
    return FILES.get(path.name)
