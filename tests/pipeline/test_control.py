"""The control socket answers its owner, and nothing that is sent to it does harm."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from helpers import receive
from tidegate.model.errors import UsageError
from tidegate.pipeline.control import LONGEST, LONGEST_PATH, MOST, Command, ControlServer, NobodyError, ask


def mute(seconds: float, rule: str | None = None) -> dict[str, Any]:
    if seconds < 0:
        raise UsageError("time goes on")
    return {"muted": rule or "all", "seconds": seconds}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    words: dict[str, Command] = {"status": lambda: {"up": 1}, "mute": mute, "break": lambda: {}["nothing"]}
    made = ControlServer(tmp_path / "below" / "control.sock", words)
    made.start()
    yield made
    made.close()
    assert not made.path.exists()


def raw(server: ControlServer, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(server.path))
        try:
            caller.sendall(data)
            caller.shutdown(socket.SHUT_WR)
            return receive(caller)
        except ConnectionError:
            return b""


def test_it_answers(server: ControlServer) -> None:
    assert ask(server.path, {"do": "status"}) == {"ok": True, "up": 1}
    assert ask(server.path, {"do": "mute", "rule": "a", "seconds": 5})["muted"] == "a"
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{}", 'there is no "None"; there are status, mute'),
        (b'{"do": "halt"}', 'there is no "halt"'),
        (b'{"do": ["mute"]}', "there is no"),
        (b'{"do": "mute"}', "missing a required argument: 'seconds'"),
        (b'{"do": "mute", "seconds": 1, "x": 2}', "unexpected keyword argument 'x'"),
        (b'{"do": "mute", "seconds": "1"}', '"seconds" is not what is expected'),
        (b'{"do": "mute", "seconds": true}', '"seconds" is not what is expected'),
        (b'{"do": "mute", "seconds": 1, "rule": {}}', '"rule" is not what is expected'),
        (b'{"do": "mute", "seconds": -1}', "time goes on"),
        (b"[]", "an object is expected"),
        (b"mute", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
    ],
)
def test_what_it_does_not_know_it_refuses(server: ControlServer, line: bytes, said: str) -> None:
    answer = json.loads(raw(server, line + b"\n"))
    assert answer["ok"] is False
    assert said in answer["error"]
    assert ask(server.path, {"do": "status"})["up"] == 1


def test_many_lines_and_long_ones(server: ControlServer) -> None:
    answers = raw(server, b'{"do": "status"}\n' * 1000).splitlines()
    assert len(answers) == 1000
    assert raw(server, b"x" * (2 * LONGEST)) == b""
    assert ask(server.path, {"do": "status"})["up"] == 1


def test_callers_that_say_nothing_take_no_place_for_ever(server: ControlServer) -> None:
    with ExitStack() as silent:
        for _ in range(2 * MOST):
            caller = silent.enter_context(socket.socket(socket.AF_UNIX))
            caller.connect(str(server.path))
        assert ask(server.path, {"do": "status"})["up"] == 1


def test_one_at_a_time_and_a_dead_ones_place_is_taken(server: ControlServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="runs here already"):
        ControlServer(server.path, {})
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    with pytest.raises(UsageError, match="no Tidegate answers"):
        ask(left, {"do": "status"})
    made = ControlServer(left, {"mute": mute})
    made.start()
    assert ask(left, {"do": "mute", "seconds": 1})["ok"]
    made.close()


def test_a_path_that_is_too_long_says_what_to_do(tmp_path: Path) -> None:
    for length in (LONGEST_PATH, LONGEST_PATH + 1):
        path = tmp_path / ("x" * (length - len(str(tmp_path)) - 1))
        assert len(str(path)) == length
        if length == LONGEST_PATH:
            ControlServer(path, {}).close()
            continue
        with pytest.raises(UsageError, match="name a shorter one"):
            ControlServer(path, {})
        with pytest.raises(NobodyError, match="name a shorter one"):
            ask(path, {"do": "status"})


def test_a_socket_of_who_is_busy_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "busy.sock"
    with socket.socket(socket.AF_UNIX) as busy, ExitStack() as callers:
        busy.bind(str(path))
        busy.listen(0)
        for _ in range(2):  # so many wait that no further one can
            caller = callers.enter_context(socket.socket(socket.AF_UNIX))
            caller.setblocking(False)
            caller.connect_ex(str(path))
        with pytest.raises(UsageError, match="runs here already"):
            ControlServer(path, {})
        assert path.exists()


def test_who_asks_where_nobody_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="start one with: tidegate run"):
        ask(tmp_path / "none.sock", {"do": "status"})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to become another user")
def test_another_user_is_turned_away(server: ControlServer) -> None:
    server.path.chmod(0o666)
    for folder in (server.path.parent, *server.path.parents[:6]):
        if folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setresuid(65534, 65534, 65534)
            code = 0 if raw(server, b'{"do": "status"}\n') == b"" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_part_that_breaks_ends_no_thread(server: ControlServer) -> None:
    with pytest.raises(UsageError, match="could not be answered: KeyError"):
        ask(server.path, {"do": "break"})
    assert ask(server.path, {"do": "status"})["up"] == 1


@pytest.mark.parametrize("answer", [b"[]\n", b"x\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_what_answers_may_be_no_tidegate(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def reply() -> None:
            with listener.accept()[0] as caller:
                caller.recv(100)
                caller.sendall(answer)

        thread = Thread(target=reply)
        thread.start()
        with pytest.raises(UsageError, match="no Tidegate"):
            ask(path, {"do": "status"})
        thread.join()
