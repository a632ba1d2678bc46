"""A running relay: the core's data plane, and the policy around it that may change while it runs."""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.config import RelaySettings
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import safe_text
from tidegate.relay import plan
from tidegate.relay.build import EVERYWHERE, Surroundings, backends_of, build, files_of, names_of
from tidegate.relay.core import Carrier, Core
from tidegate.relay.health import Health
from tidegate.relay.late import Late
from tidegate.relay.lists import Lists
from tidegate.relay.names import Ask, Names, look_up
from tidegate.relay.picture import MOST_CONNECTIONS, Endings, picture
from tidegate.relay.rules import check_rules
from tidegate.relay.sockets import Sockets, hands_over
from tidegate.relay.steering import Rights

_log = logging.getLogger("tidegate")

LOOK = 1.0
"""Seconds between looks at list files."""

MOST_LISTED = 1_000_000


@dataclass(frozen=True)
class Machine:
    """What is known of the machine and of whom we run as."""

    sensor: str = ""
    everywhere: tuple[str, ...] = EVERYWHERE
    countries: str | None = None
    rights: Rights | None = None
    """The helper's; our own unless given."""
    today: Mapping[str, int] = field(default_factory=dict)
    """Bytes of this day (UTC) that services passed before the start, by their names."""


@dataclass
class _Policy:
    """What goes with one version of the settings."""

    settings: RelaySettings
    machine: Machine
    lists: Lists
    names: Names
    health: Health

    def close(self, but: "_Policy | None" = None) -> None:
        """Ends its threads, except those that another version goes on with."""
        if but is None or but.health is not self.health:
            self.health.close()
        if but is None or but.names is not self.names:
            self.names.close()


