"""What a running watch can be asked over its control socket; without one it goes on, as a relay does."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.alerts import commands as alert_commands
from tidegate.app import Watch
from tidegate.app.assembly import Assembly
from tidegate.app.running import capture_facts, process_facts
from tidegate.model.errors import UsageError
from tidegate.model.stats import Standing
from tidegate.model.text import safe_text
from tidegate.pipeline.control import ControlServer

if TYPE_CHECKING:
    from tidegate.helper.client import Helper
    from tidegate.pipeline.control import Command

_log = logging.getLogger("tidegate")


def watch_commands(
    running: Watch, assembly: Assembly, file: str = "", helper: "Helper | None" = None
) -> "dict[str, Command]":
    """How it goes, its end, and all about alerts; there is nothing to reload."""
    started = time.monotonic()

    def status() -> dict[str, Any]:
        stats = running.stats
        standing = Standing.of(running.interfaces, stats)
        waited = [name for name in standing.gone if name in running.settings.interfaces]
        return {
            "uptime": time.monotonic() - started,
            "capturing": True,
            "error": "",
            "reload_error": "",
            **process_facts(assembly, file),
            **capture_facts(stats, standing, waited, stats.warnings, helper),
        }

    def stop() -> dict[str, Any]:
        running.stop()
        return {}

    def reload() -> dict[str, Any]:
        raise UsageError("a watch has nothing to read anew: end it and start it again; tidegate run reloads")

    return {"status": status, "stop": stop, "reload": reload, **alert_commands(assembly.running_alerts)}


@contextmanager
def answered(
    path: Path | None,
    commands: "Mapping[str, Command]",
    missed: str = "no other terminal reaches this watch (alerts, top)",
) -> Iterator[None]:
    """Answers there meanwhile. Where that cannot be, says what is missed and why: all else goes on."""
    try:
        server = ControlServer(path, commands) if path else None
    except (UsageError, OSError) as error:
        reason = str(error) if isinstance(error, UsageError) else f"{path}: {error.strerror or error}"
        _log.warning("%s: %s", missed, safe_text(reason))
        server = None
    if server is None:
        yield
        return
    server.start()
    try:
        yield
    finally:
        server.close()
