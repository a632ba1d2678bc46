"""The relay of `tidegate run`: beside the capture, started again when it fails."""

import logging
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tidegate.model.batch import Batch
from tidegate.model.config import Config, RelaySettings
from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import safe_text
from tidegate.pipeline.backoff import Backoff
from tidegate.pipeline.supervisor import POLL
from tidegate.relay.service import Machine, Relay, everywhere

if TYPE_CHECKING:
    from tidegate.helper.client import Helper

_log = logging.getLogger("tidegate")

_KNOWS_COUNTRIES = re.compile("country|city|enterprise|location", re.IGNORECASE)
"""What databases with countries call themselves (GeoLite2-City, DBIP-Country-Lite)."""


def machine(config: Config, helper: "Helper | None") -> Machine:
    """What the relay has to know of where it runs."""
    return Machine(
        sensor=config.watch.engine.sensor or platform.node(),
        everywhere=everywhere(),
        rights=helper,
        countries=_countries(config.places.databases),
    )


def _countries(databases: Sequence[str]) -> str | None:
    """The database for rules by country: the first that says of itself that it has some, else the first."""
    if len(databases) < 2:
        return next(iter(databases), None)
    import maxminddb

    for name in databases:
        try:
            with maxminddb.open_database(name, maxminddb.MODE_FILE) as reader:
                if _KNOWS_COUNTRIES.search(reader.metadata().database_type):
                    return name
        except (OSError, ValueError, maxminddb.InvalidDatabaseError):
            continue  # the stage that names places tells of it
    return databases[0]


class RelayPart:
    """A relay where one is wanted; none otherwise. Used by one thread, but for `relay` and `facts`."""

    def __init__(
        self,
        make: Callable[[RelaySettings, Machine], Relay] = Relay,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        self._settings = RelaySettings()
        self._machine = Machine()
        self._relay: Relay | None = None
        self._backoff = Backoff()
        self.error = ""
        """Why there is no relay though one is wanted; empty while there is one."""

    @property
    def relay(self) -> Relay:
        """The one that runs; raises UsageError where none does."""
        if self._relay is None:
            why = self.error or "the configuration has no services in relay"
            raise UsageError(f"no relay runs: {why}")
        return self._relay

    def follow(self, settings: RelaySettings, machine: Machine) -> None:
        """Takes other settings, no connection is lost; raises UsageError, and then nothing has changed."""
        # A database may lie anew under its old name.
        other = (settings, machine) != (self._settings, self._machine) or machine.countries
        if self._relay and settings.services and other:
            self._relay.reload(settings, machine)
        elif self._relay and not settings.services:
            self._relay.stop()
        self._settings, self._machine = settings, machine
        self._backoff = Backoff()

    def poll(self) -> list[Batch]:
        """Batches since the last call; starts the relay where it is due."""
        if self._relay is None and not self._start():
            return []
        try:
            batches = self._relay.poll(0) if self._relay else None
        except TidegateError as error:
            self._failed(str(error))
            return []
        if batches is None:
            self._ended()
        return batches or []

    def end(self, at_once: Callable[[], bool]) -> Iterator[list[Batch]]:
        """Drains and ends, handing on what there is until then; `at_once` says when nobody waits any more."""
        if self._relay is None:
            return
        self._relay.stop()
        try:
            while (batches := self._relay.poll(POLL)) is not None:
                yield batches
                if at_once():
                    self._relay.abort()
        except TidegateError as error:
            _log.warning("relay: %s", safe_text(str(error)))
        self._relay = None

    def drain(self) -> None:
        """Lets nobody in any more; there is no relay then until the configuration is read anew."""
        self.relay.stop()
        self._settings = RelaySettings()

    def facts(self) -> dict[str, Any]:
        """How it stands."""
        if self._relay is None and not self._settings.services:
            return {}
        return {"relay": self._relay.status() if self._relay else None, "relay_error": self.error}

    def _start(self) -> bool:
        if not self._settings.services or not self._backoff.is_due(self._clock()):
            return False
        self._backoff.start(self._clock())
        try:
            self._relay = self._make(self._settings, self._machine)
        except (TidegateError, OSError) as error:
            self._failed(str(error))
            return False
        if self.error:
            _log.info("relay: working again")
        self.error = ""
        return True

    def _ended(self) -> None:
        """It has stopped: as it was told to, or not."""
        if self._settings.services:
            self._failed("it ended")
        self._relay = None

    def _failed(self, reason: str) -> None:
        self._relay = None
        self.error = safe_text(reason)
        delay = self._backoff.fail(self._clock())
        _log.warning("relay: failed; next try in %.0f s: %s", delay, self.error)
