"""Active checks: when a target falls and rises, and that real ones are found out."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import wait_for
from tidegate.model.config import BackendSettings
from tidegate.model.ends import Target
from tidegate.relay.health import Check, Health, attempt


def listening() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"127.0.0.1:{listener.getsockname()[1]}"


def check(target: Target) -> Check:
    return Check(target, "web", every=1, timeout=2, fall=3, rise=2)


def nobody(name: str) -> tuple[str, ...]:
    return ()


def test_a_target_falls_and_rises_after_so_many_in_a_row() -> None:
    one = check(Target("192.0.2.1", 80))
    played = [("x", False), ("", False), ("x", False), ("x", False), ("x", True), ("", False), ("x", False),
              ("", False), ("", True), ("", False)]  # fmt: skip
    assert [one.heard(error, 0.0) for error, _ in played] == [turned for _, turned in played]
    assert one.up
    assert one.due == 1.0


def test_real_targets_are_found_out(tmp_path: Path) -> None:
    listener, open_one = listening()
    other, closed_one = listening()
    other.close()
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    unix.listen()
    port = int(open_one.rpartition(":")[2])
    targets = [
        Target("127.0.0.1", port),
        Target("known", port),
        Target(path=str(tmp_path / "s")),
        Target("127.0.0.1", int(closed_one.rpartition(":")[2])),
        Target("unknown", 1),
        Target(path=str(tmp_path / "none")),
    ]
    known = {"known": ("127.0.0.1",), "unknown": ()}
    results = attempt(map(check, targets), known.__getitem__)
    found = {str(each.target): error for each, error in results}
    assert [found[str(target)] for target in targets] == [
        "", "", "", "Connection refused", "no address", "No such file or directory",
    ]  # fmt: skip
    listener.close()
    unix.close()


def test_a_target_that_says_nothing_is_given_up() -> None:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = []
    for _ in range(4):  # the backlog is full then, and SYNs are dropped
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(full.getsockname())
        waiting.append(caller)
    one = Check(Target("127.0.0.1", full.getsockname()[1]), "web", every=1, timeout=0.3, fall=1, rise=1)
    assert list(attempt([one], nobody)) == [(one, "Connection timed out")]
    for each in (*waiting, full):
        each.close()


def test_files_that_we_lack_ourselves_are_held_against_nobody(caplog: pytest.LogCaptureFixture) -> None:
    listener, name = listening()
    port = int(name.rpartition(":")[2])
    with few_files(), pytest.raises(OSError, match="Too many open files"):
        list(attempt([check(Target("127.0.0.1", port))], nobody))
    backend = BackendSettings("web", (name,), check=0.01, check_fall=1, check_rise=1)
    health = Health([backend], nobody)
    try:
        with few_files():
            wait_for(lambda: "not looked at for now" in caplog.text)
            assert health.missing() == frozenset()
        listener.close()
        wait_for(lambda: health.missing() == {name})
    finally:
        health.close()
    assert caplog.text.count("not looked at for now") == 1


@contextmanager
def few_files() -> Iterator[None]:
    """No file more can be opened by this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_that_goes_and_comes_is_told_of() -> None:
    listener, name = listening()
    backend = BackendSettings("web", (name, "127.0.0.1:1 weight 2"), check=0.05, check_fall=1, check_rise=1)
    health = Health([backend, BackendSettings("other", (name,))], nobody)
    try:
        wait_for(lambda: health.missing() == {"127.0.0.1:1"})
        assert health.changed.is_set()
        listener.close()
        wait_for(lambda: health.missing() == {"127.0.0.1:1", name})
        back = socket.create_server(("127.0.0.1", int(name.rpartition(":")[2])))
        wait_for(lambda: health.missing() == {"127.0.0.1:1"})
        back.close()
        assert len(health.standings()) == 2
    finally:
        health.close()
