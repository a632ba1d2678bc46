"""The machine itself: its clock, the terminal."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tidegate.doctor.finding import Finding, broken, limited, ok

SOONEST = datetime(2025, 1, 1, tzinfo=UTC)
UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""


def check_clock(now: datetime) -> Iterator[Finding]:
    """Whether the clock may be believed."""
    if now < SOONEST:
        yield broken("clock", f"it says {now:%Y-%m-%d}", "set it: date -s, or install chrony")
    elif _is_synchronised() is False:
        yield limited("clock", "no time server keeps it right", _time_server())
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _time_server() -> str:
    """What keeps the clock right here."""
    if not Path("/run/systemd/system").exists():
        return "apt install chrony (in a container: on its host, whose clock it is)"
    there = any(
        Path(folder, "systemd-timesyncd.service").exists()
        for folder in ("/lib/systemd/system", "/usr/lib/systemd/system")
    )
    return "timedatectl set-ntp true" if there else "apt install chrony"


def _is_synchronised() -> bool | None:
    """What the kernel says of its clock; None where it is not asked."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    # struct timex of <sys/timex.h>: `modes`, four longs, then `status`; at most 208 bytes, or 128 of 32 bits.
    # All zero only asks.
    buffer = (ctypes.c_long * 32)()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer)) < 0:
        return None
    return not buffer[5] & UNSYNCHRONISED


def check_terminal() -> Iterator[Finding]:
    """Whether a screen can be drawn here."""
    if not sys.stdout.isatty():
        text = "the output is no terminal: lines are written, there is no screen"
        yield limited("terminal", text, "run it in a terminal")
        return
    size = shutil.get_terminal_size()
    if size.columns < 80 or size.lines < 20:
        yield limited("terminal", f"{size.columns}x{size.lines}: only a list fits", "make it 80x20 or larger")
    elif "utf" not in (sys.stdout.encoding or "").lower():
        yield limited("terminal", f"it speaks {sys.stdout.encoding}", "export LC_ALL=C.UTF-8, or use --ascii")
    else:
        yield ok("terminal", f"{size.columns}x{size.lines}, {os.environ.get('TERM', 'no TERM')}")
