"""The relay of `tidegate run`: beside the capture, started again when it fails."""

import logging
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
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

_PASSED = """
SELECT relay_service, CAST(sum(coalesce(up_payload, 0) + coalesce(down_payload, 0)) AS BIGINT)
FROM conn WHERE relay_service IS NOT NULL AND ts >= date_trunc('day', now()) GROUP BY relay_service
"""


def machine(config: Config, helper: "Helper | None", store: Path | None = None) -> Machine:
    """What the relay has to know of where it runs, and of what passed today."""
    # Not imported above: a relay has no places as a rule.
    from tidegate.enrich.place import country_database

    countries = country_database(config.places)
    return Machine(
        sensor=config.watch.engine.sensor or platform.node(),
        everywhere=everywhere(),
        rights=helper,
        countries=str(countries) if countries else None,
        today=_today(config.relay, store),
    )


def _today(relay: RelaySettings, store: Path | None) -> dict[str, int]:
    """Bytes of this day that services passed by the store, where the bytes of a day are limited."""
    if (
        store is None
        or not store.is_dir()
        or all(service.limits.bytes_per_day is None for service in relay.services)
    ):
        return {}
    from tidegate.queries.sql import ask

    try:
        return {str(name): int(passed) for name, passed in ask(store, _PASSED)}
    except TidegateError as error:
        _log.warning("relay: the bytes of this day are counted from now on: %s", safe_text(str(error)))
        return {}


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
