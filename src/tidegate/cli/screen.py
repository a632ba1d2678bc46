"""The screen for the verbs that have one; Textual is loaded only when it is shown."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.model.user import user_name
from tidegate.sinks import Sink
from tidegate.sources.live import own_addresses as own_addresses

if TYPE_CHECKING:
    from tidegate.app import Watch
    from tidegate.app.assembly import Assembly

INTERIM = 2.0
"""Seconds between two rows of a long connection, for the screen."""

HEALTH = 1.0
"""Seconds between two rows of health."""


def is_terminal() -> bool:
    """Whether there is a terminal to draw on (Textual does so through stderr) and to hear keys from."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "dumb") != "dumb"


def over(
    running: "Watch",
    run: Callable[[Sink], object],
    root: Path | None,
    *,
    ascii: bool = False,
    assembly: "Assembly",
) -> None:
    """Shows the screen over a running capture until either ends; `run` feeds its sink, and others beside.

    It begins with the alerts that the store at `root` remembers as open.
    """
    from tidegate.alerts import commands
    from tidegate.alerts.remembered import remembered
    from tidegate.app.relay_reach import RelayReach
    from tidegate.app.relaying import relay_socket
    from tidegate.model.batch import make
    from tidegate.tui.controls import AlertControls, Controls, RelayControls
    from tidegate.tui.feeds.live import LiveFeed, process_is_there
    from tidegate.tui.start import show

    asked = commands(assembly.running_alerts)
    relay = RelayReach([relay_socket(assembly.config, root)])

    def begin(board: Sink) -> None:
        if told := remembered(root) if root else {}:
            board.write(make("alert", told))
        run(board)

    feed = LiveFeed(
        begin,
        running.stop,
        lambda: running.stats,
        ",".join(running.interfaces),
        running.settings.filter or "",
        asked["desk"],
    )
    controls = Controls(
        alerts=AlertControls(lambda word, **given: asked[word](**given), asked["desk"]),
        relay=RelayControls(relay.do, relay.look),
        who=who(),
        rules=assembly.config.alerts.rules,
        attribution=assembly.nameless,
        recording=running.settings.record is not None,
        alive=process_is_there(),
        local=own_addresses(),
    )
    show(feed, controls, ascii=ascii)


def who() -> str:
    """Who sits before the screen."""
    return os.environ.get("SUDO_USER") or user_name()
