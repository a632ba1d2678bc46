"""What the core's relay is told: services with everything looked up, expanded and checked.

The core reads these objects by their attributes (crates/py/src/relay/plan.rs). Names are resolved, port lists
expanded, list files read before: a plan holds addresses and bytes only. Seconds are floats, sizes bytes,
rates per second; None is "no limit".
A new plan takes the place of the old one without a connection lost: services are the same if their names are.
"""

from dataclasses import dataclass
from typing import Literal

Refusal = Literal["close", "reset", "silent", "tarpit", "wait"]
"""What happens to who is not let in: closed, reset, held without an answer for a while, sent a byte now and
then, or left in the backlog until there is room (limits on connections of a service or of the relay only)."""


@dataclass(frozen=True)
class Address:
    """Where something listens or is connected to: an IP address and a port, or a unix socket's path."""

    ip: str | None = None
    port: int = 0
    path: str | None = None


@dataclass(frozen=True)
class Door:
    """A socket that is listened on. `ports` is what was asked for: (first, last) ranges.

    One port: an ordinary socket; more: `steering` says how they all come to one ("sockets": a socket each).
    """

    ip: str
    """An address takes its own family only: for both, "0.0.0.0" and "::" are two doors."""
    ports: tuple[tuple[int, int], ...]
    steering: Literal["sockets", "sk_lookup", "redirect", "tproxy"] = "sockets"
    fds: tuple[tuple[int, int], ...] = ()
    """Listening sockets that are open already, (port, descriptor): of a steered door for its first port.

    They are copied, so that the caller may close them; the other ports are opened by the core.
    """


@dataclass(frozen=True)
class Backend:
    """Somewhere connections go.

    Several targets share the load by weight; one that cannot be reached is left out for a while.
    """

    name: str
    targets: tuple[tuple[Address, int], ...]
    proxy_protocol: Literal["v1", "v2"] | None = None


@dataclass(frozen=True)
class Rule:
    """The first one whose every condition holds decides. Conditions that are empty hold always."""

    name: str
    backend: str | None
    """None: refused by `refusal`."""
    pattern: bytes | None = None
    """A regular expression (RE2's syntax, linear time) on the client's first bytes; not anchored."""
    services: tuple[str, ...] = ()
    """Protocols as the engine recognises them: "http", "tls", "ssh" ..."""
    sni: tuple[str, ...] = ()
    """Server names: exact, or "*.example.org"; any case."""
    alpn: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    """Names of the HTTP Host header, as `sni`."""
    sources: tuple[str, ...] = ()
    """Networks of the client, "192.0.2.0/24"."""
    countries: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()
    """Original ports, (first, last)."""
    refusal: Refusal = "close"


@dataclass(frozen=True)
class Timeouts:
    """Seconds; None never."""

    connect: float = 10.0
    first_byte: float = 3.0
    """The client says nothing: it goes to its port's default. Only waited for where rules look at bytes."""
    detect: float = 5.0
    """The client's first bytes are no whole request yet: it is sent where they point to so far."""
    idle: float | None = 3600.0
    half_closed: float | None = 300.0
    write_stall: float | None = 60.0
    """A receiver takes nothing though there is something to take."""
    lifetime: float | None = None
    tarpit: float = 30.0


@dataclass(frozen=True)
class Limits:
    """What a service admits. Exact: of n places n are given, however many arrive at once."""

    connections: int | None = None
    per_address: int | None = None
    per_network: int | None = None
    per_port: int | None = None
    """Connections to one original port."""
    network_v4: int = 24
    network_v6: int = 64
    addresses: int | None = None
    """Different addresses at once; who has a connection already may have more."""
    rate: float | None = None
    """New connections a second, with `burst` at once."""
    burst: int = 1
    rate_per_address: float | None = None
    burst_per_address: int = 1
    bytes_per_second: int | None = None
    """Of the whole service, both directions; connections are slowed down."""
    bytes_per_second_connection: int | None = None
    bytes_per_day: int | None = None
    """Beyond it new connections are refused until the next day (UTC)."""
    refusal: Refusal = "close"


@dataclass(frozen=True)
class Excerpts:
    """What of the payload is kept in events."""

    per_direction: int = 0
    """The first bytes of each direction."""
    per_read: int = 0
    """The first bytes of each read; gives an event a read."""
    reads: bool = False
    """An event (recv, send) for each read, even without payload."""
    hex: bool = False
    """All bytes go to the reader as they pass (hex dump)."""


@dataclass(frozen=True)
class Service:
    """Doors, who may come in, and where they go."""

    name: str
    doors: tuple[Door, ...]
    backends: tuple[Backend, ...]
    default: str | None
    """The backend of who matches no rule or says nothing; None refuses."""
    port_defaults: tuple[tuple[int, int, str], ...] = ()
    """(first port, last port, backend) before `default`."""
    rules: tuple[Rule, ...] = ()
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    deny: tuple[str, ...] = ()
    """Networks; refused by `limits.refusal`."""
    allow: tuple[str, ...] = ()
    """If there are any, only these are let in. `deny` goes before."""
    proxy_from: tuple[str, ...] = ()
    """Networks whose connections begin with a PROXY header (v1 or v2) that is believed."""
    excerpts: Excerpts = Excerpts()
    keepalive: float | None = 60.0
    read_buffer: int = 262_144
    write_buffer: int = 262_144
    """Bytes that may wait for a slow receiver, per direction."""
    detect_bytes: int = 8192
    """Of the first bytes, at most so many are waited for and looked at."""
    listen_backlog: int = 1024
    listen_retry: float = 5.0
    """Seconds until a port that is taken is tried again."""
    parse: bool = True
    """Whether protocols are followed (tables http, tls, ssh, dns ...); without, bytes are spliced."""
    today: int = 0
    """Bytes of this day (UTC) that passed before the start."""


@dataclass(frozen=True)
class Plan:
    """All of it."""

    services: tuple[Service, ...]
    sensor: str = ""
    threads: int = 1
    memory: int = 512_000_000
    """Bytes of payload that may wait, of all connections."""
    connections: int | None = None
    """All services together; never more than open files allow."""
    spare_files: int = 64
    """Open files kept free: beyond, accepting pauses."""
    drain: float = 30.0
    """Seconds that connections get to end by themselves when the relay stops."""
    countries: str | None = None
    """An MMDB file with countries, if rules ask for them."""
