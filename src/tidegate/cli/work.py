"""The worker of `tidegate run`: builds the parts, answers the control socket, feeds until stopped."""

import logging
import signal
from functools import partial
from pathlib import Path
from types import FrameType

from tidegate.app.checking import load
from tidegate.app.report_child import Reports
from tidegate.app.rights import separate
from tidegate.app.running import Running, outlets, store_root
from tidegate.cli import closing
from tidegate.enrich.watch import open_source
from tidegate.model.errors import CaptureError, SettingError
from tidegate.model.units import human_count
from tidegate.pipeline.control import ControlServer
from tidegate.settings import find
from tidegate.settings.problem import located

_log = logging.getLogger("tidegate")


def work(file: Path | None) -> int:
    """Gives up the rights that only its helper needs, and runs; the exit code."""
    # Which file it is, and where the default store lies, goes by who started us, not by whom we become.
    place = find.find(file)
    config = load(place)
    root = store_root(config)
    records = partial(open_source, config.programs) if config.programs.method != "none" else None
    steers = bool(config.relay.services)
    with separate(config.service.user or None, outlets(config), records, steers) as separated:
        if separated and separated.told:
            _log.info("%s", separated.told)
        helper = separated.helper if separated else None
        try:
            asked = Reports(lambda: load(place), place, root)
            running = Running(
                lambda: load(place), str(place or ""), root, helper, build=asked.build, covers=asked.covers
            )
            return _serve(running)
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


def _serve(running: Running) -> int:
    """Runs as the file says, until a signal or the control socket ends it; the exit code."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        running.service.stop()

    def reload(_number: int, _frame: FrameType | None) -> None:
        running.service.reload()

    for number, handler in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, reload)):
        signal.signal(number, handler)
    running.beside.append(closing.Warnings(running.warnings))
    control = ControlServer(running.control_path, running.commands())
    control.start()
    try:
        running.serve_metrics()
        asked = f"tidegate control status{f' --config {running.file}' if running.file else ''}"
        running.ready = partial(_log.info, "running; ask it with: %s", asked)
        running.run()
    except CaptureError as error:
        raise CaptureError(str(error).replace("sudo tidegate watch", "sudo tidegate run")) from None
    finally:
        control.close()
        _say_sums(running)
    _log.info("ended")
    return 0
