"""Rules without a relay: what is wrong with them, and where a client that says this would go."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tidegate import _core
from tidegate.model.config import RelaySettings
from tidegate.model.errors import UsageError, from_core
from tidegate.model.ports import within
from tidegate.model.text import clip
from tidegate.relay.build import Surroundings, build, files_of, names_of
from tidegate.relay.plan import Plan, Service


@dataclass(frozen=True)
class Finding:
    """What is wrong with a rule, or with a service as a whole."""

    service: str
    rule: str | None
    kind: str
    """wrong, backend, unreachable, duplicate, conflict, never, empty, waits, refusal."""
    fatal: bool
    """Whether it keeps the relay from starting."""
    text: str

    def path(self, settings: RelaySettings) -> tuple[str | int, ...]:
        """Where it stands in a configuration."""
        for number, service in enumerate(settings.services):
            if service.name == self.service:
                names = [rule.name for rule in service.rules]
                rule = ("rules", names.index(self.rule)) if self.rule in names else ()
                return ("relay", "services", number, *rule)
        return ("relay",)

    def __str__(self) -> str:
        """In one line."""
        of = f'rule "{clip(self.rule, 60)}": ' if self.rule else ""
        return f'service "{clip(self.service, 60)}": {of}{self.text}'


@dataclass(frozen=True)
class Call:
    """A client, and what it says."""

    first_bytes: bytes
    source: str = "127.0.0.1"
    port: int = 0
    """The one it called; the first of the service if 0."""
    country: str | None = None
    more: bool = False
    """Whether it may go on talking."""


@dataclass(frozen=True)
class Judged:
    """Where it goes."""

    service: str
    waits: bool
    """Whether more bytes are waited for: nothing else is known then."""
    backend: str | None = None
    """None: it is refused, by `refusal`."""
    rule: str | None = None
    protocol: str | None = None
    refusal: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return vars(self)


def check_rules(settings: RelaySettings) -> list[Finding]:
    """What is wrong with the rules of all services. Names and list files are not looked at."""
    return [
        Finding(service.name, *found)
        for service in plain_plan(settings).services
        for found in _check(service)
    ]


def judge(settings: RelaySettings, call: Call, service: str = "") -> Judged:
    """Where a client goes; raises UsageError for a service or port that is not there, or for wrong rules.

    Without a service it is the only one, or the only one that listens on the port.
    """
    asked = _chosen(plain_plan(settings), service, call.port)
    port = call.port or asked.doors[0].ports[0][0]
    with from_core():
        taken = _core.relay_judge(asked, call.first_bytes, call.source, port, not call.more, call.country)
    if taken is None:
        return Judged(asked.name, waits=True)
    backend, rule, protocol, refusal = taken
    return Judged(asked.name, False, backend, rule, protocol, "" if backend else refusal)


def plain_plan(settings: RelaySettings) -> Plan:
    """A plan without anything looked up: names stand for nobody's address, list files are empty."""
    nobody = ("192.0.2.1",)
    around = Surroundings(dict.fromkeys(names_of(settings), nobody), dict.fromkeys(files_of(settings), ()))
    return build(settings, around)


def _check(service: Service) -> Iterator[tuple[str | None, str, bool, str]]:
    with from_core():
        yield from _core.relay_check(service)


def _chosen(made: Plan, name: str, port: int) -> Service:
    services = {service.name: service for service in made.services}
    if not services:
        raise UsageError("the configuration has no services in relay; name another one with --config FILE")
    there = ", ".join(clip(each, 40) for each in services)
    if name and name not in services:
        raise UsageError(f'there is no service "{clip(name, 40)}"; there are {there}')
    asked = [services[name]] if name else list(services.values())
    found = [service for service in asked if not port or _listens(service, port)]
    if not found:
        whose = f'service "{clip(name, 40)}"' if name else "no service"
        raise UsageError(f"{whose} {'does not listen' if name else 'listens'} on port {port}")
    if len(found) > 1:
        there = ", ".join(clip(service.name, 40) for service in found)
        raise UsageError(f"there are several services, name one with --service: {there}")
    return found[0]


def _listens(service: Service, port: int) -> bool:
    return any(within(port, door.ports) for door in service.doors)
