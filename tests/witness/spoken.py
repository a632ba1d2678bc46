"""What tshark hears: HTTP requests and replies, server names of TLS and QUIC, DNS questions and answers."""

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tshark import OTHERS, Unreadable

Fact = tuple[str, ...]
"""What was said: its kind, who said it to whom, and the words."""

LEFT_OUT = "left out"
"""The kind of what lies behind a layer we do not decode."""
NOT_ENTERED = OTHERS | {"socks"}
SEPARATOR = "\x1f"
HTTP = ("http.request.method", "http.host", "http.request.uri", "http.response.code")
SNI = "tls.handshake.extensions_server_name"
DNS = ("dns.id", "dns.qry.name", "dns.qry.type", "dns.flags.response", "dns.flags.rcode")
ENDS = (
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.srcport",
    "udp.srcport",
    "tcp.dstport",
    "udp.dstport",
)
FIELDS = ("frame.protocols", *ENDS, *HTTP, SNI, *DNS)
PREFERENCES = """\
ip.defragment: TRUE
tcp.desegment_tcp_streams: {joined}
tcp.reassemble_out_of_order: {joined}
tcp.check_checksum: FALSE
udp.check_checksum: FALSE
ip.check_checksum: FALSE
"""
HEURISTICS = ("http_tcp", "tls_tcp", "quic")


@cache
def _settings(joined: bool) -> TemporaryDirectory[str]:
    kept = TemporaryDirectory(prefix="witness-")
    (Path(kept.name) / "preferences").write_text(PREFERENCES.format(joined=str(joined).upper()))
    return kept


def _frames(path: Path, timeout: float, joined: bool) -> Iterator[dict[str, list[str]]]:
    words = ["tshark", *shlex.split("-n -2 -T fields -E occurrence=a -E separator=/t"), "-E"]
    words += [f"aggregator={SEPARATOR}", "-Y", "http or tls or quic or dns or mdns or llmnr", "-r", str(path)]
    for name in HEURISTICS:
        words += ["--enable-heuristic", name]
    for name in FIELDS:
        words += ["-e", name]
    settings = os.environ | {"WIRESHARK_CONFIG_DIR": _settings(joined).name}
    try:
        done = subprocess.run(words, capture_output=True, timeout=timeout, env=settings)
    except subprocess.TimeoutExpired as late:
        raise Unreadable(f"tshark took more than {timeout:.0f} s") from late
    if done.returncode and not done.stdout:
        raise Unreadable(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    for line in done.stdout.decode("utf-8", "backslashreplace").split("\n"):
        values = line.rstrip("\r").split("\t")
        if len(values) == len(FIELDS):
            yield {
                name: value.split(SEPARATOR) if value else []
                for name, value in zip(FIELDS, values, strict=True)
            }


def ends_of(frame: dict[str, list[str]]) -> tuple[str, str, str, str]:
    """Innermost sender and receiver."""

    layers = frame["frame.protocols"][0].split(":")

    def innermost(*kinds: str) -> tuple[str, str]:
        names = {"ip": ("ip.src", "ip.dst"), "ipv6": ("ipv6.src", "ipv6.dst")}
        names |= {kind: (f"{kind}.srcport", f"{kind}.dstport") for kind in ("tcp", "udp")}
        for layer in reversed(layers):
            if layer in kinds and all(frame[name] for name in names[layer]):
                src, dst = names[layer]
                return frame[src][-1], frame[dst][-1]
        return "", ""

    (src, dst), (sport, dport) = innermost("ip", "ipv6"), innermost("tcp", "udp")
    return src, sport, dst, dport


def heard_by_tshark(path: Path, timeout: float, *, joined: bool = True) -> Counter[Fact]:
    """Every fact in a capture; raises Unreadable.

    Not `joined`, segments are not put together: then it hears messages that lack some of their bytes.
    """
    facts = Counter[Fact]()
    for frame in _frames(path, timeout, joined):
        layers = frame["frame.protocols"][0].split(":")
        if not NOT_ENTERED.isdisjoint(layers):
            facts[(LEFT_OUT, *sorted(NOT_ENTERED.intersection(layers)))] += 1
            continue
        src, sport, dst, dport = ends_of(frame)
        if "http" in layers and "tcp" in layers:
            _http(frame, (src, sport, dst, dport), facts)
        kind = "quic" if "quic" in layers else "tls"
        for name in frame[SNI]:
            facts[(kind, src, sport, dst, dport, name)] = 1
        if "icmp" not in layers and "icmpv6" not in layers:
            _dns(frame, (src, sport, dst, dport), facts)
    return facts


def _http(frame: dict[str, list[str]], ends: tuple[str, str, str, str], facts: Counter[Fact]) -> None:
    src, sport, dst, dport = ends
    for name, kind in (("http.request.method", "method"), ("http.host", "host"), ("http.request.uri", "uri")):
        for value in frame[name]:
            facts[(f"http {kind}", *ends, value)] += 1
    for status in frame["http.response.code"]:
        facts[("http status", dst, dport, src, sport, status)] += 1


def _dns(frame: dict[str, list[str]], ends: tuple[str, str, str, str], facts: Counter[Fact]) -> None:
    src, sport, dst, dport = ends
    whole = len(frame["dns.id"]) == len(frame["dns.flags.response"]) == 1
    if not whole:  # several messages in one frame: which question is whose is not to be told
        return
    reply = frame["dns.flags.response"][0] in ("1", "True")
    asked = (dst, dport) if reply else (src, sport)
    number = str(int(frame["dns.id"][0], 16))
    for name, kind in zip(frame["dns.qry.name"], frame["dns.qry.type"], strict=False):
        asked_for = "" if name.lower() == "<root>" else name.lower().rstrip(".")
        question = (*asked, number, asked_for, kind)
        facts[("dns question", *question)] = 1
        for rcode in frame["dns.flags.rcode"] if reply else ():
            facts[("dns rcode", *question, rcode)] = 1
