"""Programs where the kernel tells nothing (macOS, Windows): psutil's table, the one door to it."""

import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from tidegate.enrich.records import ANY4, Raw
from tidegate.model.errors import UsageError

FRESH = 1.0
"""Seconds a table is used: making one costs a hundred milliseconds on a busy machine."""


class ByPsutil:
    """Answers questions from a table that is at most a second old; tells nothing by itself."""

    @property
    def method(self) -> str:
        """How it is found."""
        return "psutil"

    @property
    def refused(self) -> Sequence[tuple[str, str]]:
        """Nothing better is known here."""
        return ()

    @property
    def stats(self) -> Mapping[str, int]:
        """Programs seen so far."""
        return {"programs": len(self._ids)}

    def __init__(self) -> None:
        try:
            self._psutil: Any = import_module("psutil")
        except ImportError:
            raise UsageError("programs cannot be found here without psutil: pip install psutil") from None
        self._made = float("-inf")
        self._table: dict[tuple[Any, ...], int] = {}
        self._ids: dict[tuple[int, float], int] = {}
        self._next = 1

    def poll(self, timeout: float) -> list[Raw]:
        """Nothing: psutil does not tell."""
        return []

    def stop(self) -> None:
        """Nothing to end."""

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[Raw]:
        """Who holds the socket with these ends, or listens for them, in the latest table."""
        self._refresh()
        anys = ("::",) if ":" in local_ip else (ANY4, "::")
        places = [(proto, local_ip, local_port, remote_ip, remote_port)]
        places += [(proto, ip, local_port, None, 0) for ip in (local_ip, *anys)]
        for place in places:
            if pid := self._table.get(place):
                return self._records(pid, place)
        return []

    def _refresh(self) -> None:
        if time.monotonic() - self._made < FRESH:
            return
        self._table.clear()
        try:
            found = self._psutil.net_connections("inet")
        except self._psutil.AccessDenied:
            found = []
        for one in found:
            if one.pid and one.laddr:
                proto = "tcp" if one.type == 1 else "udp"
                remote = (one.raddr.ip, one.raddr.port) if one.raddr else (None, 0)
                self._table[(proto, one.laddr.ip, one.laddr.port, *remote)] = one.pid
        self._made = time.monotonic()

    def _records(self, pid: int, place: tuple[Any, ...]) -> list[Raw]:
        try:
            program = self._program(pid)
        except self._psutil.Error:
            return []
        proto, ip, port, remote_ip, remote_port = place
        action = "hold" if remote_ip else "listen"
        socket = (
            "socket",
            time.time_ns(),
            action,
            "psutil",
            proto,
            ip,
            port,
            remote_ip,
            remote_port,
            program[1],
            None,
        )
        return [program, socket]

    def _program(self, pid: int) -> Raw:
        process = self._psutil.Process(pid)
        with process.oneshot():
            started = process.create_time()
            if len(self._ids) > 65_536:
                self._ids.clear()
            id = self._ids.setdefault((pid, started), self._next)
            self._next = max(self._next, id + 1)
            return (
                "program", id, pid, int(started * 1e9), process.ppid(), self._parent(process),
                self._maybe(process.username), process.name(), self._maybe(process.exe),
                self._joined(process), None,
            )  # fmt: skip

    def _parent(self, process: Any) -> str:
        try:
            parent = process.parent()
            return "_destroyed_" if parent is None else str(parent.name())
        except self._psutil.AccessDenied:
            return "AccessDenied"
        except self._psutil.Error:
            return "_destroyed_"

    def _joined(self, process: Any) -> str | None:
        words = self._maybe(process.cmdline)
        return " ".join(words) if words else None

    def _maybe(self, call: Any) -> Any:
        try:
            return call() or None
        except self._psutil.Error:
            return None
