"""Listening sockets of a plan's doors: opened before the core begins, low ports by who may bind them."""

import logging
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Protocol

from tidegate.model.ends import without
from tidegate.model.errors import TidegateError
from tidegate.relay import plan

_log = logging.getLogger("tidegate")

LOW_PORTS = 1024
MOST = 1024
"""Ports that are opened here; the core opens the others itself, a moment after its beginning."""

Place = tuple[str, int]
"""Address and port."""


class Binder(Protocol):
    """Binds low ports for us: the privileged helper."""

    def bind(self, protocol: str, address: str, port: int) -> socket.socket:
        """A bound socket; raises OSError or TidegateError."""


class Sockets:
    """Knows what is open already, and what could not be had."""

    def __init__(self, binder: Binder | None) -> None:
        self._binder = binder
        self._known: set[Place] = set()
        """Places that were handed to the core, or are its own affair."""
        self._missing: dict[Place, str] = {}

    @property
    def problems(self) -> list[str]:
        """Low ports that could not be bound, and why."""
        return list(self._missing.values())

    @contextmanager
    def added(self, made: plan.Plan) -> Iterator[plan.Plan]:
        """The plan with sockets for places that are new; its reader copies them.

        Low ports that cannot be had now are left out: the core has no more right to them than we.
        """
        with ExitStack() as opened:
            found = self._open(made, opened)
            services = tuple(
                replace(service, doors=tuple(self._with(service.doors, found))) for service in made.services
            )
            try:
                yield replace(made, services=services) if found or self._missing else made
            except BaseException:
                self._known -= found.keys()  # nobody took them
                raise

    def _open(self, made: plan.Plan, opened: ExitStack) -> dict[Place, int]:
        wanted = dict(_places(made))
        self._known &= wanted.keys()
        self._missing = {place: why for place, why in self._missing.items() if place in wanted}
        found: dict[Place, int] = {}
        for place, backlog in wanted.items():
            if place in self._known:
                continue
            bound = self._bound(place)
            if bound is not None:
                opened.enter_context(bound).listen(backlog)
                found[place] = bound.fileno()
        return found

    def _bound(self, place: Place) -> socket.socket | None:
        """A socket that is bound there; None where it cannot be, as the core finds out for itself."""
        ip, port = place
        if self._binder is None or port >= LOW_PORTS:
            self._known.add(place)
            return _own(ip, port)
        try:
            bound = self._binder.bind("tcp", ip, port)
        except (OSError, TidegateError) as error:
            self._miss(place, error)
            return None
        self._known.add(place)
        if self._missing.pop(place, None):
            _log.info("relay: %s port %d is free now", ip, port)
        return bound

    def _miss(self, place: Place, error: OSError | TidegateError) -> None:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        said = f"{place[0]} port {place[1]}: {reason}"
        if place not in self._missing:
            _log.warning("relay: cannot listen on %s; tried again", said)
        self._missing[place] = said

    def _with(self, doors: Iterable[plan.Door], found: dict[Place, int]) -> Iterator[plan.Door]:
        for door in doors:
            firsts = set(_ports(door))
            gone = tuple(
                (port, port) for ip, port in sorted(self._missing) if ip == door.ip and port in firsts
            )
            ports = without(door.ports, gone) if door.steering == "sockets" else () if gone else door.ports
            if ports:
                fds = [(port, fd) for (ip, port), fd in found.items() if ip == door.ip and port in firsts]
                yield replace(door, ports=ports, fds=tuple(fds))


def hands_over(made: plan.Plan) -> bool:
    """Whether there are sockets in it."""
    return any(door.fds for service in made.services for door in service.doors)


def _places(made: plan.Plan) -> Iterator[tuple[Place, int]]:
    """Where sockets are to be opened here, each with its backlog: low ports, and so many others."""
    left = MOST
    for service in made.services:
        for door in service.doors:
            for port in _ports(door):
                # A steered socket needs options that only the core gives it.
                if port < LOW_PORTS or (left > 0 and door.steering == "sockets"):
                    left -= 1
                    yield (door.ip, port), service.listen_backlog


def _ports(door: plan.Door) -> list[int]:
    """Those that sockets are bound to: all of them, or where they are steered the first."""
    if door.steering != "sockets":
        return [door.ports[0][0]]
    return [port for first, last in door.ports for port in range(first, last + 1)]


def _own(ip: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((ip, port))
    except OSError:
        bound.close()
        return None
    return bound
