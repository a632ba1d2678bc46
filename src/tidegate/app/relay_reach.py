"""The relay from another process: `tidegate relay` beside a store, or the `tidegate run` that carries one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tidegate.app.paths import control_of
from tidegate.app.relaying import relay_socket
from tidegate.model.errors import UsageError
from tidegate.pipeline.control import NobodyError, ask
from tidegate.settings.find import load_place

GLANCE = 1.0
"""Seconds a look waits for an answer."""


class RelayReach:
    """Whichever relay answers first at these sockets."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self.sockets = tuple(sockets)

    @classmethod
    def of(cls, config: Path | None, store: Path | None) -> Self:
        """Beside the store that is named, else beside the configuration's."""
        settings = load_place(config)
        return cls((relay_socket(settings, store), control_of(settings, store)))

    def look(self, connections: bool) -> Mapping[str, Any]:
        """How it stands; raises UsageError where none runs."""
        return self._ask({"do": "relay_picture", "connections": connections}, GLANCE)

    def do(self, word: str, **given: Any) -> Mapping[str, Any]:
        """Has it done; raises UsageError with the reason if it is not."""
        return self._ask({"do": word, **given})

    def _ask(self, asked: Mapping[str, Any], *patience: float) -> Mapping[str, Any]:
        for socket in self.sockets:
            if not socket.is_socket():
                continue
            try:
                return ask(socket, asked, *patience)
            except NobodyError:
                continue
        raise UsageError(
            "no relay runs: start one with tidegate relay, or tidegate run with services in relay"
        )
