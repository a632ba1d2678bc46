"""The worker of `tidegate run`: builds the parts, answers the control socket, feeds until stopped."""

import logging
import shlex
import signal
from functools import partial
from pathlib import Path
from types import FrameType

from tidegate.app.checking import load
from tidegate.app.paths import control_path, outlets, store_root
from tidegate.app.report_child import Reports
from tidegate.app.rights import separate
from tidegate.app.running import Running
from tidegate.cli import closing
from tidegate.enrich.watch import open_source
from tidegate.model.errors import CaptureError, SettingError
from tidegate.model.units import human_count
from tidegate.pipeline.control import ControlServer, check_free
from tidegate.service.notify import Notifier
from tidegate.settings import find
from tidegate.settings.problem import located

_log = logging.getLogger("tidegate")


ENDING = 60.0
"""Seconds within which it ends, once connections of a relay have."""


def work(file: Path | None) -> int:
    """Gives up the rights that only its helper needs, and runs; the exit code."""
    # Which file it is, and where the default store lies, goes by who started us, not by whom we become.
    place = find.find(file)
    config = load(place)
    root = store_root(config)
    check_free(control_path(config, root))  # while we may: the other one may be of another user
    records = partial(open_source, config.programs) if config.programs.method != "none" else None
    steers = bool(config.relay.services)
    with separate(config.service.user or None, outlets(config), records, steers) as separated:
        if separated and separated.told:
            _log.info("%s", separated.told)
        helper = separated.helper if separated else None
        try:
            reports = Reports(lambda: load(place), place, root)
            running = Running(lambda: load(place), reports, str(place or ""), root, helper)
            return _serve(running, ENDING + (config.relay.drain if steers else 0))
        except SettingError as error:
            raise located(find.read(place), error) from None


def _say_sums(running: Running) -> None:
    """What was seen, lost and kept, as a watch says it."""
    sums = running.sums()
    if not sums.interfaces:  # it never came so far
        return
    closing.watched(sums.counters, sums.interfaces, sums.seconds, sums.relay_dropped)
    if missed := running.service.missed_rows:
        closing.say(f"tidegate: {human_count(missed)} rows were not written while an output failed")
    if sums.store:
        closing.stored(sums.store, sums.stored_lost)


def _serve(running: Running, ending: float) -> int:
    """Runs as the file says, until a signal or the control socket ends it; the exit code.

    `ending` is how many seconds the end may take.
    """
    told = Told(running, ending)

    def stop(_number: int, _frame: FrameType | None) -> None:
        running.service.stop()

    def reload(_number: int, _frame: FrameType | None) -> None:
        running.service.reload()

    for name, handler in (("SIGINT", stop), ("SIGTERM", stop), ("SIGBREAK", stop), ("SIGHUP", reload)):
        if hasattr(signal, name):  # Windows has SIGBREAK, all others SIGHUP
            signal.signal(getattr(signal, name), handler)
    running.beside.append(closing.Warnings(running.warnings))
    control = ControlServer(running.control_path, running.commands())
    control.start()
    try:
        running.serve_metrics()
        named = f" --config {shlex.quote(str(running.file))}" if running.file else ""
        running.ready = partial(_log.info, "running; ask it with: tidegate control status%s", named)
        running.turn = told.turn
        running.run()
    except CaptureError as error:
        raise CaptureError(str(error).replace("sudo tidegate watch", "sudo tidegate run")) from None
    finally:
        control.close()
        _say_sums(running)
    _log.info("ended")
    return 0


class Told:
    """Tells who started us, where that is systemd, how it goes. Its beginning is told with the first turn of
    the loop: then the capture is open, or waits for interfaces that are not there.
    """

    def __init__(self, running: Running, ending: float, notifier: Notifier | None = None) -> None:
        self._running = running
        self._ending = ending
        self._notifier = notifier or Notifier()
        self._begun = self._reloading = self._stopping = False

    def turn(self) -> None:
        """To be called with every turn of the loop."""
        service = self._running.service
        if not self._notifier.wanted or self._stopping:
            return
        if service.stopping:
            self._stopping = True
            self._notifier.stopping(self._ending)
        elif service.reloading and not self._reloading:
            self._reloading = True
            self._notifier.reloading()
        elif not self._begun or (self._reloading and not service.reloading):
            self._begun, self._reloading = True, False
            self._notifier.ready(self._status())
        else:
            self._notifier.alive(self._status)

    def _status(self) -> str:
        """One line: what is captured, and what is wrong."""
        found = self._running.status()
        said = [f"capturing {', '.join(found.get('interfaces', [])) or 'nothing'}"]
        if not found["capturing"]:
            said = [f"NOT CAPTURING: {found['error']}"]
        if waited := found.get("waiting_for"):
            said.append(f"waiting for {', '.join(waited)}")
        if found["reload_error"]:
            said.append(f"the last reload changed nothing: {found['reload_error']}")
        broken = [part["name"] for part in found.get("parts", []) if part.get("error")]
        if broken:
            said.append(f"not working: {', '.join(broken)}")
        return "; ".join(said)
