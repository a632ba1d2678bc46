"""What types cannot say of the relay: doors, targets and patterns that parse, backends that exist."""

import difflib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tidegate.model.config import (
    BackendSettings,
    RelayLimits,
    RelayServiceSettings,
    RelaySettings,
    RouteSettings,
)
from tidegate.model.ends import Listen, leads_into, parse_listen, parse_network, parse_ports, parse_target
from tidegate.model.errors import SettingError, UsageError, tried
from tidegate.model.pattern import check_pattern
from tidegate.model.ports import overlap
from tidegate.model.text import clip
from tidegate.settings.document import Path_
from tidegate.settings.problem import twice

Found = Iterator[SettingError]

_LONGEST_NAME = 100

_MOST_TARGETS = 64
"""Of a backend, as the core's balance has it."""

_MOST = 10**9
"""Counts and seconds: far beyond what anybody means, and still a number to the core."""

_MOST_BYTES = 10**15
"""The same of bytes."""

_SIZES = ("bytes_", "per_direction", "per_read", "memory", "read_buffer", "write_buffer", "detect_bytes")


def check_relay(relay: RelaySettings) -> Found:
    """Everything that contradicts itself, is named twice or does not parse, with its place."""
    path: Path_ = ("relay",)
    names = [backend.name for backend in relay.backends]
    yield from twice((*path, "backends"), names)
    yield from twice((*path, "services"), [service.name for service in relay.services])
    for number, backend in enumerate(relay.backends):
        yield from _backend((*path, "backends", number), backend)
    yield from _at_least(path, relay, threads=1, memory=1_000_000, connections=1, spare_files=0, resolve=1)
    doors: list[tuple[str, Listen]] = []
    for number, service in enumerate(relay.services):
        yield from _service((*path, "services", number), service, names)
        yield from _taken((*path, "services", number, "listen"), service, doors)
        yield from _itself((*path, "services", number, "backend"), service)


def _backend(path: Path_, backend: BackendSettings) -> Found:
    if not backend.targets:
        yield SettingError("a target at least is needed", *path, "targets")
    if len(backend.targets) > _MOST_TARGETS:
        yield SettingError(f"{_MOST_TARGETS} targets at most are tried", *path, "targets")
    yield from _each((*path, "targets"), backend.targets, parse_target)
    yield from _at_least(path, backend, check=0.1, check_timeout=0.01, check_fall=1, check_rise=1)


def _service(path: Path_, service: RelayServiceSettings, backends: list[str]) -> Found:
    if not service.name or len(service.name) > _LONGEST_NAME:
        yield SettingError(f"a name has 1 to {_LONGEST_NAME} characters", *path, "name")
    if not service.listen:
        yield SettingError("a door at least is needed", *path, "listen")
    yield from _each((*path, "listen"), service.listen, parse_listen)
    if not (service.backend or service.rules or service.ports):
        yield SettingError("the service leads nowhere: name a backend or a target", *path, "backend")
    yield from _goal((*path, "backend"), service.backend, backends)
    for number, other in enumerate(service.ports):
        yield from tried(partial(parse_ports, other.ports), *path, "ports", number, "ports")
        yield from _goal((*path, "ports", number, "backend"), other.backend, backends, needed=True)
    yield from twice((*path, "rules"), [rule.name for rule in service.rules])
    for number, rule in enumerate(service.rules):
        yield from _rule((*path, "rules", number), rule, backends)
    for key in ("deny", "allow", "proxy_from"):
        yield from _each((*path, key), getattr(service, key), parse_network)
    for key in ("deny_files", "allow_files"):
        for number, file in enumerate(getattr(service, key)):
            if not Path(file).is_absolute():
                yield SettingError(f'"{clip(file, 60)}": a whole path is needed, from /', *path, key, number)
    yield from _limits((*path, "limits"), service.limits)
    yield from _amounts(path, service)


