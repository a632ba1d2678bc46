"""Splits one privileged process in two: a helper that keeps few rights, and a worker that keeps none."""

import gc
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tidegate.helper import capabilities, cleanup, handover, identity
from tidegate.helper.answers import Answers
from tidegate.helper.capabilities import (
    BPF,
    DAC_READ_SEARCH,
    NET_ADMIN,
    NET_BIND_SERVICE,
    NET_RAW,
    PERFMON,
    SETGID,
    SETUID,
    SYS_ADMIN,
    SYS_PTRACE,
)
from tidegate.helper.client import Helper
from tidegate.helper.identity import Identity
from tidegate.helper.outlets import Outlets
from tidegate.helper.records import RecordSource
from tidegate.helper.server import serve
from tidegate.model.errors import UsageError

NAME = "tidegate: helper"

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_NEEDED = frozenset({NET_RAW, NET_ADMIN, NET_BIND_SERVICE, SYS_PTRACE, DAC_READ_SEARCH})


@dataclass(frozen=True)
class Separated:
    """The worker's side after the split."""

    helper: Helper
    user: Identity
    told: str | None = None
    """A line for the user, if the worker is not who one would expect."""


def separate(
    user: str | None,
    outlets: Outlets,
    records: Callable[[], RecordSource] | None = None,
    steers: bool = False,
) -> Separated:
    """Forks the helper, hands the outlets over and drops all rights. Call early: there must be one thread.

    `records` opens the source of process records, in the helper, when the worker asks for them; `steers`
    lets the worker have ports steered to it, as a relay may need.
    Raises UsageError for a user that does not exist or cannot be become, StoreError for the store.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("rights are given up before threads are started")
    who, told = _worker(user)
    helper = _fork(records, steers)
    try:
        _prepare(outlets, who)
        _drop(who)
        for path in outlets.files:
            handover.check_writable(path, who)
    except BaseException:
        helper.close()
        raise
    return Separated(helper, who, told)


def _worker(user: str | None) -> tuple[Identity, str | None]:
    """Who the worker will be, and what is to be said of it."""
    now = identity.current()
    may_change = {SETUID, SETGID} <= capabilities.held()
    if user:
        wanted = identity.named(user)
        if wanted.uid != now.uid and not may_change:
            raise UsageError("only root can run as another user")
        if may_change and not identity.can_read_program(wanted):
            raise UsageError(identity.cannot_read(wanted))
        return wanted, None
    if not now.is_root:
        return now, None
    wanted_by = identity.caller(os.environ) if may_change else None
    if wanted_by is None:
        return now, (
            "runs as root, without any of its capabilities: "
            "neither --user nor service.user nor sudo names a user"
        )
    if not identity.can_read_program(wanted_by):
        return now, (
            f"runs as root, without any of its capabilities: {wanted_by.name} cannot read Tidegate's files"
        )
    return wanted_by, None


def _prepare(outlets: Outlets, who: Identity) -> None:
    if os.geteuid() != 0:
        return
    if outlets.store:
        handover.prepare_store(outlets.store, who)
    for path in outlets.files:
        handover.prepare_folder(path.absolute().parent, who)


def _drop(who: Identity) -> None:
    """Becomes the user, without any capability and any way back."""
    capabilities.limit(())
    if (who.uid, who.gid) != (os.geteuid(), os.getegid()):
        os.setgroups(list(who.groups))
        os.setresgid(who.gid, who.gid, who.gid)
        os.setresuid(who.uid, who.uid, who.uid)
        os.environ |= {"USER": who.name, "LOGNAME": who.name} | ({"HOME": who.home} if who.home else {})
    capabilities.keep_only(())
    capabilities.hide_memory()
    if capabilities.held() or os.getresuid() != (who.uid,) * 3:
        raise RuntimeError("the rights could not be given up")


def _fork(records: Callable[[], RecordSource] | None, steers: bool = False) -> Helper:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(3)]
    here, there = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    gc.freeze()  # or its collector would write to all that it shares with us, and so copy it
    with _signals_blocked():
        pid = os.fork()
        if pid == 0:
            _be_helper(there, records, steers)
    gc.unfreeze()
    for connection in there:
        connection.close()
    return Helper(pid, *here)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """So that none finds the helper before it ignores it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_helper(
    connections: Sequence[socket.socket], records: Callable[[], RecordSource] | None, steers: bool
) -> NoReturn:
    """The life of the helper: nothing of the worker's is run on the way out."""
    code = 1
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)
        _help(connections, records, steers)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def _help(
    connections: Sequence[socket.socket], records: Callable[[], RecordSource] | None, steers: bool
) -> None:
    questions, packets, events = connections
    _forget_files({connection.fileno() for connection in connections})
    capabilities.name_process(NAME)
    kept = _kept()
    capabilities.limit(kept)
    capabilities.keep_only(kept)
    capabilities.hide_memory()
    # Beside, for nft may take its time and the first interface is waited for.
    leftovers = threading.Thread(target=cleanup.clean, name="tidegate-clean")
    leftovers.start()
    answers = Answers(records, events, steers)
    serve(questions, [packets], answers)
    answers.close()
    leftovers.join()
    cleanup.clean(gone=os.getpid())


def _kept() -> frozenset[int]:
    """What the helper needs. A kernel before 5.8 knows no finer right to trace than SYS_ADMIN."""
    return _NEEDED | ({PERFMON, BPF} if capabilities.last() >= BPF else {SYS_ADMIN})


def _forget_files(kept: Iterable[int]) -> None:
    """Closes what belongs to the worker. Standard error stays, for a traceback."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    stay = {0, 1, 2, *kept}
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number not in stay:
            try:
                os.close(number)
            except OSError:  # the one that listed them
                continue
