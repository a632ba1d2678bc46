"""Programs of connections: the method that works, and why better ones do not."""

import os
from collections.abc import Iterator

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.enrich.watch import open_source
from tidegate.model.config import Config
from tidegate.model.errors import TidegateError

TOLD = ("bpf", "tracepoint")
"""Methods by which the kernel tells, so that programs of a millisecond are seen."""


def check_programs(config: Config) -> Iterator[Finding]:
    """How programs would be found here."""
    wanted = config.programs.method
    if wanted == "none":
        yield ok("programs", "not wanted (programs: method: none)")
        return
    try:
        source = open_source(config.programs)
    except TidegateError as error:
        yield broken("programs", str(error), _mend(str(error), wanted))
        return
    method, refused = source.method, list(source.refused)
    source.stop()
    why = "; ".join(f"{name}: {words}" for name, words in refused)
    said = f" ({why})" if why else ""
    if method in TOLD:
        yield ok("programs", f"by {method}: short-lived ones too{said}")
    else:
        text = f"by {method}: only what lives long enough{said}"
        yield limited("programs", text, _mend(why, wanted))


def _mend(why: str, wanted: str) -> str:
    if os.geteuid() != 0 and wanted in ("best", *TOLD):
        return "sudo tidegate watch; sudo tidegate doctor says how it would do"
    if wanted != "best":
        return "programs: method: best"
    if "tracefs" in why:
        return "mount -t tracefs nodev /sys/kernel/tracing"
    return "see docs/programs.md"
