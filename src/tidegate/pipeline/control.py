"""The control socket: one JSON object a line in, one out, for the owner only.

    {"do": "status"}                                     {"ok": true, ...}
    {"do": "mute", "rule": "scan", "seconds": 3600}      {"ok": false, "error": "..."}

What can be done is a table of functions, handed in; an unknown word, an unknown argument, a wrong type or
a line of more than 64 KiB is refused and changes nothing.
"""

import errno
import inspect
import json
import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

from tidegate.model.errors import TidegateError, UsageError
from tidegate.model.text import clip

LONGEST = 64 << 10
MOST = 32
"""Callers at once; a further one takes the place of the one that came first."""
PATIENCE = 5.0
"""Seconds a caller waits for an answer."""
LONGEST_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes of a socket's path at most; more do not fit into the system's sockaddr_un."""

Command = Callable[..., Mapping[str, Any]]


class ControlServer:
    """Answers on its own thread, tidegate-control, from start() to close()."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        """Takes the path; raises UsageError where another answers, OSError where it cannot be made."""
        self.path = path
        self._commands = dict(commands)
        self._listener = _listen(path)
        self._waker, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._callers: dict[socket.socket, bytes] = {}
        self._thread = Thread(target=self._run, name="tidegate-control")

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and removes the socket."""
        self._waker.send(b"x")
        if self._thread.ident:
            self._thread.join()
        for caller in [*self._callers, self._listener, self._waker, self._woken]:
            caller.close()
        self._selector.close()
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            for ready, _ in self._selector.select():
                if ready.fileobj is self._woken:
                    return
                if ready.fileobj is self._listener:
                    self._accept()
                elif isinstance(ready.fileobj, socket.socket) and ready.fileobj in self._callers:
                    self._hear(ready.fileobj)

    def _accept(self) -> None:
        try:
            caller, _ = self._listener.accept()
        except OSError:
            return
        if not _is_owner(caller):
            caller.close()
            return
        if len(self._callers) >= MOST:
            self._part(next(iter(self._callers)))
        caller.settimeout(PATIENCE)
        self._callers[caller] = b""
        self._selector.register(caller, selectors.EVENT_READ)

    def _hear(self, caller: socket.socket) -> None:
        try:
            data = caller.recv(LONGEST)
        except OSError:
            data = b""
        *lines, rest = (self._callers[caller] + data).split(b"\n")
        if not data or len(rest) > LONGEST or not all(self._answer(caller, line) for line in lines):
            self._part(caller)
            return
        self._callers[caller] = rest

    def _part(self, caller: socket.socket) -> None:
        self._selector.unregister(caller)
        del self._callers[caller]
        caller.close()

    def _answer(self, caller: socket.socket, line: bytes) -> bool:
        answer = json.dumps(self._do(line), default=str)
        try:
            caller.sendall(answer.encode() + b"\n")
        except OSError:
            return False
        return True

    def _do(self, line: bytes) -> Mapping[str, Any]:
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise UsageError('an object is expected: {"do": "status"}')
            return {"ok": True, **self._call(asked)}
        except TidegateError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, RecursionError):
            return {"ok": False, "error": "that is no JSON"}
        except OSError as error:
            return {"ok": False, "error": error.strerror or str(error)}
        except Exception as error:  # noqa: BLE001 - no question may end the thread that answers all
            return {"ok": False, "error": f"could not be answered: {type(error).__name__}"}

    def _call(self, asked: dict[str, Any]) -> Mapping[str, Any]:
        word = asked.pop("do", None)
        command = self._commands.get(word) if isinstance(word, str) else None
        if command is None:
            raise UsageError(f'there is no "{clip(str(word), 30)}"; there are {", ".join(self._commands)}')
        try:
            bound = inspect.signature(command).bind(**asked)
        except TypeError as error:
            raise UsageError(f"{word}: {error}") from None
        _check_types(command, bound.arguments)
        return command(*bound.args, **bound.kwargs)


class NobodyError(UsageError):
    """No Tidegate answers at a path."""


def ask(path: Path, asked: Mapping[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
    """Asks the Tidegate there; raises UsageError with what it refused, NobodyError if none answers."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(patience)
        try:
            _fits(path)
            _connect(caller, path, patience)
            caller.sendall(json.dumps(asked).encode() + b"\n")
            answer = _line(caller)
        except (FileNotFoundError, ConnectionError):
            raise NobodyError(f"no Tidegate answers at {path}; start one with: tidegate run") from None
        except PermissionError:
            raise UsageError(f"{path}: it belongs to another user; ask as that user, or as root") from None
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from None
    if not answer.get("ok"):
        raise UsageError(str(answer.get("error", "no answer")))
    return answer


def _connect(caller: socket.socket, path: Path, patience: float) -> None:
    """Connects; where too many others wait just now, tries again for a while."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return caller.connect(str(path))
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _line(caller: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        piece = caller.recv(1 << 20)
        if not piece or len(data) > 1 << 24:
            raise ConnectionResetError
        data += piece
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise UsageError("what answers there is no Tidegate")
    return answer


def _fits(path: Path) -> None:
    """Raises NobodyError for a path that is too long for a socket."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise NobodyError(
            f"{path}: a socket's path has {LONGEST_PATH} bytes at most; name a shorter one "
            "(service: control), or a store with a shorter path"
        )


def check_free(path: Path) -> int:
    """Raises UsageError if a Tidegate answers there; else why none does, as an errno."""
    _fits(path)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        if (said := probe.connect_ex(str(path))) in (0, errno.EAGAIN, errno.EINPROGRESS):
            raise UsageError(f"{path}: a Tidegate runs here already; see tidegate control status")
        return said


def _listen(path: Path) -> socket.socket:
    """A socket at the path that only its owner can reach. One that a dead Tidegate left is replaced."""
    _fits(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket() and check_free(path) == errno.ECONNREFUSED:
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # until it listens nobody can reach it, so nobody comes before this
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror or "cannot be made", str(path)) from None
    listener.listen(128)
    return listener


def _is_owner(caller: socket.socket) -> bool:
    """Whether root or our own user calls; the socket's mode says so too, where modes are kept."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return uid in (0, os.geteuid())


def _check_types(command: Command, arguments: Mapping[str, Any]) -> None:
    """Holds JSON's values against the function's annotations: str, int, float, bool, and None."""
    kinds = inspect.get_annotations(command, eval_str=True)
    for name, value in arguments.items():
        kind = kinds.get(name, object)
        allowed = (
            (int, float, type(None)) if kind == (float | None) else (int, float) if kind is float else kind
        )
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            raise UsageError(f'"{name}" is not what is expected: {clip(str(value), 40)}')
