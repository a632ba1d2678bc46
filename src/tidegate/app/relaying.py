"""What `tidegate relay` runs: the relay of a configuration, its line, and what can be asked of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.alerts import Tellers
from tidegate.alerts import commands as alert_commands
from tidegate.app.assembly import Assembly
from tidegate.app.losses import Losses
from tidegate.app.paths import store_root
from tidegate.app.relay_part import machine
from tidegate.app.running import process_facts
from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.pipeline.pipeline import Line, Stage
from tidegate.pipeline.service import Parts, Service
from tidegate.pipeline.tally import Tally
from tidegate.relay.commands import commands
from tidegate.relay.service import Relay
from tidegate.sinks import Sink

if TYPE_CHECKING:
    from tidegate.helper.client import Helper
    from tidegate.pipeline.control import Command

SOCKET = "relay.sock"
"""Name of the control socket of `tidegate relay`, beside the store."""


def relay_socket(config: Config, store: Path | None) -> Path:
    """Where the `tidegate relay` beside this store (None: the configured one) is reached."""
    return (store or store_root(config)) / SOCKET


class Relaying:
    """The relay of a configuration with stages, logs and store: what `tidegate relay` runs."""

    def __init__(
        self,
        load: Callable[[], Config],
        root: Path | None,
        helper: "Helper | None" = None,
        beside: Sequence[Sink] = (),
        before: Sequence[Stage] = (),
        file: str = "",
    ) -> None:
        """`root` is the store, if rows are kept; `beside` further sinks, `before` stages that come first.

        `file` is the configuration's, where one was named.
        """
        self._load = load
        self._root = root
        self._helper = helper
        self._beside = list(beside)
        self._before = list(before)
        self._file = file
        self._relay: Relay | None = None
        self._assembly: Assembly | None = None
        self._tellers = Tellers()
        self._losses = Losses()
        self._tally = Tally()
        self.service = Service(self._parts, name="relay")

    @property
    def relay(self) -> Relay:
        """The one that runs; raises UsageError while there is none."""
        if self._relay is None:
            raise UsageError("the relay does not run at the moment; see tidegate relay status")
        return self._relay

    @property
    def last(self) -> dict[str, Any]:
        """How the relay stood the last time that anybody could ask."""
        return self._relay.status() if self._relay else {}

    @property
    def last_drain(self) -> float:
        """Seconds that connections have to end, by the settings in force."""
        return self._relay.settings.drain if self._relay else 0.0

    @property
    def dropped(self) -> int:
        """Rows that were lost because nobody took them in time, since the start."""
        return self._tally.relay_dropped

    @property
    def assembly(self) -> Assembly | None:
        """Stages and sinks that are in use."""
        return self._assembly

    def commands(self) -> "dict[str, Command]":
        """What can be asked for over the control socket."""
        own: dict[str, Command] = {"status": self.service.status, "reload": self._reload, "stop": self._stop}
        return own | commands(lambda: self.relay, self.service.stop) | alert_commands(self._alerts)

    def run(self) -> None:
        """Runs until the service is stopped; raises TidegateError if it cannot even start."""
        try:
            self.service.run()
        finally:
            self._tellers.close()

    def stop(self) -> None:
        """Drains and ends; a second call ends at once. Safe from signal handlers."""
        if self.service.stopping and self._relay:
            self._relay.abort()
        self.service.stop()

    def _parts(self) -> Parts:
        config = self._load()
        # Programs are those of captured connections; here we are the program.
        own = replace(config, programs=replace(config.programs, method="none"))
        assembly = Assembly(own, self._root, tellers=self._tellers, losses=self._losses)
        if self._relay is not None:
            self._relay.reload(config.relay, machine(config, self._helper, self._root))
        return Parts(
            "relay",
            lambda: self._source(config),
            lambda: self._line(assembly),
            lambda: self._facts(assembly),
        )

    def _source(self, config: Config) -> Relay:
        self._relay = Relay(config.relay, machine(config, self._helper, self._root))
        return self._relay

    def _line(self, assembly: Assembly) -> Line:
        sinks = assembly.sinks()
        self._assembly = assembly
        return Line([*sinks, self._tally, *self._beside], [*self._before, *assembly.stages()])

    def _facts(self, assembly: Assembly) -> dict[str, Any]:
        relay = {"relay": self._relay.status()} if self._relay else {}
        return process_facts(assembly, self._file) | relay

    def _alerts(self) -> Any:
        if self._assembly is None:
            raise UsageError("alerts do not run at the moment; see tidegate relay status")
        return self._assembly.running_alerts()

    def _reload(self) -> dict[str, Any]:
        self.service.reload_if_right(self._load)
        return {}

    def _stop(self) -> dict[str, Any]:
        self.stop()
        return {}
