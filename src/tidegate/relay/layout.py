"""Doors beside each other: what is steered, what is left alone, and what cannot go well. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from tidegate.helper.ports import Ephemeral
from tidegate.model.ends import joined
from tidegate.model.errors import UsageError
from tidegate.model.ports import Ranges, count_ports, say_ports, union, within, without
from tidegate.relay.plan import Address, Door, Service

FEWEST_OUTGOING = 4096
"""Ports that outgoing connections should have left, to reach backends from."""

End = tuple[str, int]


@dataclass(frozen=True)
class Steering:
    """A door of many ports, as it is steered beside all the others."""

    service: Service
    door: Door
    ports: Ranges
    """Those of the door that no other door has for itself."""
    spared: tuple[End, ...]
    """Addresses and ports that are left alone: backends on this machine, and doors of one address."""


def steerings(services: Sequence[Service], is_local: Callable[[str], bool]) -> list[Steering]:
    """What is to be steered. A door with a socket for each of its ports goes before a wide one."""
    plain = [door for service in services for door in service.doors if door.steering == "sockets"]
    backends = [end for end in _backends(services) if is_local(end[0])]
    return [
        Steering(service, door, _ports(door, plain), _spared(door, plain, backends))
        for service in services
        for door in service.doors
        if door.steering != "sockets"
    ]


def plain_ends(services: Sequence[Service]) -> Iterator[tuple[Service, str, int]]:
    """Every port that has a socket of its own."""
    for service in services:
        for door in service.doors:
            if door.steering == "sockets":
                for first, last in door.ports:
                    for port in range(first, last + 1):
                        yield service, door.ip, port


def check_sockets(services: Sequence[Service], outgoing: Ephemeral, files: int, why: str = "") -> None:
    """Raises UsageError if sockets of their own for all these ports cannot go well.

    `files` may be open; `why` says why no port can be steered here, if that is so.
    """
    doors = [door for service in services for door in service.doors if door.steering == "sockets"]
    steer = f"or mend what keeps them from being steered ({why})" if why else "or have them steered, as root"
    needed = sum(count_ports(door.ports) for door in doors)
    if needed > files:
        raise UsageError(
            f"{needed:,} ports with a socket each take as many open files, and {files:,} are the limit: "
            f"raise it (ulimit -Hn, LimitNOFILE= of the service), ask for fewer ports, {steer}"
        )
    asked = union(one for door in doors for one in door.ports)
    before, left = outgoing.free(), outgoing.free(asked)
    if left < FEWEST_OUTGOING and (before - left) * 4 > before:
        ranges = say_ports(outgoing.ranges)
        raise UsageError(
            f"a socket for each of these ports leaves {left:,} of {before:,} ports for outgoing connections, "
            f'so that backends could not be reached: leave those ports out ("... except {ranges}"), {steer}'
        )


def own_backends(services: Sequence[Service], is_local: Callable[[str], bool]) -> Iterator[str]:
    """Warns of backends that lie behind a door of their own service."""
    for service in services:
        for backend in service.backends:
            for end in _ends([address for address, _ in backend.targets]):
                door = next((door for door in service.doors if _leads_to(door, end)), None)
                if door and is_local(end[0]) and not _only_for_programs_here(door, end):
                    yield _own_backend(service, door, end)


def shadowed(steering: Steering, listening: Sequence[End]) -> str | None:
    """Warns of others that listen where new connections will be steered away from them."""
    taken = sorted(
        {
            port
            for address, port in listening
            if within(port, steering.ports)
            and (address, port) not in steering.spared
            # What listens on :: takes IPv4 as well, unless it says otherwise.
            and (address == "::" or _same_family(address, steering.door.ip))
            and (_is_any(address) or _is_any(steering.door.ip) or _same(address, steering.door.ip))
        }
    )
    if not taken:
        return None
    ports = ",".join(map(str, taken[:20])) + (" ..." if len(taken) > 20 else "")
    return (
        f'service "{steering.service.name}": somebody else listens on port {ports} and gets no new '
        f'connections to {steering.door.ip} while the relay runs: leave it to them by "... except {ports}"'
    )


def _only_for_programs_here(door: Door, end: End) -> bool:
    """Whether nobody who comes by a steered door of all addresses could go past it to that backend."""
    return door.steering != "sockets" and _is_any(door.ip) and ip_address(end[0]).is_loopback


def _own_backend(service: Service, door: Door, end: End) -> str:
    at = joined(*end)
    begin = f'service "{service.name}": its backend {at} lies within its own ports'
    if door.steering == "sockets":
        return f'{begin}, and only one of them can have it: leave it out ("... except {end[1]}")'
    return f"{begin}: connections to {at} go to the backend itself, without the relay"


def _spared(door: Door, plain: Sequence[Door], backends: Sequence[End]) -> tuple[End, ...]:
    ends = [*backends, *_doors(door, plain)]
    return tuple(dict.fromkeys(end for end in ends if _same_family(end[0], door.ip)))


def _ports(door: Door, plain: Sequence[Door]) -> Ranges:
    beside = [other for other in plain if _same_family(other.ip, door.ip)]
    over = [other for other in beside if _is_any(other.ip) or _same(other.ip, door.ip)]
    return without(door.ports, (one for other in over for one in other.ports))


def _doors(door: Door, plain: Sequence[Door]) -> Iterator[End]:
    """Those of one address, beside a wide one of all addresses."""
    for other in plain:
        if _is_any(door.ip) and not _is_any(other.ip) and _same_family(other.ip, door.ip):
            for first, last in other.ports:
                yield from ((other.ip, port) for port in range(first, last + 1))


def _backends(services: Sequence[Service]) -> Iterator[End]:
    for service in services:
        for backend in service.backends:
            yield from _ends([address for address, _ in backend.targets])


def _ends(addresses: Sequence[Address]) -> Iterator[End]:
    for address in addresses:
        if address.ip is not None:
            # Who connects to "any address" is taken to this machine.
            any_ip = "::1" if ":" in address.ip else "127.0.0.1"
            yield (any_ip if _is_any(address.ip) else str(ip_address(address.ip))), address.port


def _leads_to(door: Door, end: End) -> bool:
    """Whether a connection to that end comes to this door."""
    same = _same_family(door.ip, end[0]) and (_is_any(door.ip) or _same(door.ip, end[0]))
    return same and within(end[1], door.ports)


def _same_family(one: str, other: str) -> bool:
    return (":" in one) == (":" in other)


def _same(one: str, other: str) -> bool:
    return ip_address(one) == ip_address(other)


def _is_any(ip: str) -> bool:
    return ip_address(ip).is_unspecified
