"""Listening sockets that take rights, of steered doors and low ports, opened before the core begins."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property

from tidegate.helper.own import OwnRights
from tidegate.model.config import RelaySettings
from tidegate.model.ends import parse_listen
from tidegate.model.ports import count_ports, without
from tidegate.relay import machine, plan
from tidegate.relay.build import SOCKETS
from tidegate.relay.steering import Choice, Doors, Rights, choose

_log = logging.getLogger("tidegate")

Place = tuple[str, int]
"""Address and port; of a steered door its first port."""


class Sockets:
    """Knows what is open already, and what could not be had."""

    def __init__(self, rights: Rights | None = None) -> None:
        """`rights` are the helper's; our own unless given."""
        self._rights: Rights = rights or OwnRights()
        self._doors = Doors(self._rights)
        self._low = machine.low_ports()
        self._known: set[Place] = set()
        """Places that were handed to the core."""
        self._services: Sequence[plan.Service] = ()
        self.problems: tuple[str, ...] = ()
        """Doors that could not be opened; tried again by `added`."""
        self._chosen = False

    @cached_property
    def choice(self) -> Choice:
        """The best way of steering that works here, tried once."""
        found = choose(self._rights)
        if found.method == "sockets":
            _log.info("relay: many ports take a socket each, for no better way works: %s", found.why)
        else:
            _log.info("relay: many ports come to one socket by %s", found)
        return found

    def steering(self, settings: RelaySettings) -> str:
        """How many ports come to one socket where settings leave it open; tried only where it matters."""
        open_ = any(
            service.steering == "auto" and count_ports(parse_listen(text).ports) > SOCKETS
            for service in settings.services
            for text in service.listen
        )
        self._chosen = self._chosen or open_
        return self.choice.method if open_ else "sockets"

    @contextmanager
    def added(self, made: plan.Plan) -> Iterator[plan.Plan]:
        """The plan with sockets for places that are new; its reader copies them.

        What takes rights and cannot be had now is left out. Raises UsageError for doors that cannot go well.
        """
        with ExitStack() as opened:
            found = self._open(made, opened)
            services = tuple(
                replace(service, doors=tuple(self._with(service.doors, found))) for service in made.services
            )
            try:
                yield replace(made, services=services)
            except BaseException:
                self._known -= found.keys()  # nobody took them
                self._doors.arrange(self._services)
                raise
            self._services = made.services

    def close(self) -> None:
        """Ends all steering; sockets that were handed out stay."""
        self._doors.close()

    def _open(self, made: plan.Plan, opened: ExitStack) -> dict[Place, int]:
        arranged = self._doors.arrange(made.services, self.choice if self._chosen else None)
        self._say(arranged.notices, arranged.problems)
        doors = [door for service in made.services for door in service.doors]
        self._known = {
            (ip, port)
            for ip, port in self._known
            if any(ip == door.ip and _has(door, port) for door in doors)
        }
        found: dict[Place, int] = {}
        for handed in arranged.opened:
            found[handed.ip, handed.port] = opened.enter_context(handed.socket).fileno()
        self._known |= found.keys()
        return found

    def _say(self, notices: Iterable[str], problems: tuple[str, ...]) -> None:
        for notice in notices:
            _log.warning("relay: %s", notice)
        for problem in problems:
            if problem not in self.problems:
                _log.warning("relay: %s; tried again", problem)
        if self.problems and not problems:
            _log.info("relay: all doors are open now")
        self.problems = problems

    def _with(self, doors: Iterable[plan.Door], found: dict[Place, int]) -> Iterator[plan.Door]:
        for door in doors:
            fds = tuple((port, fd) for (ip, port), fd in found.items() if ip == door.ip and _has(door, port))
            if door.steering != "sockets":
                if (door.ip, door.ports[0][0]) in self._known:
                    yield replace(door, fds=fds)
                continue
            gone = tuple(
                (port, port)
                for port in range(1, self._low)
                if _has(door, port) and (door.ip, port) not in self._known
            )
            if ports := without(door.ports, gone):
                yield replace(door, ports=ports, fds=fds)


def hands_over(made: plan.Plan) -> bool:
    """Whether there are sockets in it."""
    return any(door.fds for service in made.services for door in service.doors)


def _has(door: plan.Door, port: int) -> bool:
    if door.steering != "sockets":
        return port == door.ports[0][0]
    return any(first <= port <= last for first, last in door.ports)
