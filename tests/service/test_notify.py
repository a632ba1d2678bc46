"""What systemd is told, over a real socket."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import TIDEGATE, Run, wait_for
from nets import Net
from tidegate.service.notify import Notifier


class Ear:
    """Where systemd would listen."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    made = Ear(str(tmp_path / "notify"))
    yield made
    made.socket.close()


def told(path: Path, usec: str = "60000000", now: list[float] | None = None) -> Notifier:
    time = now or [0.0]
    return Notifier({"NOTIFY_SOCKET": str(path / "notify"), "WATCHDOG_USEC": usec}, lambda: time[0])


def test_the_beginning_a_reload_and_the_end(ear: Ear, tmp_path: Path) -> None:
    notifier = told(tmp_path)
    notifier.ready("capturing eth0")
    notifier.reloading()
    notifier.ready("capturing eth0")
    notifier.stopping(90)
    ready, reloading, again, stopping = ear.heard()
    assert ready == "READY=1\nSTATUS=capturing eth0"
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert again == "READY=1"
    assert stopping == "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\nSTATUS=ending"


def test_signs_of_life_come_twice_as_often_as_wanted(ear: Ear, tmp_path: Path) -> None:
    now = [0.0]
    notifier = told(tmp_path, "4000000", now)
    asked = []
    for _ in range(40):
        notifier.alive(lambda: asked.append(1) or "fine")  # type: ignore[func-returns-value]
        now[0] += 0.25
    assert ear.heard() == ["WATCHDOG=1\nSTATUS=fine", *["WATCHDOG=1"] * 4]
    assert len(asked) == 5


def test_text_from_data_is_one_line_without_escapes(ear: Ear, tmp_path: Path) -> None:
    told(tmp_path).ready("a\nREADY=0\x1b[2J" + "x" * 1000)
    (said,) = ear.heard()
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert len(said) < 600


@pytest.mark.parametrize("usec", ["9" * 400, "9" * 5000, "-1", "1e6", "soon"])
def test_a_watchdog_s_time_that_is_none_changes_nothing(usec: str, ear: Ear, tmp_path: Path) -> None:
    told(tmp_path, usec).alive(lambda: "fine")
    assert ear.heard() == ["WATCHDOG=1\nSTATUS=fine"]


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    assert not Notifier({}).wanted
    Notifier({}).ready("x")
    told(tmp_path).ready("the socket is gone")


def test_an_abstract_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0tidegate-test-notify")
        Notifier({"NOTIFY_SOCKET": "@tidegate-test-notify"}).ready("x")
        assert listener.recv(100) == b"READY=1\nSTATUS=x"


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    now = [0.0]
    made = Notifier(
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, lambda: now[0]
    )
    asked = []
    for _ in range(4):
        made.alive(lambda: asked.append(1) or "")  # type: ignore[func-returns-value]
        now[0] += 4
    assert len(asked) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_a_run_tells_of_its_capture_its_reloads_and_its_end(
    ear: Ear, tmp_path: Path, environment: dict[str, str], run: Run
) -> None:
    file = tmp_path / "t.yml"
    settings = "store: {path: s}\nwatch: {interfaces: lo}\nprograms: {method: none}\n"
    file.write_text(settings)
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    heard: list[str] = []

    def hears(text: str, after: int = 0) -> None:
        wait_for(lambda: heard.extend(ear.heard()) or any(text in one for one in heard[after:]))  # type: ignore[func-returns-value]

    with Net() as net:
        words = [*net.inside(*TIDEGATE), "run", "--worker", "--config", "t.yml"]
        process = subprocess.Popen(words, env=environment | told, cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            hears("READY=1")
            assert '"capturing": true' in run("control", "--json", "--config", "t.yml").stdout
            hears("STATUS=capturing lo")
            hears("WATCHDOG=1")
            file.write_text(settings + "sotre: 1\n")
            before = len(heard)
            process.send_signal(signal.SIGHUP)
            hears("READY=1", before)
            assert [one for one in heard[before:] if one.startswith("RELOADING=1")]
            hears('the last reload changed nothing: t.yml:4: unknown key "sotre"', before)
            process.send_signal(signal.SIGTERM)
            hears("STOPPING=1")
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
