"""The machine itself: its disk, its clock, the terminal."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.model.config import Config
from tidegate.model.units import human_bytes
from tidegate.store.layout import default_root

SOONEST = datetime(2025, 1, 1, tzinfo=UTC)
UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""


def check_disk(config: Config) -> Iterator[Finding]:
    """Whether the store can be written, and whether there is room for what it may keep."""
    root = Path(config.store.path) if config.store.path else default_root()
    there = next(place for place in (root, *root.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK):
        yield broken(
            "store", f"{root} cannot be written", f"run as root, or choose another with --store: {there}"
        )
        return
    free = shutil.disk_usage(there).free
    if free <= config.store.keep_free:
        fix = f"make room on the disk of {there}, or set store.keep_free below {human_bytes(free)}"
        yield broken("store", f"{human_bytes(free)} free, all of it left alone", fix)
    elif free < config.store.keep_bytes:
        wanted = human_bytes(config.store.keep_bytes)
        text = f"{root}: {human_bytes(free)} free, less than the {wanted} it may keep"
        yield limited(
            "store", text, "nothing: the oldest rows go when the disk is full; or set store.keep_bytes"
        )
    else:
        yield ok("store", f"{root}, {human_bytes(free)} free")


def check_clock(now: datetime) -> Iterator[Finding]:
    """Whether the clock may be believed."""
    if now < SOONEST:
        yield broken("clock", f"it says {now:%Y-%m-%d}", "set it: date -s, or install chrony")
    elif _is_synchronised() is False:
        yield limited(
            "clock",
            "no time server keeps it right",
            "apt install chrony, or systemctl start systemd-timesyncd",
        )
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _is_synchronised() -> bool | None:
    """What the kernel says of its clock; None where it is not asked."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    # struct timex of <sys/timex.h>: `modes`, four longs, then `status`; 208 bytes, all zero asks only.
    buffer = (ctypes.c_long * 26)()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer)) < 0:
        return None
    return not buffer[5] & UNSYNCHRONISED


def check_terminal() -> Iterator[Finding]:
    """Whether a screen can be drawn here."""
    if not sys.stdout.isatty():
        yield limited("terminal", "the output is none: lines are written, no screen", "run it in a terminal")
        return
    size = shutil.get_terminal_size()
    if size.columns < 80 or size.lines < 20:
        yield limited("terminal", f"{size.columns}x{size.lines}: only a list fits", "make it 80x20 or larger")
    elif "utf" not in (sys.stdout.encoding or "").lower():
        yield limited("terminal", f"it speaks {sys.stdout.encoding}", "export LC_ALL=C.UTF-8, or use --ascii")
    else:
        yield ok("terminal", f"{size.columns}x{size.lines}, {os.environ.get('TERM', 'no TERM')}")
