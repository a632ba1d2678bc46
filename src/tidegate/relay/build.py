"""From settings to the plan that the core is given: pure, what was looked up is an argument."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tidegate.model.config import (
    BackendSettings,
    RelayLimits,
    RelayServiceSettings,
    RelaySettings,
    RouteSettings,
)
from tidegate.model.ends import (
    Target,
    is_address,
    parse_listen,
    parse_network,
    parse_ports,
    parse_target,
)
from tidegate.model.errors import UsageError
from tidegate.model.ports import count_ports
from tidegate.relay import plan

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
"""Every address of a machine, in both families."""

NOBODY = ("255.255.255.255/32",)
"""No client has this address."""

SOCKETS = 64
"""Ports that have a socket each where steering is left to us; more come to one."""


@dataclass(frozen=True)
class Surroundings:
    """What was looked up."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of names."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Networks of list files."""
    missing: frozenset[str] = frozenset()
    """Targets, as people write them, that are known not to answer."""
    everywhere: tuple[str, ...] = EVERYWHERE
    steering: str = "sockets"
    """How many ports come to one socket here, where settings say "auto"."""
    sensor: str = ""
    countries: str | None = None
    today: Mapping[str, int] = field(default_factory=dict)
    """Bytes of this day that services have passed already."""


def names_of(relay: RelaySettings) -> list[str]:
    """The names whose addresses are needed, of doors and targets."""
    doors = [parse_listen(text).host for service in relay.services for text in service.listen]
    targets = [target.host for backend in backends_of(relay) for target in _targets(backend)]
    return [host for host in dict.fromkeys([*doors, *targets]) if host and not is_address(host)]


def files_of(relay: RelaySettings) -> list[str]:
    """The list files that are needed."""
    return [file for service in relay.services for file in (*service.deny_files, *service.allow_files)]


def backends_of(relay: RelaySettings) -> list[BackendSettings]:
    """Every backend: those that have a name, and targets that stand in the place of one."""
    named = {backend.name: backend for backend in relay.backends}
    used = dict.fromkeys(goal for service in relay.services for goal in _goals(service))
    return [*named.values(), *(BackendSettings(goal, (goal,)) for goal in used if goal not in named)]


def build(relay: RelaySettings, around: Surroundings) -> plan.Plan:
    """The plan; raises UsageError for what cannot be one."""
    backends = {backend.name: _backend(backend, around) for backend in backends_of(relay)}
    return plan.Plan(
        services=tuple(_service(service, backends, around) for service in relay.services),
        sensor=around.sensor,
        threads=relay.threads,
        memory=relay.memory,
        connections=relay.connections,
        spare_files=relay.spare_files,
        drain=relay.drain,
        countries=around.countries,
    )


def _service(
    service: RelayServiceSettings, backends: Mapping[str, plan.Backend], around: Surroundings
) -> plan.Service:
    limits, timeouts, excerpts = service.limits, service.timeouts, service.excerpts
    return plan.Service(
        name=service.name,
        doors=tuple(_doors(service, around)),
        backends=tuple(backends[goal] for goal in dict.fromkeys(_goals(service))),
        default=service.backend or None,
        port_defaults=tuple(
            (first, last, other.backend)
            for other in service.ports
            for first, last in parse_ports(other.ports)
        ),
        rules=tuple(map(_rule, service.rules)),
        timeouts=plan.Timeouts(**vars(timeouts)),
        limits=_limits(limits),
        today=around.today.get(service.name, 0),
        deny=_networks(service.deny, service.deny_files, around),
        allow=_allowed(service, around),
        proxy_from=_networks(service.proxy_from, (), around),
        excerpts=plan.Excerpts(
            per_direction=excerpts.per_direction,
            per_read=excerpts.per_read,
            reads=excerpts.reads,
            hex=service.hex,
        ),
        keepalive=service.keepalive,
        read_buffer=service.read_buffer,
        write_buffer=service.write_buffer,
        detect_bytes=service.detect_bytes,
        listen_backlog=service.listen_backlog,
        listen_retry=service.listen_retry,
        parse=service.parse,
    )


def _doors(service: RelayServiceSettings, around: Surroundings) -> Iterator[plan.Door]:
    for text in service.listen:
        door = parse_listen(text)
        wide = count_ports(door.ports) > SOCKETS
        automatic = around.steering if wide else "sockets"
        steering = automatic if service.steering == "auto" else service.steering
        for ip in _ips(door.host, around) if door.host else around.everywhere:
            yield plan.Door(ip, door.ports, steering)  # type: ignore[arg-type]


def _backend(backend: BackendSettings, around: Surroundings) -> plan.Backend:
    """Its targets but for those that do not answer; if none does, all: one has to be tried."""
    targets = _targets(backend)
    there = [target for target in targets if str(target) not in around.missing] or targets
    addresses = [(address, target.weight) for target in there for address in _addresses(target, around)]
    return plan.Backend(backend.name, tuple(addresses), backend.proxy_protocol)


def _targets(backend: BackendSettings) -> list[Target]:
    return [parse_target(text) for text in backend.targets]


def _addresses(target: Target, around: Surroundings) -> list[plan.Address]:
    if target.path:
        return [plan.Address(path=target.path)]
    return [plan.Address(ip, target.port) for ip in _ips(target.host, around)]


def _ips(host: str, around: Surroundings) -> tuple[str, ...]:
    if is_address(host):
        return (host,)
    found = around.names.get(host, ())
    if not found:
        raise UsageError(f'there is no host "{host}"')
    return found


def _rule(rule: RouteSettings) -> plan.Rule:
    return plan.Rule(
        name=rule.name,
        backend=rule.backend or None,
        pattern=rule.pattern.encode() or None,
        services=rule.protocols,
        sni=rule.sni,
        alpn=rule.alpn,
        host=rule.host,
        sources=tuple(map(parse_network, rule.sources)),
        countries=tuple(country.upper() for country in rule.countries),
        ports=parse_ports(rule.ports) if rule.ports else (),
        refusal=rule.refusal or "close",
    )


def _goals(service: RelayServiceSettings) -> list[str]:
    """Backends it leads to, by name, the default first."""
    goals = [
        service.backend,
        *(other.backend for other in service.ports),
        *(rule.backend for rule in service.rules),
    ]
    return [goal for goal in goals if goal]


def _allowed(service: RelayServiceSettings, around: Surroundings) -> tuple[str, ...]:
    """Who alone is let in. A list that is empty lets nobody in, which is said by a network of nobody."""
    networks = _networks(service.allow, service.allow_files, around)
    return networks or (NOBODY if service.allow_files else ())


def _networks(texts: Iterable[str], files: Iterable[str], around: Surroundings) -> tuple[str, ...]:
    said = [*map(parse_network, texts), *(network for file in files for network in around.lists[file])]
    return tuple(dict.fromkeys(said))


def _limits(limits: RelayLimits) -> plan.Limits:
    """A burst that was not given is what comes in a second."""
    bursts = {
        "burst": limits.burst or max(1, round(limits.rate or 0)),
        "burst_per_address": limits.burst_per_address or max(1, round(limits.rate_per_address or 0)),
    }
    return plan.Limits(**vars(limits) | bursts)
