"""Wide ports: the way of steering that works here, and doors opened by it.

The relay needs no rights for it: the helper steers and binds low ports, or the process itself if it has the
rights.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tidegate.helper.messages import MAX_RANGES, MAX_SPARED, Alter, Steer
from tidegate.helper.ports import ephemeral
from tidegate.helper.steering import Steered, SteeringRefused
from tidegate.model.errors import TidegateError, UsageError
from tidegate.relay import layout, machine
from tidegate.relay.plan import Service

METHODS = ("sk_lookup", "tproxy", "redirect")
"""Ways for many ports to come to one socket, the best first."""

_TRIED = ("127.255.255.254", ((9, 9),))
"""Steered for a moment to see whether it works: nobody listens there."""


class Rights(Protocol):
    """Who has them: a Helper, or OwnRights."""

    def steer(self, asked: Steer) -> Steered:
        """Raises SteeringRefused, OSError."""

    def alter(self, asked: Alter) -> None:
        """Raises SteeringRefused, OSError."""

    def release(self, steering: int) -> None:
        """Ends it."""

    def bind(self, protocol: str, address: str, port: int) -> socket.socket:
        """Raises OSError."""


def refusal(method: str, rights: Rights) -> str | None:
    """Why it does not work here; None if it does."""
    address, ports = _TRIED
    try:
        steered = rights.steer(Steer(method, address, ports, (), 1))
    except (OSError, TidegateError) as error:
        return _words(error)
    rights.release(steered.number)
    for one in steered.sockets:
        one.close()
    return None


@dataclass(frozen=True)
class Choice:
    """How many ports come to one socket here."""

    method: str
    """ "sockets" if no other way works."""
    refused: tuple[tuple[str, str], ...] = ()
    """Better ways, and why they do not."""

    @property
    def why(self) -> str:
        """Why it is not a better one; empty if it is the best."""
        return "; ".join(f"{method}: {reason}" for method, reason in self.refused)

    def __str__(self) -> str:
        """For the user."""
        return f"{self.method} ({self.why})" if self.refused else self.method


def choose(rights: Rights) -> Choice:
    """The best way that works here."""
    refused: list[tuple[str, str]] = []
    for method in METHODS:
        reason = refusal(method, rights)
        if reason is None:
            return Choice(method, tuple(refused))
        refused.append((method, reason))
    return Choice("sockets", tuple(refused))


@dataclass(frozen=True)
class Handed:
    """A socket that listens for a door: of a steered door, for its address and first port."""

    ip: str
    port: int
    socket: socket.socket


@dataclass(frozen=True)
class Arranged:
    """What an arrangement gave."""

    opened: tuple[Handed, ...]
    """Sockets that are new; their taker owns them."""
    notices: tuple[str, ...]
    """What the user should know; said when a door is opened."""
    problems: tuple[str, ...]
    """Doors that could not be opened or altered: arrange again to try them again."""


@dataclass
class _Open:
    number: int
    steering: layout.Steering


class Doors:
    """Doors that take rights: those that are steered, and those of low ports."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._steered: dict[tuple[str, int, str], _Open] = {}
        self._low: set[tuple[str, int]] = set()

    def arrange(self, services: Sequence[Service], choice: Choice | None = None) -> Arranged:
        """Opens, alters and ends what it takes to have just these doors; those that stay stay untouched.

        `choice` is what was chosen where settings leave it open. Raises UsageError for doors that cannot go
        well, before anything is changed.
        """
        wanted = layout.steerings(services, machine.is_local)
        why = choice.why if choice and choice.method == "sockets" else ""
        layout.check_sockets(services, ephemeral(), machine.open_files(), why)
        for steering in wanted:
            _check(steering)
        work = _Work(self._rights)
        before = self._steered
        self._steered = {}
        listening = machine.listening() if wanted else []
        for steering in wanted:
            key = _key(steering)
            found = work.steer(steering, before.pop(key, None), listening)
            if found:
                self._steered[key] = found
        for gone in before.values():
            self._rights.release(gone.number)
        self._low = work.bind_low(services, self._low)
        if work.opened:
            work.notices.extend(layout.own_backends(services, machine.is_local))
        return Arranged(tuple(work.opened), tuple(work.notices), tuple(work.problems))

    def close(self) -> None:
        """Ends all steering; sockets that were handed out stay."""
        for one in self._steered.values():
            self._rights.release(one.number)
        self._steered = {}


