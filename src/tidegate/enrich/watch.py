"""Where programs are learned from: the core on Linux, psutil elsewhere; and this machine's addresses."""

import sys
from collections.abc import Iterable

from tidegate import _core
from tidegate.helper.records import RecordSource
from tidegate.model.config.enrich import ProgramSettings
from tidegate.model.errors import from_core


def open_source(settings: ProgramSettings) -> RecordSource:
    """The best method that works here, or the one asked for.

    The network namespace that counts is the caller's. Raises UsageError where nothing works.
    """
    if sys.platform != "linux":
        from tidegate.enrich.by_psutil import ByPsutil

        return ByPsutil()
    with from_core():
        return _core.ProcessWatch(None if settings.method == "best" else [settings.method])


def local_addresses() -> Iterable[str]:
    """Every address of this machine."""
    with from_core():
        interfaces = _core.interfaces()
    found = {address.partition("/")[0].partition("%")[0] for one in interfaces for address in one.addresses}
    return found | {"127.0.0.1", "::1"}
