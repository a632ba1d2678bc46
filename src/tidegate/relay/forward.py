"""The relay from Python: doors that the core carries, their events as rows, and figures of each service.

with forward({":2222": "127.0.0.1:22"}) as running:
    for event in running.events():
        print(event["type"], event["client_ip"])
"""

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from tidegate.model.batch import Batch
from tidegate.model.config import RelayServiceSettings, RelaySettings
from tidegate.model.ends import parse_address
from tidegate.model.errors import UsageError
from tidegate.model.tables import find_table
from tidegate.model.text import clip
from tidegate.relay.service import Machine, Relay, everywhere
from tidegate.relay.specs import parse_specs
from tidegate.relay.times import moment

POLL = 0.25

Row = dict[str, Any]


def forward(
    doors: Mapping[str, str] | Iterable[RelayServiceSettings] | RelaySettings,
    on_event: Callable[[Row], None] | None = None,
    sensor: str = "",
) -> "Forwarder":
    """Relays from now until the end of a `with` block or `close()`.

    `doors` are what is listened on with where it leads, {":22": "127.0.0.1:2222"}, or settings of services
    as the configuration has them. `on_event` is called for every event by `run` and `poll`.
    Raises UsageError for what cannot be relayed.
    """
    if isinstance(doors, RelaySettings):
        settings = doors
    elif isinstance(doors, Mapping):
        settings = RelaySettings(parse_specs(f"{listen}={backend}" for listen, backend in doors.items()))
    else:
        settings = RelaySettings(tuple(doors))
    return Forwarder(Relay(settings, Machine(sensor, everywhere())), on_event)


class Forwarder:
    """A relay that runs. Somebody has to take its events: `run`, `events`, `batches` or `poll`."""

    def __init__(self, relay: Relay, on_event: Callable[[Row], None] | None = None) -> None:
        """Takes a running relay over."""
        self._relay = relay
        self._on_event = on_event
        self._deducted: dict[str, tuple[int, int]] = {}
        self._ended = False
        self.started_at = time.time()
        """Seconds since 1970."""

    def poll(self, timeout: float = POLL) -> list[Batch] | None:
        """Batches of all tables since the last call; None when it has ended."""
        batches = None if self._ended else self._relay.poll(timeout)
        self._ended = batches is None
        if self._on_event:
            for row in _events(batches or []):
                self._on_event(row)
        return batches

    def batches(self) -> Iterator[Batch]:
        """Batches of all tables (relay, conn, http, tls ...), until it has ended."""
        while (batches := self.poll()) is not None:
            yield from batches

    def events(self) -> Iterator[Row]:
        """Events of the relay as dictionaries by the columns of table `relay`, until it has ended."""
        while (batches := self.poll()) is not None:
            yield from _events(batches)

    def run(self) -> None:
        """Hands events to `on_event` until it has ended."""
        while self.poll() is not None:
            pass

    @property
    def services(self) -> list[str]:
        """The ids of its services: what is listened on, or their names."""
        return [service.name for service in self._relay.settings.services]

    def stats(self, sid: str | None = None) -> dict[str, Any]:
        """How all of it stands, or one service; raises UsageError for one that is not there."""
        status = self._relay.status()
        if sid is None:
            return status
        if sid in status["services"]:
            return dict(status["services"][sid])
        raise UsageError(f'there is no service "{clip(sid, 40)}"; there are {", ".join(self.services)}')

    def json(self, sid: str | None = None) -> str:
        """The same as text."""
        return json.dumps(self.stats(sid))

    def log_line(self, sid: str) -> str:
        """A service in one line for a log."""
        said, last = self.stats(sid), self.last_access(sid) or "-"
        up, down = self.bytes(sid)
        return (
            f"service={sid} up={self.uptime:.0f}s connections={said['connections']} "
            f"addresses={len(said['addresses'])} read={up} written={down} last={last}"
        )

    def bytes(self, sid: str) -> tuple[int, int]:
        """Bytes from clients and to clients, live, less what was deducted."""
        said = self.stats(sid)
        up, down = self._deducted.get(sid, (0, 0))
        return said["up"] - up, said["down"] - down

    def deduct(self, sid: str, up: int, down: int) -> None:
        """Takes away what was counted elsewhere meanwhile."""
        before = self._deducted.get(sid, (0, 0))
        self._deducted[sid] = before[0] + max(up, 0), before[1] + max(down, 0)

    def reset(self, sid: str) -> None:
        """Begins to count bytes anew."""
        self.deduct(sid, *self.bytes(sid))

    def connections(self, sid: str | None = None) -> list[dict[str, Any]]:
        """Those that are open, of all services or one."""
        return [each for each in self._relay.connections(1_000_000) if sid in (None, each["service"])]

    def idle(self, number: int) -> float | None:
        """Seconds since anything passed on this connection; None where it is not there."""
        return next((each["idle"] for each in self.connections() if each["id"] == number), None)

    def addresses(self, sid: str | None = None) -> list[str]:
        """Client addresses that are connected."""
        sids = self.services if sid is None else [sid]
        return sorted({address for each in sids for address in self.stats(each)["addresses"]})

    @property
    def uptime(self) -> float:
        """Seconds since it began."""
        return time.time() - self.started_at

    def last_access(self, sid: str) -> str | None:
        """When a connection last began, ISO 8601 in UTC."""
        last = self.stats(sid)["last"]
        return None if last is None else moment(last / 1e9)

    def reject(self, *addresses: str) -> None:
        """Refuses these addresses from now on, and ends their connections."""
        for address in map(parse_address, addresses):
            self._relay.reject(address)

    def release(self, *addresses: str) -> None:
        """Lets them in again."""
        for address in map(parse_address, addresses):
            self._relay.release(address)

    @property
    def rejected(self) -> list[str]:
        """Addresses that are refused."""
        return sorted(self._relay.status()["rejected"])

    def adopt(self, sid: str, connected: socket.socket) -> int:
        """Has a service relay a connection of your own; the socket is not yours any more. Its number."""
        return self._relay.adopt(sid, connected)

    def kill(self, number: int) -> bool:
        """Ends a connection; whether there was one."""
        return self._relay.kill(number)

    def reload(self, settings: RelaySettings) -> None:
        """Takes other settings; no connection is lost. Raises UsageError, and then nothing has changed."""
        self._relay.reload(settings)

    def drain(self) -> None:
        """Lets nobody in, and ends with the connections or after `drain` seconds of the settings."""
        self._relay.stop()

    def close(self) -> None:
        """Ends everything at once."""
        self._relay.abort()
        while not self._ended:
            self.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _events(batches: Iterable[Batch]) -> Iterator[Row]:
    for batch in batches:
        if batch.table == "relay":
            names = [column.name for column in find_table("relay").columns]
            for values in zip(*batch.columns(names), strict=True):
                yield dict(zip(names, values, strict=True))
