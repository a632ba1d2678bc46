"""Runs `tidegate relay`: gives up rights, relays, and says at the end what was relayed and lost."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tidegate.app.answering import answered
from tidegate.app.assembly import place_stage
from tidegate.app.paths import files_beside
from tidegate.app.relaying import Relaying, relay_socket
from tidegate.app.rights import separate
from tidegate.cli import closing
from tidegate.cli.relaying import Options, bare
from tidegate.helper.outlets import Outlets
from tidegate.model.config import Config
from tidegate.model.units import counted, human_bytes, human_count, human_duration
from tidegate.pipeline.kept import Unclosed
from tidegate.relay.hexdump import HexDump
from tidegate.sinks.aside import Aside
from tidegate.sinks.relay_console import Notices

if TYPE_CHECKING:
    from tidegate.helper.client import Helper


LATE = 30.0
"""Seconds that rows have to get out once connections had their time."""

AT_ONCE = 10.0
"""The same after a second signal."""


def relay_until_stopped(options: Options) -> int:
    """Gives up rights that only the helper needs, and relays; the exit code."""
    logging.basicConfig(format="tidegate: %(message)s", level=logging.INFO)
    config = options.configured()
    root = options.root(config)
    if options.places:  # before rights are given up: they may lie where only root can look
        place_stage(config.places).close()
    if options.no_helper:
        return _run(options, config, root, None)
    target = (options.target,) if options.target else ()
    files = (*target, *files_beside(config), relay_socket(config, root))
    with separate(config.service.user or None, Outlets(root, files), steers=True) as separated:
        if separated and separated.told:
            closing.say(f"tidegate: {separated.told}")
        return _run(options, config, root, separated.helper if separated else None)


def _run(options: Options, config: Config, root: Path | None, helper: "Helper | None") -> int:
    """Until it is stopped; 1 if not all rows could be kept."""
    started = time.monotonic()
    with options.shown() as sinks, ExitStack() as closed:
        name = str(options.target or "stdout")
        shown = [Aside(sink, name) for sink in sinks]
        for sink in shown:
            closed.callback(sink.close)
        relaying = Relaying(
            options.configured,
            root,
            helper,
            [*map(Unclosed, shown), Notices(closing.say)],
            [HexDump(sys.stdout, lambda: bare(relaying.relay.settings))] if _dumps(config) else [],
            str(options.config or ""),
        )
        missed = "it cannot be asked or told anything while it runs"
        with _signals(relaying), answered(relay_socket(config, root), relaying.commands(), missed):
            relaying.run()
            closed.close()  # while a signal can still end what hangs
    lost = sum(sink.lost for sink in shown)
    return _closing(relaying, time.monotonic() - started) or int(bool(lost))


def _dumps(config: Config) -> bool:
    return any(service.hex for service in config.relay.services)


@contextmanager
def _signals(relaying: Relaying) -> Iterator[None]:
    """Reload and end by signals, as long as the block lasts."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        seconds = AT_ONCE if relaying.service.stopping else relaying.last_drain + LATE
        relaying.stop()
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, _give_up)
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def reload(_number: int, _frame: FrameType | None) -> None:
        relaying.service.reload()

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    """Ends whatever hangs: a reader of our output that takes nothing would keep us for ever."""
    os.write(2, b"tidegate: ended by force: an output takes nothing; rows that still waited are lost\n")
    os._exit(1)


def _closing(relaying: Relaying, seconds: float) -> int:
    """Says what was relayed, refused and lost; the exit code."""
    status = relaying.last
    services: list[dict[str, Any]] = list(status.get("services", {}).values())
    up, down = (sum(service[side] for service in services) for side in ("up", "down"))
    total = sum(service["total"] for service in services)
    closing.say(
        f"tidegate: relayed {counted(total, 'connection')} in {human_duration(seconds)}: "
        f"up {human_bytes(up)}, down {human_bytes(down)}"
    )
    refused: dict[str, int] = {}
    for service in services:
        for cause, count in service["refused"].items():
            refused[cause] = refused.get(cause, 0) + count
    if refused:
        said = ", ".join(f"{human_count(count)} {cause}" for cause, count in sorted(refused.items()))
        closing.say(f"tidegate: refused: {said}")
    if relaying.dropped:
        closing.say(f"tidegate: dropped: {counted(relaying.dropped, 'row')}, by a full queue")
    parts = relaying.assembly
    if parts and parts.store:
        closing.stored(parts.store, parts.stored_lost)
    missed = relaying.service.missed_rows
    return int(bool(missed or (parts and parts.stored_lost)))
