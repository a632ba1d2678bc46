"""A stage that leaves out captured copies of what the relay carries, so that nothing counts twice.

A relayed connection has its own rows, by the relay. Where its packets are captured as well, it would be in
`conn` a second time, and what is said in it a second and third time in `http`, `tls` and the others: on the
client's side, and on that of the backend. They are matched by both ends and by time. The relay's connection
to the backend is another one than the client's, and keeps its row in `conn`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tidegate.model.batch import Batch
from tidegate.model.config import RelaySettings
from tidegate.model.ends import parse_listen, parse_target
from tidegate.relay.build import backends_of

PATIENCE = 1_000_000_000
"""Nanoseconds that captured rows wait for the relay to tell of their connection; it does so in a tenth."""

MEMORY = 120_000_000_000
"""Nanoseconds that a connection is remembered after its end: its last captured row comes seconds later."""

MOST = 100_000
"""Connections of each kind that are remembered."""

SAID = frozenset({"http", "tls", "ssh", "dns"})
"""Tables of what is said in connections."""

_EVENTS = (
    "type", "ts", "client_ip", "client_port", "server_ip", "server_port", "local_ip", "local_port",
    "remote_ip", "remote_port", "cause",
)  # fmt: skip
_TRANSPORT = {"conn": ("proto",), "tls": ("transport",), "dns": ("transport",)}
"""Where it stands; HTTP/1 and SSH are TCP."""

_ENDS = ("uid", "ts", "iface", "src_ip", "src_port", "dst_ip", "dst_port")

Key = tuple[str, int, str, int]
"""Who called, and who was called."""


@dataclass
class _Legs:
    """One side of the connections: the clients', or that of the backends."""

    ports: bytearray = field(default_factory=lambda: bytearray(65_536))
    """1 where connections go to."""
    open: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    closed: OrderedDict[Key, int] = field(default_factory=OrderedDict)
    """When they ended."""

    def began(self, key: Key) -> None:
        self.open[key] = None
        if len(self.open) > MOST:
            self.open.popitem(last=False)

    def ended(self, key: Key, ts: int) -> None:
        if key in self.open:
            del self.open[key]
            self.closed.pop(key, None)
            self.closed[key] = ts
            if len(self.closed) > MOST:
                self.closed.popitem(last=False)

    def forget(self, before: int) -> None:
        while self.closed and next(iter(self.closed.values())) < before:
            self.closed.popitem(last=False)

    def has(self, key: Key, ts: int) -> bool:
        """Whether there was such a connection at that time. Who called may not be known to a capture."""
        turned = key[2:] + key[:2]
        if key in self.open or turned in self.open:
            return True
        return ts <= self.closed.get(key, -1) or ts <= self.closed.get(turned, -1)


@dataclass
class _Held:
    """Rows that wait until it is known whether they are copies."""

    batch: Batch
    since: int


class Copies:
    """Passes all rows but the copies. For one thread; lives as long as the relay, through reloads."""

    def __init__(
        self, ending: Callable[[], bool] = lambda: False, wall: Callable[[], int] = time.time_ns
    ) -> None:
        """`ending`: whether what waits has to go on now."""
        self._ending = ending
        self._wall = wall
        self._wanted = False
        self._clients, self._backends = _Legs(), _Legs()
        self._passed: OrderedDict[str, None] = OrderedDict()
        """Captured connections of which rows were let pass: then all of theirs are."""
        self._held: list[_Held] = []
        self.left_out = 0
        """Rows."""

    def follow(self, settings: RelaySettings) -> None:
        """Takes other settings; the relay of those before may still have connections."""
        self._wanted = self._wanted or bool(settings.services)
        for service in settings.services:
            for door in service.listen:
                for first, last in parse_listen(door).ports:
                    self._clients.ports[first : last + 1] = b"\1" * (last - first + 1)
        for backend in backends_of(settings):
            for target in map(parse_target, backend.targets):
                self._backends.ports[target.port] = 1

    def process(self, batch: Batch) -> Iterable[Batch]:
        """The rows that are no copies, as far as that is known by now."""
        if batch.table == "relay":
            self._learn(batch)
        elif self._wanted and (batch.table == "conn" or batch.table in SAID):
            return self._sorted_out(batch, self._wall(), final=False)
        return [batch]

    def tick(self, now: int) -> Iterable[Batch]:
        """Rows that have waited long enough."""
        for legs in (self._clients, self._backends):
            legs.forget(now - MEMORY)
        held, self._held = self._held, []
        made: list[Batch] = []
        for each in held:
            if self._ending() or not 0 <= now - each.since < PATIENCE:
                made += self._sorted_out(each.batch, each.since, final=True)
            else:
                self._held.append(each)
        return made

    def close(self) -> None:
        """What waits goes on with the next line, as connections do."""

    def _learn(self, batch: Batch) -> None:
        for kind, ts, *ends, cause in zip(*batch.columns(_EVENTS), strict=True):
            client, backend = (*ends[:4],), (*ends[4:],)
            if kind == "accept":
                self._clients.began(client)
            elif kind == "connect" and cause is None and None not in backend:
                self._backends.began(backend)
            elif kind == "close":
                self._clients.ended(client, ts)
                self._backends.ended(backend, ts)

    def _sorted_out(self, batch: Batch, since: int, final: bool) -> list[Batch]:
        """What of these rows goes on; what is not known yet waits, unless this is final."""
        legs = [self._clients, self._backends] if batch.table in SAID else [self._clients]
        passes, waits = [], []
        names = (*_ENDS, *_TRANSPORT.get(batch.table, ()))
        for uid, ts, iface, *ends in zip(*batch.columns(names), strict=True):
            key = (ends[0], ends[1], ends[2], ends[3])
            # Rows of the relay itself were seen on no interface; it carries TCP.
            meant = iface and any(each.ports[ends[3]] or each.ports[ends[1]] for each in legs)
            free = not meant or uid in self._passed or ends[4:] not in ([], ["tcp"])
            copy = not free and any(each.has(key, ts) for each in legs)
            unsure = not free and not copy and any(each.ports[ends[3]] for each in legs)
            if unsure and final:
                self._pass(uid)
            passes.append(not copy and (final or not unsure))
            waits.append(unsure and not final)
            self.left_out += copy
        if any(waits):
            self._held.append(_Held(batch if all(waits) else batch.keep(waits), since))
        if all(passes):
            return [batch]
        return [batch.keep(passes)] if any(passes) else []

    def _pass(self, uid: str) -> None:
        self._passed[uid] = None
        if len(self._passed) > MOST:
            self._passed.popitem(last=False)
