"""Ports, doors and targets of the relay as people write them: "0.0.0.0:80,443", "1-65535 except 22"."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tidegate.model.errors import UsageError
from tidegate.model.ports import HIGHEST, Ranges, union, without
from tidegate.model.text import clip
from tidegate.model.units import is_loopback

_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?")
_WEIGHT = re.compile(r"(\S+)\s+weight\s+(\S+)")

TARGET_LIKE = "ADDRESS:PORT, [IPV6]:PORT, NAME:PORT or unix:/PATH"
LISTEN_LIKE = (
    'PORTS, ADDRESS:PORTS or [IPV6]:PORTS, PORTS such as 80, "80,443" or "1-65535 except 22,5000-5010"'
)


@dataclass(frozen=True)
class Listen:
    """Ports of an address or name that is listened on; an empty host is every address of the machine."""

    host: str
    ports: Ranges


@dataclass(frozen=True)
class Target:
    """Somewhere connections go: a host (address or name) and a port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""
    weight: int = 1

    def __str__(self) -> str:
        """As people write it."""
        return f"unix:{self.path}" if self.path else joined(self.host, self.port)


def leads_into(door: Listen, target: Target) -> bool:
    """Whether who calls the target comes in by this door; one of a range leaves its own targets alone."""
    everywhere = door.host in ("", "0.0.0.0", "::")  # noqa: S104
    here = target.host == door.host or (everywhere and is_loopback(target.host))
    return here and not target.path and (target.port, target.port) in door.ports


def joined(host: str, port: object) -> str:
    """ "192.0.2.1:80", "[2001:db8::1]:80"."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_ports(text: str) -> Ranges:
    """The ports of "80", "80,443", "1-1023", "1-65535 except 22,5000-5010"; raises UsageError."""
    wanted, word, unwanted = text.partition(" except ")
    ranges = union(_range(part, text) for part in wanted.split(","))
    if word:
        ranges = without(ranges, [_range(part, text) for part in unwanted.split(",")])
    if not ranges:
        raise UsageError(f'"{clip(text, 40)}" leaves no port')
    return ranges


def parse_listen(text: str) -> Listen:
    """What ":22", "0.0.0.0:80,443", "[::]:80", "localhost:1-1023" or "22" name; raises UsageError."""
    said = text.strip()
    if said.startswith("unix:"):
        raise _no_listen(text, "; unix sockets can only be gone to")
    host, ports = _split(said) if ":" in said else ("", said)
    if host is None or not ports:
        raise _no_listen(text)
    if host and not _is_host(host):
        raise _no_listen(text, f'; "{clip(host, 40)}" is neither an address nor a name')
    try:
        return Listen("" if host == "*" else host, parse_ports(ports))
    except UsageError as error:
        raise _no_listen(text, f"; {error}") from None


def parse_target(text: str) -> Target:
    """What "127.0.0.1:2222", "[::1]:80", "name:80", ":80" (here), "unix:/run/x.sock" name; raises UsageError.

    " weight 3" behind it is its share of the connections.
    """
    match = _WEIGHT.fullmatch(text.strip())
    said, weight = (match[1], match[2]) if match else (text.strip(), "1")
    if not (weight.isascii() and weight.isdigit() and 1 <= int(weight) <= 256):
        raise UsageError(f'"{clip(text, 60)}": a weight is a whole number from 1 to 256')
    if said.startswith("unix:"):
        return Target(path=_path(said.removeprefix("unix:"), text), weight=int(weight))
    host, port = _split(said) if ":" in said else ("", said)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    if host is None or not 1 <= number <= HIGHEST or (host and not _is_host(host)):
        raise UsageError(f'"{clip(text, 60)}" is no target: write {TARGET_LIKE}')
    return Target(host or "127.0.0.1", number, weight=int(weight))


def parse_network(text: str) -> str:
    """ "192.0.2.0/24" of a network or an address, in its usual form; raises UsageError."""
    said = text.strip()
    try:
        network: IPv4Network | IPv6Network = ip_network(said, strict=False)
    except ValueError:
        raise UsageError(
            f'"{clip(said, 60)}" is no address or network: write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32'
        ) from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped and network.prefixlen >= 96:
        return str(ip_network(f"{mapped}/{network.prefixlen - 96}"))
    return str(network)


def parse_address(text: str) -> str:
    """An address in its usual form; raises UsageError."""
    try:
        ip, _, length = parse_network(text).partition("/")
    except UsageError:
        raise UsageError(f'"{clip(text, 60)}" is no address: write 192.0.2.7 or 2001:db8::7') from None
    if int(length) != ip_address(ip).max_prefixlen:
        raise UsageError(f'"{clip(text, 60)}" is a network: one address is expected')
    return ip


def is_address(host: str) -> bool:
    """Whether it is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _split(text: str) -> tuple[str | None, str]:
    """Host and what is behind its colon; None for an IPv6 address without brackets."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        return (host, rest[1:]) if bracket and rest.startswith(":") and ":" in host else (None, "")
    host, _, rest = text.rpartition(":")
    return (None, "") if ":" in host else (host, rest)


def _is_host(host: str) -> bool:
    return host == "*" or is_address(host) or (_NAME.fullmatch(host) is not None and not _looks_numeric(host))


def _looks_numeric(host: str) -> bool:
    """Whether it is a mistyped address, such as 127.0.0.300, which no name server should be asked for."""
    return all(part.isdigit() for part in host.rstrip(".").split("."))


def _path(path: str, text: str) -> str:
    if not path.startswith("/") or len(path.encode()) > 107 or "\0" in path:
        raise UsageError(f'"{clip(text, 60)}": a unix socket is unix: and a path of at most 107 bytes from /')
    return path


def _no_listen(text: str, why: str = "") -> UsageError:
    return UsageError(f'"{clip(text, 60)}" cannot be listened on: write {LISTEN_LIKE}{why}')


def _range(part: str, text: str) -> tuple[int, int]:
    first, dash, last = part.strip().partition("-")
    numbers = [number.strip() for number in ((first, last) if dash else (first, first))]
    if not all(number.isascii() and number.isdigit() and len(number) < 6 for number in numbers):
        wrong = clip(part.strip(), 20)
        raise UsageError(f'"{clip(text, 40)}" is no list of ports: "{wrong}" is neither a port nor a range')
    low, high = map(int, numbers)
    if not 1 <= low <= high <= HIGHEST:
        raise UsageError(f'"{clip(text, 40)}": ports are 1 to {HIGHEST}, ranges ascending')
    return low, high
