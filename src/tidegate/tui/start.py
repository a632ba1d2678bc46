"""Shows the screen until it is left; then everything it started has ended."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tidegate.model.errors import TidegateError
from tidegate.tui.controls import Controls
from tidegate.tui.feeds.feed import Feed
from tidegate.tui.feeds.inbox import Messages
from tidegate.tui.feeds.relay_watch import RelayWatch
from tidegate.tui.look import ASCII, UNICODE, Look
from tidegate.tui.screen import WatchScreen

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def show(feed: Feed, controls: Controls | None = None, *, ascii: bool = False) -> None:
    """Starts the feed, shows the screen, and ends the feed. Raises what ended the feed, if it failed."""
    screen = WatchScreen(feed, controls, Look(signs=ASCII if ascii or not can_unicode() else UNICODE))
    with _logged(feed), _ended_by_signals(screen), _relay_watched(feed, screen.controls):
        try:
            feed.start()
            screen.run()
        finally:
            feed.stop()
            feed.join()
    if feed.error is not None:
        raise feed.error
    if screen.return_code:
        raise TidegateError("the screen broke, as told above; without it: tidegate watch --plain")


def can_unicode() -> bool:
    """Whether the terminal is said to show more than ASCII."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return encoding.startswith("utf") and os.environ.get("TERM") not in ("linux", "vt100", "vt220")


@contextmanager
def _relay_watched(feed: Feed, controls: Controls) -> Iterator[None]:
    """The relay that may run beside is asked how it goes, as long as the block lasts."""
    watch = RelayWatch(feed.inbox, controls.relay.look) if controls.relay else None
    if watch:
        watch.start()
    try:
        yield
    finally:
        if watch:
            watch.stop()
            watch.join()


@contextmanager
def _logged(feed: Feed) -> Iterator[None]:
    """The program's messages go to the screen's log: on stderr they would write across it."""
    root = logging.getLogger()
    before = root.handlers[:]
    handler = Messages(feed.inbox.say)
    root.handlers[:] = [*(each for each in before if not _on_terminal(each)), handler]
    try:
        yield
    finally:
        root.handlers[:] = before


def _on_terminal(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)


@contextmanager
def _ended_by_signals(screen: WatchScreen) -> Iterator[None]:
    """The first signal ends the screen; a second one of the same kind does what it always did."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def leave(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        screen.leave_soon()

    for number in _SIGNALS:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
