"""The alerts of a store from another process: by the Tidegate that runs there, or by the state beside it."""

import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tidegate.alerts import NAME, BusyError, open_desk, read_state
from tidegate.alerts.commands import desk_commands
from tidegate.alerts.ledger import BrokenStateError, Ledger
from tidegate.app.paths import control_of, store_root
from tidegate.model.errors import StoreError, UsageError
from tidegate.pipeline.control import NobodyError, ask
from tidegate.settings.find import find, load, load_place
from tidegate.settings.problem import ConfigError
from tidegate.store.layout import SYSTEM_ROOT, Layout

GLANCE = 1.0
"""Seconds a look waits for an answer."""


def writer(root: Path, usual: Path) -> str:
    """The command that writes to the store `root`, where root's would go to `usual`."""
    named = "" if root.absolute() == usual.absolute() else f" --store {shlex.quote(str(root))}"
    return f"sudo tidegate watch{named}"


class Reach:
    """Where the alerts are: the store with their state, and the socket of who runs."""

    def __init__(
        self, root: Path, socket: Path, writer: str = "", rules: Sequence[str] | None = None
    ) -> None:
        """`rules` are those that the next start will have, None if that is not known."""
        self._rules = rules
        self.root = root
        self.writer = writer
        """The command that would write to this store."""
        self.state = root / NAME
        self.socket = socket
        self._read: tuple[object, Ledger] = (None, Ledger())

    @classmethod
    def of(cls, config: Path | None, store: Path | None) -> Self:
        """Of the store that is named, else of the configuration's."""
        settings = load_place(config)
        root = store or store_root(settings)
        own = store is None or store.absolute() == store_root(settings).absolute()
        command = writer(root, Path(settings.store.path or SYSTEM_ROOT))
        return cls(root, control_of(settings, store), command, _rules(config) if own else None)

    def do(self, word: str, **given: Any) -> Mapping[str, Any]:
        """Has it done by the Tidegate that runs, or writes it down for the next one."""
        Layout(self.root).check()
        try:
            with open_desk(self.state, rules=self._rules) as desk:
                return desk_commands(lambda: desk)[word](**given)
        except BusyError as busy:
            try:
                return ask(self.socket, {"do": word, **given})
            except NobodyError:
                raise StoreError(f"{busy}, and takes no commands at {self.socket}") from None

    def look(self) -> Mapping[str, Any]:
        """Open alerts, silences and mutes, and from one that runs how near each rule is to its threshold."""
        try:
            return ask(self.socket, {"do": "desk"}, GLANCE)
        except UsageError:
            return self._remembered()

    def _remembered(self) -> Mapping[str, Any]:
        """What the state says, read again only when it has changed; nothing where it cannot be read."""
        try:
            found = self.state.stat()
            version = (found.st_ino, found.st_size, found.st_mtime_ns)
            if version != self._read[0]:
                self._read = version, read_state(self.state)
        except (OSError, StoreError, BrokenStateError):
            return {}
        now, plain = time.time_ns(), self._read[1].to_json()
        silences = [each for each in plain["silences"] if each["until"] is None or each["until"] > now]
        mutes = {rule: until for rule, until in plain["mutes"].items() if until > now}
        return {"open": plain["open"], "silences": silences, "mutes": mutes}


def _rules(config: Path | None) -> list[str] | None:
    """The rules of the configuration; None if there is no file, or it is not right."""
    if find(config) is None:
        return None
    try:
        return [rule.name for rule in load(config).alerts.rules]
    except ConfigError:
        return None
