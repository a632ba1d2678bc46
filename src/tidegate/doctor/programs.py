"""Programs of connections: the method that works, and why better ones do not."""

from collections.abc import Iterator
from typing import Any

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.enrich.watch import open_source
from tidegate.model.config import Config
from tidegate.model.errors import TidegateError

TOLD = ("bpf", "tracepoint")
"""Methods by which the kernel tells, so that programs of a millisecond are seen."""


def check_programs(config: Config) -> Iterator[Finding]:
    """How programs would be found here."""
    if config.programs.method == "none":
        yield ok("programs", "not wanted (programs: method: none)")
        return
    try:
        source: Any = open_source(config.programs)
    except TidegateError as error:
        yield broken("programs", str(error), "as root: sudo tidegate doctor")
        return
    method = str(source.method)
    refused = list(getattr(source, "refused", ()))
    source.stop()
    why = "; ".join(f"{name}: {words}" for name, words in refused)
    said = f" ({why})" if why else ""
    if method in TOLD:
        yield ok("programs", f"by {method}: short-lived ones too{said}")
    else:
        yield limited("programs", f"by {method}: only what lives long enough{said}", _mend(why))


def _mend(why: str) -> str:
    if "tracefs is not mounted" in why:
        return "mount -t tracefs nodev /sys/kernel/tracing"
    if "ermission" in why or "not permitted" in why or "denied" in why:
        return "as root: sudo tidegate doctor"
    return "see docs/programs.md"
