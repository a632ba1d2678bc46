"""`tidegate run`: everything the configuration asks for, until it is stopped; what fails is started again."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import rich_click as click

from tidegate.cli.options import config_option
from tidegate.pipeline.backoff import Backoff

_log = logging.getLogger("tidegate")

EARLY = 3.0
"""Seconds within which a first start that fails is a mistake to be mended, not a mishap to be tried again."""


@click.command()
@config_option
@click.option(
    "--worker", is_flag=True, help="Without a watching process: whoever started it starts it again (systemd)."
)
def run(config: Path | None, worker: bool) -> int:
    """Run capture, alerts and logs as configured, as a service does; `tidegate control` talks to it.

    SIGHUP reads the configuration anew and opens log files anew; SIGTERM and Ctrl-C end it.
    """
    logging.basicConfig(format="tidegate: %(message)s", level=logging.INFO)
    if worker:
        from tidegate.cli.work import work

        return work(config)
    # A wrong configuration is the worker's to tell: reading it here would cost 20 MB for as long as it runs.
    words = [sys.executable, "-m", "tidegate", "run", "--worker"]
    return Watchman([*words, "--config", str(config)] if config else words).run()


class Watchman:
    """Starts the worker, passes signals on to it, and starts it again when it dies."""

    def __init__(self, words: list[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._words = words
        self._clock = clock
        self._stopping = False
        self._worker: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Until the worker ends of its own will or ours; its exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        backoff = Backoff()
        first = started = self._clock()
        while True:
            backoff.start(started)
            self._worker = subprocess.Popen(self._words)
            if self._stopping:  # a signal that came just before
                self._worker.send_signal(signal.SIGTERM)
            code = self._worker.wait()
            early = started == first and self._clock() - started < EARLY
            if self._stopping or code in (0, 2) or (code == 1 and early):
                return code if code >= 0 else 128 - code
            delay = backoff.fail(self._clock())
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            _log.warning("the worker ended with %s; next start in %.0f s", how, delay)
            self._wait(delay)
            if self._stopping:
                return 0
            started = self._clock()

    def _wait(self, seconds: float) -> None:
        """Sleeps, a stop ends it."""
        until = self._clock() + seconds
        while not self._stopping and (left := until - self._clock()) > 0:
            time.sleep(min(left, 0.2))

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = True
        if self._worker and self._worker.returncode is None:
            os.kill(self._worker.pid, number)