class Relay:
    """Relays from creation until it is stopped. A source of batches, as a capture is."""

    def __init__(
        self,
        settings: RelaySettings,
        machine: Machine | None = None,
        make: Callable[[plan.Plan], Core] = Carrier,
        ask: Ask = look_up,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Looks up names, reads lists, opens doors. Raises UsageError for what cannot be relayed.

        A port that is taken is no error: it is said, and tried again.
        """
        if not settings.services:
            raise UsageError("nothing is relayed: add -p LISTEN=BACKEND, or services in the configuration")
        self._ask = ask
        self._clock = clock
        self._looked = clock()
        self._lock = Lock()
        self._started = clock()
        known = machine or Machine()
        self._sockets = Sockets(known.rights)
        self._draining = False
        self._late = Late(known.sensor)
        self._endings = Endings()
        self._odd: set[str] = set()
        self._threads = settings.threads
        self._policy = self._policy_of(settings, known)
        try:
            with self._sockets.added(self._plan(self._policy)) as made:
                self._core = make(made)
        except BaseException:
            self._policy.close()
            self._sockets.close()
            raise
        self._say_odd_rules(settings)

    @property
    def settings(self) -> RelaySettings:
        """Those in force."""
        return self._policy.settings

    def poll(self, timeout: float) -> list[Batch] | None:
        """Batches since the last call; None when it has stopped and all is handed over."""
        batches = self._core.poll(timeout)
        if batches is None:
            if lost := self._late.rows(self._core.dropped(), time.time_ns()):
                return lost
            self._policy.close()
            self._sockets.close()
            return None
        for batch in batches:
            self._endings.count(batch)
        if self._clock() - self._looked >= LOOK:
            self._look()
            batches += self._late.rows(self._core.dropped(), time.time_ns())
        return batches

    def stop(self) -> None:
        """Lets nobody in and gives connections their time to end; a second call ends them at once."""
        if self._draining:
            self._core.stop()
            return
        self._draining = True
        if left := self._core.stats()["connections"]:
            have = "1 connection has" if left == 1 else f"{left:,} connections have"
            _log.info("%s %.0f s to end; a second signal ends at once", have, self.settings.drain)
        self._core.drain()

    def abort(self) -> None:
        """Ends everything at once; safe from any thread."""
        self._draining = True
        self._core.stop()

    def reload(self, settings: RelaySettings, machine: Machine | None = None) -> None:
        """Takes other settings; no connection is lost. Raises UsageError, and then nothing has changed.

        Of what is known of the machine all but its rights may be another. The number of threads stays: that
        it waits for a restart is said, and is a problem of `status`.
        """
        with self._lock:
            before = self._policy
            policy = self._policy_of(settings, machine or before.machine, before)
            try:
                with self._sockets.added(self._plan(policy)) as made:
                    self._core.reload(made)
            except BaseException:
                policy.close(but=before)
                raise
            self._policy = policy
        before.close(but=policy)
        self._say_odd_rules(settings)
        for text in self._waiting(settings):
            _log.warning("relay: %s", text)

    def reject(self, ip: str) -> bool:
        """Refuses this address from now on, and ends its connections; False if it did already."""
        return self._core.reject(ip)

    def release(self, ip: str) -> bool:
        """Lets it in again; False if it was not rejected."""
        return self._core.release(ip)

    def kill(self, number: int) -> bool:
        """Ends the connection of this number; whether there was one."""
        there = any(each["id"] == number for each in self._core.connections(MOST_LISTED))
        if there:
            self._core.kill(number)
        return there

    def connections(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Those that are open, at most so many."""
        return self._core.connections(limit)

    def adopt(self, service: str, connected: socket.socket) -> int:
        """Has a service relay a connection of your own, as if it had accepted it; its number.

        The socket is not yours any more. Raises UsageError if it is not let in.
        """
        with connected:
            return self._core.adopt(service, connected.fileno())

    def status(self) -> dict[str, Any]:
        """How it goes, as JSON can say it."""
        policy = self._policy
        return {
            "uptime": round(self._clock() - self._started, 3),
            "draining": self._draining,
            **self._core.stats(),
            "rejected": self._core.rejected(),
            "targets": policy.health.standings(),
            "names": {name: list(found) for name, found in policy.names.addresses().items()},
            "problems": [*policy.lists.errors, *self._sockets.problems, *self._waiting(policy.settings)],
        }

    def picture(self, connections: bool = False) -> dict[str, Any]:
        """What a screen shows of it, as JSON can say it; with connections if they are asked for."""
        listed = self._core.connections(MOST_CONNECTIONS) if connections else None
        return picture(self._policy.settings, self.status(), self._endings, listed)

    def _waiting(self, settings: RelaySettings) -> list[str]:
        """What of the settings counts from the next start only."""
        if settings.threads == self._threads:
            return []
        return [f"relay.threads is {settings.threads} now, but {self._threads} run: restart to change that"]

    def _policy_of(self, settings: RelaySettings, machine: Machine, before: _Policy | None = None) -> _Policy:
        """What goes with the settings; what is asked for and looked after stays where it is the same."""
        old = before.settings if before else None
        lists = Lists(files_of(settings))
        same = old and (names_of(old), old.resolve) == (names_of(settings), settings.resolve)
        names = before.names if before and same else Names(names_of(settings), settings.resolve, self._ask)

        def resolve(name: str) -> tuple[str, ...]:
            return names.addresses().get(name, ())

        kept = (
            before.health if before and same and old and backends_of(old) == backends_of(settings) else None
        )
        return _Policy(settings, machine, lists, names, kept or Health(backends_of(settings), resolve))

    def _plan(self, policy: _Policy) -> plan.Plan:
        machine = policy.machine
        _check_countries(policy.settings, machine)
        around = Surroundings(
            names=policy.names.addresses(),
            lists=policy.lists.networks(),
            missing=policy.health.missing(),
            everywhere=machine.everywhere,
            steering=self._sockets.steering(policy.settings),
            sensor=machine.sensor,
            countries=machine.countries,
            today=machine.today,
        )
        return build(policy.settings, around)

    def _say_odd_rules(self, settings: RelaySettings) -> None:
        """Tells of rules that can never hold and the like, once each."""
        found = {str(finding) for finding in check_rules(settings) if not finding.fatal}
        for text in sorted(found - self._odd):
            _log.warning("relay: %s", safe_text(text))
        self._odd = found

    def _look(self) -> None:
        """Takes over what has changed outside: list files, names, targets that come and go, low ports."""
        self._looked = self._clock()
        with self._lock:
            policy = self._policy
            changed = policy.lists.look()
            for flag in (policy.names.changed, policy.health.changed):
                changed |= flag.is_set()
                flag.clear()
            try:
                with self._sockets.added(self._plan(policy)) as made:
                    if changed or hands_over(made):
                        self._core.reload(made)
            except TidegateError as error:
                _log.warning("relay: %s", error)


def _check_countries(settings: RelaySettings, machine: Machine) -> None:
    """Refuses rules that nobody could ever meet: what they refuse would come in."""
    if machine.countries is None and (asking := next(asking_for_countries(settings), None)):
        raise UsageError(asking)


def asking_for_countries(settings: RelaySettings) -> Iterator[str]:
    """What is missing for each rule that asks for countries, where no database knows one."""
    for service in settings.services:
        for rule in service.rules:
            if rule.countries:
                yield (
                    f'service "{service.name}", rule "{rule.name}": no database knows a country; '
                    "name one by places.databases or --place"
                )


def everywhere() -> tuple[str, ...]:
    """Every address of this machine: of both families, or of IPv4 where IPv6 is switched off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return EVERYWHERE[:1]
    return EVERYWHERE