class _Work:
    """One arrangement."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self.opened: list[Handed] = []
        self.notices: list[str] = []
        self.problems: list[str] = []

    def steer(
        self, wanted: layout.Steering, known: _Open | None, listening: Sequence[layout.End]
    ) -> _Open | None:
        """What is open afterwards: as before if it could not be altered."""
        try:
            if known is None:
                return self._begin(wanted, listening)
            if (known.steering.ports, known.steering.spared) != (wanted.ports, wanted.spared):
                self.rights.alter(Alter(known.number, wanted.ports, wanted.spared))
            return replace(known, steering=wanted)
        except (OSError, TidegateError) as error:
            door = f"{wanted.door.ip} port {wanted.door.ports[0][0]} and more"
            self.problems.append(
                f'service "{wanted.service.name}": {door}: no {wanted.door.steering}: {_words(error)}'
            )
            return known

    def _begin(self, wanted: layout.Steering, listening: Sequence[layout.End]) -> _Open:
        door = wanted.door
        steered = self.rights.steer(Steer(door.steering, door.ip, wanted.ports, wanted.spared, 1))
        listener = steered.sockets[0]
        listener.listen(wanted.service.listen_backlog)
        self.opened.append(Handed(door.ip, door.ports[0][0], listener))
        warning = layout.shadowed(wanted, listening)
        self.notices.extend([warning] if warning else [])
        if not machine.is_local(door.ip):
            self.notices.append(f'service "{wanted.service.name}": this machine has no address {door.ip} now')
        return _Open(steered.number, wanted)

    def bind_low(self, services: Sequence[Service], known: set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Low ports with a socket of their own, which the relay may not bind itself; those that are open."""
        below = machine.low_ports()
        found: set[tuple[str, int]] = set()
        for service, ip, port in layout.plain_ends(services):
            if port < below and ((ip, port) in known or self._bind(service, ip, port)):
                found.add((ip, port))
        return found

    def _bind(self, service: Service, ip: str, port: int) -> bool:
        try:
            made = self.rights.bind("tcp", ip, port)
            made.listen(service.listen_backlog)
        except (OSError, TidegateError) as error:
            denied = isinstance(error, PermissionError)
            needs = (
                f": ports below {machine.low_ports()} take root, or CAP_NET_BIND_SERVICE" if denied else ""
            )
            self.problems.append(f'service "{service.name}": {ip} port {port}: {_words(error)}{needs}')
            return False
        self.opened.append(Handed(ip, port, made))
        return True


def _key(steering: layout.Steering) -> tuple[str, int, str]:
    door = steering.door
    return door.ip, door.ports[0][0], door.steering


def _check(steering: layout.Steering) -> None:
    """What the helper would refuse, in words that say what to do."""
    name = steering.service.name
    if not steering.ports:
        raise UsageError(
            f'service "{name}": other doors have all ports of {steering.door.ip} that it asks for'
        )
    if len(steering.ports) > MAX_RANGES:
        raise UsageError(
            f'service "{name}": its ports are {len(steering.ports)} ranges, and {MAX_RANGES} are the most '
            "that can be steered: join some, or make it several services"
        )
    alone = len(steering.spared)
    if alone > MAX_SPARED:
        raise UsageError(
            f'service "{name}": {alone} backends and doors of this machine would have to be left alone, and '
            f"{MAX_SPARED} are the most: give it an address of its own instead of {steering.door.ip}"
        )


def _words(error: OSError | TidegateError) -> str:
    if isinstance(error, SteeringRefused) or not isinstance(error, OSError):
        return str(error)
    return error.strerror or str(error)
