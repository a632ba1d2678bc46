"""The command line of a relay, and the configuration that it and the file make together."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tidegate.app.checking import load
from tidegate.app.paths import store_root
from tidegate.cli import output
from tidegate.model.config import Config, PlaceSettings, RelaySettings
from tidegate.model.config.relay import Steering
from tidegate.model.errors import UsageError
from tidegate.model.tables import check_tables
from tidegate.relay.specs import parse_specs
from tidegate.sinks import Sink
from tidegate.sinks.relay_console import RelayConsole


@dataclass(frozen=True)
class Options:
    """The options, as click parsed them. What is not given is what the configuration says."""

    specs: tuple[str, ...]
    hex: bool
    debug: bool
    steering: Steering | None
    tables: tuple[str, ...]
    format: str | None
    target: Path | None
    store: Path | None
    no_store: bool
    places: tuple[str, ...]
    user: str | None
    config: Path | None
    no_helper: bool

    def __post_init__(self) -> None:
        """Refuses options that make no sense together."""
        if self.no_store and self.store:
            raise UsageError("--store and --no-store contradict each other; give one")
        if self.no_helper and self.user:
            raise UsageError("--no-helper keeps all rights, --user gives them up; give one")
        check_tables(self.tables)
        parse_specs(self.specs)

    def configured(self) -> Config:
        """The configuration, with what the command line says in place of what stands in it.

        Services of a file that was not named on the command line are left out where there is a -p.
        """
        config = load(self.config)
        relay = config.relay
        own = relay.services if self.config or not self.specs else ()
        services = (*own, *parse_specs(self.specs, own))
        if not services:
            raise UsageError("nothing to relay: add -p :22=127.0.0.1:2222, or services to the configuration")
        changed: dict[str, object] = {}
        if self.hex:
            changed["hex"] = True
        if self.steering:
            changed["steering"] = self.steering
        services = tuple(replace(service, **changed) for service in services)  # type: ignore[arg-type]
        return replace(
            config,
            relay=replace(relay, services=services),
            places=PlaceSettings(self.places) if self.places else config.places,
            service=replace(config.service, user=self.user or config.service.user),
        )

    def root(self, config: Config) -> Path | None:
        """Where rows are kept, if anywhere; the default depends on who asks."""
        if self.no_store:
            return None
        return self.store or store_root(config)

    @contextmanager
    def shown(self) -> Iterator[list[Sink]]:
        """Where events are shown or written, beside the store: lines on a terminal, else where asked for."""
        chosen = bool(self.tables or self.format or self.target)
        if not chosen:
            watched = self.debug or sys.stdout.isatty()
            yield [RelayConsole(sys.stdout, every=self.debug)] if watched else []
            return
        format = output.chosen_format(self.format, self.target)
        with output.open_sinks(list(dict.fromkeys(self.tables)) or ["relay"], format, self.target) as sinks:
            yield list(sinks)


def bare(relay: RelaySettings) -> set[str]:
    """Services whose payload is printed, and asked for by nobody else."""
    return {
        service.name
        for service in relay.services
        if service.hex
        and not (service.excerpts.per_direction or service.excerpts.per_read or service.excerpts.reads)
    }
