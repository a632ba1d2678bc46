"""The screen for the verbs that have one; Textual is loaded only when it is shown."""

import getpass
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tidegate.sinks import Sink
from tidegate.sources.live import all_interfaces

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
    *,
    ascii: bool = False,
    assembly: "Assembly",
) -> None:
    """Shows the screen over a running capture until either ends; `run` feeds its sink, and others beside."""
    from tidegate.tui.controls import AlertControls, Controls
    from tidegate.tui.feeds.live import LiveFeed, process_is_there
    from tidegate.tui.start import show

    feed = LiveFeed(
        run,
        running.stop,
        lambda: running.stats,
        ",".join(running.interfaces),
        running.settings.filter or "",
    )
    controls = Controls(
        alerts=AlertControls(
            acknowledge=lambda alert_id, who: assembly.running_alerts().desk.acknowledge(alert_id, who),
            mute=lambda rule, seconds: assembly.running_alerts().desk.mute(rule, seconds),
            silence=lambda rule, key, seconds: assembly.running_alerts().desk.silence(
                rule, key, seconds=seconds
            ),
        ),
        who=who(),
        rules=assembly.config.alerts.rules,
        recording=running.settings.record is not None,
        alive=process_is_there(),
        local=own_addresses(),
    )
    show(feed, controls, ascii=ascii)


def own_addresses() -> tuple[str, ...]:
    """The addresses of this machine."""
    found = (address for interface in all_interfaces() for address in interface.addresses)
    return tuple(address.partition("/")[0].partition("%")[0] for address in found)


def who() -> str:
    """Who sits before the screen."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # no such user: a container with a bare number
        return str(os.getuid())
