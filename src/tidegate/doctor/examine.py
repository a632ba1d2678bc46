"""Every check, in the order in which a capture needs what they look at."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tidegate.doctor.capture import check_filters, check_interfaces, check_rights
from tidegate.doctor.files import check_files, check_store
from tidegate.doctor.finding import Finding, broken, ok
from tidegate.doctor.machine import check_clock, check_terminal
from tidegate.doctor.places import check_places
from tidegate.doctor.programs import check_programs
from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.settings.find import find, places

Load = Callable[[Path | None], Config]
"""Reads the configuration; raises UsageError."""


def examine(file: Path | None, load: Load) -> Iterator[Finding]:
    """What works here and what does not, with this configuration; one thing after the other."""
    config = Config()
    try:
        config = load(file)
        used = find(file)
        yield ok(
            "settings",
            str(used) if used else f"defaults; {', '.join(map(str, places(os.environ)))} is not there",
        )
    except UsageError as error:
        yield broken("settings", str(error), f"tidegate config check {file or ''}".strip())
    yield from check_rights()
    yield from check_interfaces(config)
    yield from check_filters(config)
    yield from check_programs(config)
    yield from check_store(config)
    yield from check_files(config)
    yield from check_places(config, datetime.now(UTC))
    yield from check_clock(datetime.now(UTC))
    yield from check_terminal()
