"""Settings of the relay: services, where their connections go, who is let in, and what is kept of it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, SIZE, Written, option, required
from tidegate.model.units import parse_size

Refusal = Literal["close", "reset", "silent", "tarpit", "wait"]
Steering = Literal["auto", "sk_lookup", "redirect", "tproxy", "sockets"]

ALL = 1 << 30
"""Bytes that stand for all of them."""


class _Numbers(Written):
    """Text that may be a number only, which YAML takes for one."""

    def _read(self, value: object) -> object:
        if isinstance(value, list | tuple):
            return tuple(map(self._one, value))
        return super()._read(self._one(value))

    def _one(self, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _whole(text: str) -> tuple[str, ...]:
    return (text,)


def _excerpt(text: str) -> int:
    return ALL if text.strip() == "all" else parse_size(text)


DOORS = _Numbers(_whole, 'doors, such as ":22", "0.0.0.0:80,443", "[::]:1-65535 except 22"; one or a list')
PORTS = _Numbers(str, 'ports, such as 443, "25,587" or "1-1023 except 22"')
EXCERPT = Written(_excerpt, "a size such as 256 or 4K, or all")


@dataclass(frozen=True)
class BackendSettings:
    """A backend: one target, or several that share the connections."""

    name: str = required("name by which services and rules call it")
    targets: tuple[str, ...] = required(
        'where connections go: "127.0.0.1:8080", "[::1]:80", "name:80", "unix:/run/x.sock"; '
        '"10.0.0.2:80 weight 3" takes three times as many'
    )
    proxy_protocol: Literal["v1", "v2"] | None = option(
        None, "tell it the client's address by a PROXY header of this version"
    )
    check: Annotated[float, DURATION] | None = option(
        None, "how often each target is connected to, to see whether it is there; never unless given"
    )
    check_timeout: Annotated[float, DURATION] = option(2.0, "time for one such attempt")
    check_fall: int = option(3, "failures in a row after which a target is left out")
    check_rise: int = option(2, "successes in a row after which it is back")


@dataclass(frozen=True)
class RouteSettings:
    """A rule: the first one whose every condition holds decides. What is not given holds always."""

    name: str = required("name of the rule, for the records")
    backend: str = option("", "name of a backend, or a target; either this or refusal has to be given")
    refusal: Refusal | None = option(None, "refuse instead: close, reset, silent or tarpit")
    pattern: str = option(
        "", "regular expression (RE2) on the client's first bytes; ^ is their beginning, \\xff any byte"
    )
    protocols: tuple[str, ...] = option(
        (), "protocols by content: http, tls, ssh, smb, vnc, sip, redis and so on"
    )
    sni: tuple[str, ...] = option((), 'names of TLS: "www.example.org", "*.example.org"')
    alpn: tuple[str, ...] = option((), "application protocols of TLS: h2, http/1.1")
    host: tuple[str, ...] = option((), "names of the HTTP Host header, as sni")
    sources: tuple[str, ...] = option((), "addresses or networks of the client")
    countries: tuple[str, ...] = option((), "countries of the client, two letters: DE, JP; needs places")
    ports: Annotated[str, PORTS] = option("", "ports that the client asked for")


@dataclass(frozen=True)
class PortSettings:
    """Where clients of some ports go if no rule says anything, instead of the service's backend."""

    ports: Annotated[str, PORTS] = required("ports that the client asked for")
    backend: str = required("name of a backend, or a target")


@dataclass(frozen=True)
class RelayTimeouts:
    """Times after which something is over; null: never."""

    connect: Annotated[float, DURATION] = option(10.0, "the backend does not answer")
    first_byte: Annotated[float, DURATION] = option(
        3.0,
        "the client says nothing: it goes to its port's backend; waited for only where rules look at bytes",
    )
    detect: Annotated[float, DURATION] = option(
        5.0, "the first bytes are no whole request yet: it goes where they point to so far"
    )
    idle: Annotated[float, DURATION] | None = option(3600.0, "nobody says anything")
    half_closed: Annotated[float, DURATION] | None = option(300.0, "one side has ended, the other is silent")
    write_stall: Annotated[float, DURATION] | None = option(60.0, "a receiver takes nothing of what waits")
    lifetime: Annotated[float, DURATION] | None = option(None, "a connection at most; unset: any time")
    tarpit: Annotated[float, DURATION] = option(30.0, "who is refused by silent or tarpit is held so long")


