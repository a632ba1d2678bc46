"""Steering: new connections to many ports come to one port of ours, by sk_lookup or a table of nftables."""

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import count
from typing import Protocol

from tidegate import _core
from tidegate.helper.messages import Alter, Steer
from tidegate.helper.nft import Table, TableError
from tidegate.helper.ports import unused
from tidegate.model.errors import TidegateError
from tidegate.model.ports import say_ports, within

MAX_STEERINGS = 32
"""At once. The kernel takes 64 programs of sk_lookup in a network namespace, from everybody together."""
BACKLOG = 4096
"""Until who gets the sockets says otherwise."""

_IP_TRANSPARENT, _IPV6_TRANSPARENT = 19, 75


class SteeringRefused(TidegateError):
    """This way does not work here; its text says why."""


class _Held(Protocol):
    def close(self) -> None:
        """Ends it."""


@dataclass(frozen=True)
class Steered:
    """A steering that runs, and the sockets that its connections come to. They share one port, and listen."""

    number: int
    sockets: tuple[socket.socket, ...]


@dataclass
class _Running:
    asked: Steer
    listener: socket.socket
    held: _Held


class Steerings:
    """What this process steers, which takes rights. All of it ends with the process, however that ends."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}
        self._numbers = count(1)

    def steer(self, asked: Steer) -> Steered:
        """Begins; raises SteeringRefused or OSError."""
        if len(self._running) >= MAX_STEERINGS:
            raise SteeringRefused(f"{MAX_STEERINGS} doors are steered already")
        sockets = _listeners(asked)
        try:
            number, held = self._begin(asked, sockets[0])
        except BaseException:
            _close(sockets)
            raise
        self._running[number] = _Running(asked, sockets[0].dup(), held)
        return Steered(number, sockets)

    def alter(self, asked: Alter) -> None:
        """Other ports for the same sockets, without a moment at which none is steered; raises as `steer`."""
        running = self._running.get(asked.steering)
        if running is None:
            raise SteeringRefused("there is no such steering")
        wanted = replace(running.asked, ports=asked.ports, spared=asked.spared)
        _, held = self._begin(wanted, running.listener)
        running.held.close()
        running.asked, running.held = wanted, held

    def release(self, steering: int) -> None:
        """Ends a steering. One that is not there is none."""
        running = self._running.pop(steering, None)
        if running:
            running.held.close()
            running.listener.close()

    def close(self) -> None:
        """Ends them all."""
        for number in list(self._running):
            self.release(number)

    def _begin(self, asked: Steer, listener: socket.socket) -> tuple[int, _Held]:
        number = next(self._numbers)
        try:
            return number, _METHODS[asked.by](asked, listener, number)
        except (_core.CoreError, TableError) as error:
            raise SteeringRefused(str(error)) from None


def _sk_lookup(asked: Steer, listener: socket.socket, _: int) -> _Held:
    return _core.SkLookup(asked.address, asked.ports, listener.fileno(), asked.spared)


def _tproxy(asked: Steer, listener: socket.socket, number: int) -> _Held:
    """After the translation of addresses: replies to forwarded connections are not taken for our own."""
    address, port = listener.getsockname()[:2]
    to = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    chain = f"""chain incoming {{ type filter hook prerouting priority dstnat + 1; policy accept;
        {_asked(asked)} tproxy to {to} accept
    }}
    """
    return _table(asked, number, chain)


def _redirect(asked: Steer, listener: socket.socket, number: int) -> _Held:
    """Of a connection that exists already the first packet seen is no SYN: it goes on as it was."""
    port = listener.getsockname()[1]
    new = f"{_asked(asked)} tcp flags & (fin | syn | rst | ack) == syn"
    chains = f"""chain incoming {{ type nat hook prerouting priority dstnat; policy accept;
        {new} dnat to :{port}
    }}
    chain outgoing {{ type nat hook output priority -100; policy accept;
        {new} dnat to :{port}
    }}
    """
    if not within(port, asked.ports):
        # Who comes there without having been steered asked for a port that is not open.
        chains += f"""chain direct {{ type filter hook input priority filter; policy accept;
        {_address(asked)} tcp dport {port} ct status & dnat == 0 reject with tcp reset
    }}
    """
    return _table(asked, number, chains)


_METHODS: dict[str, Callable[[Steer, socket.socket, int], _Held]] = {
    "sk_lookup": _sk_lookup,
    "tproxy": _tproxy,
    "redirect": _redirect,
}


def _listeners(asked: Steer) -> tuple[socket.socket, ...]:
    """On one port that is free, with as many sockets as were asked for."""
    for port in unused(asked.ports):
        try:
            return _bound(asked, port)
        except OSError as error:
            if port == 0 or error.errno != errno.EADDRINUSE:
                raise SteeringRefused(f"no socket of its own: {error.strerror}") from None
    raise AssertionError("0 is the last one")


def _bound(asked: Steer, port: int) -> tuple[socket.socket, ...]:
    """Redirected connections have to be met at their address; the others find their socket anywhere."""
    six = ":" in asked.address
    family = socket.AF_INET6 if six else socket.AF_INET
    address = asked.address if asked.by == "redirect" else "::1" if six else "127.0.0.1"
    sockets: list[socket.socket] = []
    try:
        for _ in range(asked.sockets):
            sockets.append(socket.socket(family, socket.SOCK_STREAM))
            _prepare(sockets[-1], asked, six)
            sockets[-1].bind((address, port))
            port = sockets[-1].getsockname()[1]
        for one in sockets:
            one.listen(BACKLOG)
    except BaseException:
        _close(sockets)
        raise
    return tuple(sockets)


def _prepare(listener: socket.socket, asked: Steer, six: bool) -> None:
    if six:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if asked.sockets > 1:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if asked.by == "tproxy":
        level, option = (
            (socket.IPPROTO_IPV6, _IPV6_TRANSPARENT) if six else (socket.IPPROTO_IP, _IP_TRANSPARENT)
        )
        listener.setsockopt(level, option, 1)


def _table(asked: Steer, number: int, chains: str) -> Table:
    family = "ip6" if ":" in asked.address else "ip"
    return Table(family, f"tidegate-{os.getpid()}-{number}", _sets(asked, family) + chains)


def _sets(asked: Steer, family: str) -> str:
    sets = f"set asked {{ type inet_service; flags interval; elements = {{ {say_ports(asked.ports)} }} }}\n"
    if spared := _spared(asked):
        ends = ", ".join(f"{address} . {port}" for address, port in spared)
        kind = f"{'ipv6' if family == 'ip6' else 'ipv4'}_addr . inet_service"
        sets += f"set spared {{ type {kind}; elements = {{ {ends} }} }}\n"
    return sets


def _asked(asked: Steer) -> str:
    """Matches what is to be steered."""
    family = "ip6" if ":" in asked.address else "ip"
    spared = f"{family} daddr . tcp dport != @spared" if _spared(asked) else ""
    return f"{_address(asked)} tcp dport @asked {spared}"


def _address(asked: Steer) -> str:
    """Matches where connections go; never those that are only passed on."""
    address = ip_address(asked.address)
    named = "" if address.is_unspecified else f"{'ip6' if address.version == 6 else 'ip'} daddr {address}"
    return f"fib daddr type local {named}"


def _spared(asked: Steer) -> list[tuple[str, int]]:
    """Of the door's own family."""
    return [end for end in dict.fromkeys(asked.spared) if (":" in end[0]) == (":" in asked.address)]


def _close(sockets: tuple[socket.socket, ...] | list[socket.socket]) -> None:
    for one in sockets:
        one.close()
