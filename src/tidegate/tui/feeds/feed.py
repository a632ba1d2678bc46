"""What every feed has: a thread that is named, started, stopped and joined."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.model.errors import TidegateError
from tidegate.tui.board.desk import desk_of
from tidegate.tui.feeds.inbox import Inbox

Glance = Callable[[], Mapping[str, Any]]
"""Tells what lies on the alerts' desk; raises TidegateError where that cannot be told now."""


def settle(inbox: Inbox, glance: Glance) -> None:
    """Hands over what lies on the desk; what was known stays where it cannot be told."""
    try:
        told = glance()
    except (OSError, TidegateError):
        return
    inbox.settle(desk_of(told))


class Feed:
    """Fills an inbox from a thread of its own until it is stopped or has no more."""

    kind = "live"
    """live, store or replay."""
    endless = True
    """Whether the screen stays when it has ended."""
    silent = False
    """Whether nobody seems to write where it reads."""
    writer = "sudo tidegate watch"
    """The command that would write there."""
    filter = ""
    """The BPF filter, if there is one."""

    def __init__(self, name: str, title: str) -> None:
        """`name` is the thread's, `title` says on screen what is looked at."""
        self.title = title
        self.inbox = Inbox()
        self.error: OSError | TidegateError | None = None
        """What ended it."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=name)

    @property
    def ended(self) -> bool:
        """Whether there will be no more rows."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def clock(self) -> int:
        """What time it is in what is shown, nanoseconds UTC."""
        return time.time_ns()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end. Safe from any thread, also if it has ended."""
        self._over.set()
        self.inbox.shut()

    def join(self) -> None:
        """Waits until it has ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def run(self) -> None:
        """Fills the inbox; on the feed's own thread."""
        raise NotImplementedError

    def _guarded(self) -> None:
        try:
            self.run()
        except (OSError, TidegateError) as error:
            self.error = error
            self.inbox.say("error", str(error))
