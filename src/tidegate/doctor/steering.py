"""Wide ports of a relay: how they come to one socket here."""

import os
import sys
from collections.abc import Iterator

from tidegate.doctor.finding import Finding, limited, ok
from tidegate.helper.own import OwnRights
from tidegate.relay.steering import METHODS, choose

WHAT = "wide ports"


def check_steering() -> Iterator[Finding]:
    """Tries each way for a moment, on an address that nobody uses."""
    if sys.platform != "linux":
        yield limited(WHAT, "a socket for each port: only Linux steers them", "ask for few")
        return
    choice = choose(OwnRights())
    if choice.method == METHODS[0]:
        yield ok(WHAT, f"by {choice.method}: all ports come to one socket")
    elif choice.method in METHODS:
        yield limited(WHAT, f"by {choice}", "see docs/relay-ports.md")
    elif os.geteuid() != 0:
        fix = "sudo tidegate relay; sudo tidegate doctor says how it would do"
        yield limited(WHAT, "a socket for each port: steering them takes root", fix)
    else:
        yield limited(WHAT, f"a socket for each port ({choice.why})", "see docs/relay-ports.md")
