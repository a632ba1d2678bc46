"""Capabilities of this process (Linux, capabilities(7)): what it has, and giving up the rest for good."""

import ctypes
import os
from collections.abc import Collection
from pathlib import Path

DAC_READ_SEARCH = 2
SETGID, SETUID, SETPCAP = 6, 7, 8
NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 10, 12, 13
SYS_PTRACE, SYS_ADMIN = 19, 21
PERFMON, BPF = 38, 39

_PR_SET_DUMPABLE, _PR_SET_NAME, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 15, 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def held() -> frozenset[int]:
    """The effective capabilities; none where there is no such thing."""
    return frozenset(number for number in range(64) if _status("CapEff") >> number & 1)


def last() -> int:
    """The highest capability that the kernel knows."""
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text())


def limit(kept: Collection[int]) -> None:
    """No program started from here can gain any but these; takes SETPCAP, without which nothing changes."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if SETPCAP in held():
        for number in range(last() + 1):
            if number not in kept:
                _prctl(_PR_CAPBSET_DROP, number)


def keep_only(kept: Collection[int]) -> None:
    """Gives up all but these, of the calling thread: call it before there is another one."""
    mask = sum(1 << number for number in held() if number in kept)
    halves = (_Data * 2)(*(_Data(half, half, 0) for half in (mask & 0xFFFFFFFF, mask >> 32)))
    _prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    _checked(_libc().capset(ctypes.byref(_Header(_VERSION_3, 0)), halves))


def hide_memory() -> None:
    """No process of the same user may look into this one, which holds what that user may not have."""
    _prctl(_PR_SET_DUMPABLE, 0)


def name_process(name: str) -> None:
    """What `ps` and `top` call this process; best effort."""
    _prctl(_PR_SET_NAME, name.encode()[:15])
    _title(name.encode())


def _title(title: bytes) -> None:
    """Writes over the arguments, which lie where the kernel says they do."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b") ")[2].split()
    start, end = int(fields[45]), int(fields[46])
    if 0 < start < end:
        room = end - start - 1
        ctypes.memmove(start, title[:room].ljust(room, b"\0"), room)


def _status(key: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith(key + ":")), 0)


def _prctl(option: int, argument: int | bytes) -> None:
    value = argument if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    zero = ctypes.c_ulong(0)
    _checked(_libc().prctl(option, value, zero, zero, zero))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
