"""Every check, in the order in which a capture needs what they look at."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tidegate.doctor.capture import check_filters, check_interfaces, check_rights
from tidegate.doctor.elastic import check_elastic
from tidegate.doctor.files import check_files, check_store
from tidegate.doctor.finding import Finding, broken, ok
from tidegate.doctor.machine import check_clock, check_terminal
from tidegate.doctor.mail import check_mail
from tidegate.doctor.places import check_places
from tidegate.doctor.programs import check_programs
from tidegate.doctor.steering import check_steering
from tidegate.model.config import Config
from tidegate.settings.find import find, places

Look = Callable[[Path | None], tuple[Config, list[str]]]
"""Reads the configuration: what is right of it, and what is wrong, a line each."""


def examine(file: Path | None, look: Look) -> Iterator[Finding]:
    """What works here and what does not, with this configuration; one thing after the other."""
    config, problems = look(file)
    used = find(file)
    for problem in problems:
        mend = "create it, or name another" if used and not os.path.exists(used) else "edit it"  # noqa: PTH110
        yield broken("settings", problem, f"{mend}, then: tidegate config check {used or ''}".strip())
    if not problems:
        looked = " or ".join(map(str, places(os.environ)))
        yield ok("settings", str(used) if used else f"defaults, for there is no {looked}")
    yield from check_rights()
    yield from check_interfaces(config)
    yield from check_filters(config)
    yield from check_programs(config)
    yield from check_steering()
    yield from check_store(config)
    yield from check_files(config)
    yield from check_elastic(config)
    yield from check_mail(config)
    yield from check_places(config, datetime.now(UTC))
    yield from check_clock(datetime.now(UTC))
    yield from check_terminal()