def _rule(path: Path_, rule: RouteSettings, backends: list[str]) -> Found:
    if bool(rule.backend) == (rule.refusal is not None):
        yield SettingError("a rule has either a backend or a refusal", *path)
    if rule.refusal == "wait":
        text = "wait is for limits: a rule refuses by close, reset, silent or tarpit"
        yield SettingError(text, *path, "refusal")
    yield from _goal((*path, "backend"), rule.backend, backends)
    yield from tried(lambda: check_pattern(rule.pattern), *path, "pattern")
    yield from _each((*path, "sources"), rule.sources, parse_network)
    if rule.ports:
        yield from tried(lambda: parse_ports(rule.ports), *path, "ports")
    for number, country in enumerate(rule.countries):
        if not (len(country) == 2 and country.isascii() and country.isalpha()):
            text = f'"{clip(country, 20)}" is no country: two letters, such as DE'
            yield SettingError(text, *path, "countries", number)


def _limits(path: Path_, limits: RelayLimits) -> Found:
    counts = dict.fromkeys(("connections", "per_address", "per_network", "per_port", "addresses"), 1)
    yield from _at_least(path, limits, **counts, burst=1, burst_per_address=1)
    for key in ("rate", "rate_per_address"):
        value = getattr(limits, key)
        if value is not None and not 0 < value < 1e9:
            yield SettingError("a number above 0 is expected", *path, key)
    yield from _at_least(path, limits, bytes_per_second=1, bytes_per_second_connection=1, bytes_per_day=1)
    for key, most in (("network_v4", 32), ("network_v6", 128)):
        if not 1 <= getattr(limits, key) <= most:
            yield SettingError(f"a length of 1 to {most} bits is expected", *path, key)


def _amounts(path: Path_, service: RelayServiceSettings) -> Found:
    yield from _at_least(
        path, service, read_buffer=1024, write_buffer=1024, detect_bytes=1, listen_backlog=1, listen_retry=0.1
    )
    yield from _at_least((*path, "excerpts"), service.excerpts, per_direction=0, per_read=0)
    yield from _at_least((*path, "timeouts"), service.timeouts, connect=0.001, first_byte=0.001, detect=0.001)


def _taken(path: Path_, service: RelayServiceSettings, doors: list[tuple[str, Listen]]) -> Found:
    """Doors that another service, or another door of this one, has already."""
    for number, text in enumerate(service.listen):
        try:
            door = parse_listen(text)
        except UsageError:
            continue
        for owner, other in doors:
            both = overlap(door.ports, other.ports)
            if both is not None and _same(door.host, other.host):
                yield SettingError(f'port {both} is listened on by service "{owner}" already', *path, number)
        doors.append((service.name, door))


def _itself(path: Path_, service: RelayServiceSettings) -> Found:
    """A service that leads into its own door: one client would take up every place."""
    if service.rules or service.ports:  # these may lead elsewhere in the second round
        return
    try:
        target, doors = parse_target(service.backend), [parse_listen(text) for text in service.listen]
    except UsageError:
        return
    if any(leads_into(door, target) for door in doors):
        yield SettingError(f'"{target}" is a door of this service: it would call itself for ever', *path)


def _same(one: str, other: str) -> bool:
    """Whether a socket for one is in the way of the other; no host is every address."""
    return one == other or ("" in (one, other) and {one, other} & {"0.0.0.0", "::"} != set())  # noqa: S104


def _goal(path: Path_, text: str, backends: list[str], *, needed: bool = False) -> Found:
    """A backend's name or a target."""
    if text in backends or not (text or needed):
        return
    try:
        parse_target(text)
    except UsageError as error:
        near = difflib.get_close_matches(text, backends, 1)
        said = f'there is no backend "{clip(text, 60)}"; did you mean "{near[0]}"?' if near else str(error)
        if not near and text.isidentifier():
            said = f'there is no backend "{text}" under relay.backends'
        yield SettingError(said, *path)


def _at_least(path: Path_, group: object, **least: float) -> Found:
    for key, number in least.items():
        value = getattr(group, key)
        if value is not None and value < number:
            yield SettingError(f"{number:.10g} at least is expected", *path, key)
        most = _MOST_BYTES if key.startswith(_SIZES) else _MOST
        if value is not None and value > most:
            yield SettingError(f"{most:,} at most is expected", *path, key)


def _each(path: Path_, texts: tuple[str, ...], parse: Callable[[str], object]) -> Found:
    for number, text in enumerate(texts):
        yield from tried(partial(parse, text), *path, number)