@dataclass(frozen=True)
class RelayLimits:
    """Who is let in. Exact: of n places n are given, however many arrive at once."""

    connections: int | None = option(None, "connections of the service")
    per_address: int | None = option(None, "connections of one client address")
    per_network: int | None = option(None, "connections of one network of clients")
    per_port: int | None = option(None, "connections to one port that clients ask for")
    network_v4: int = option(24, "length of an IPv4 network, in bits")
    network_v6: int = option(64, "length of an IPv6 network, in bits")
    addresses: int | None = option(
        None, "client addresses at once; who is connected already may have more connections"
    )
    rate: float | None = option(None, "new connections a second")
    burst: int | None = option(None, "of them so many at once; those of a second unless given")
    rate_per_address: float | None = option(None, "new connections a second of one address")
    burst_per_address: int | None = option(None, "the same of one address")
    bytes_per_second: Annotated[int, SIZE] | None = option(
        None, "bytes a second of the service, both ways; connections are slowed down"
    )
    bytes_per_second_connection: Annotated[int, SIZE] | None = option(
        None, "bytes a second of one connection, both ways"
    )
    bytes_per_day: Annotated[int, SIZE] | None = option(
        None, "bytes a day (UTC), both ways; beyond, new connections are refused"
    )
    refusal: Refusal = option(
        "close",
        "what happens to others: close, reset, silent (held without an answer), tarpit (sent a byte now and "
        "then), wait (left in the backlog until there is room; for limits on connections in all)",
    )


@dataclass(frozen=True)
class RelayExcerpts:
    """What of the payload is kept in events."""

    per_direction: Annotated[int, EXCERPT] = option(0, "the first bytes of each direction; all: every byte")
    per_read: Annotated[int, EXCERPT] = option(0, "the first bytes of each read, in an event of its own")
    reads: bool = option(False, "an event (recv, send) for each read, even without payload")


@dataclass(frozen=True)
class RelayServiceSettings:
    """A service: doors, who may come in, and where they go."""

    name: str = required("name of the service; each has its own")
    listen: Annotated[tuple[str, ...], DOORS] = required(
        "what is listened on; without an address: all of them"
    )
    backend: str = option(
        "",
        "where connections go that no rule sends elsewhere: a backend's name, or a target; unset: refused",
    )
    steering: Steering = option(
        "auto", "how many ports come to one socket: sk_lookup, redirect, tproxy, or sockets (one a port)"
    )
    ports: tuple[PortSettings, ...] = option((), "other backends for some ports; the first that fits")
    rules: tuple[RouteSettings, ...] = option((), "where connections go by what they say, in order")
    timeouts: RelayTimeouts = option(RelayTimeouts(), "when something is over")
    limits: RelayLimits = option(RelayLimits(), "how many are let in, and how fast they are")
    deny: tuple[str, ...] = option((), "addresses and networks that are refused")
    deny_files: tuple[str, ...] = option((), "files of such, one a line, read again when they change")
    allow: tuple[str, ...] = option((), "if there are any, only these are let in; deny goes before")
    allow_files: tuple[str, ...] = option((), "files of such")
    proxy_from: tuple[str, ...] = option(
        (), "addresses and networks whose connections begin with a PROXY header that is believed"
    )
    excerpts: RelayExcerpts = option(RelayExcerpts(), "what of the payload is kept")
    keepalive: Annotated[float, DURATION] | None = option(
        60.0, "how often TCP asks whether a silent end lives"
    )
    read_buffer: Annotated[int, SIZE] = option(256 << 10, "bytes read at once")
    write_buffer: Annotated[int, SIZE] = option(256 << 10, "bytes that wait for a slow receiver, each way")
    detect_bytes: Annotated[int, SIZE] = option(8 << 10, "first bytes that rules look at")
    listen_backlog: int = option(1024, "connections that wait to be accepted")
    listen_retry: Annotated[float, DURATION] = option(5.0, "how soon a port that is taken is tried again")
    parse: bool = option(True, "follow protocols (tables http, tls, ssh and so on)")
    hex: bool = option(False, "print all bytes as they pass")


@dataclass(frozen=True)
class RelaySettings:
    """The relay."""

    services: tuple[RelayServiceSettings, ...] = option((), "doors and where they lead")
    backends: tuple[BackendSettings, ...] = option((), "where services and rules send connections")
    threads: int = option(1, "threads that carry bytes")
    memory: Annotated[int, SIZE] = option(512_000_000, "bytes of payload that wait, of all connections")
    connections: int | None = option(
        None, "connections of all services; as many as files may be open unless given"
    )
    spare_files: int = option(64, "open files that are kept free; beyond, accepting pauses")
    drain: Annotated[float, DURATION] = option(30.0, "time that connections get to end when the relay stops")
    resolve: Annotated[float, DURATION] = option(60.0, "how often names of backends are asked for again")
