"""Names from the name server: asked once, behind the scenes, never waited for, bounded."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import free_port, wait_for
from made import made
from tidegate.enrich.names import Names
from tidegate.enrich.reverse import FAILED, KNOWN, MOST_WAITING, UNKNOWN, ReverseDns, name_server
from tidegate.model.config import NameSettings

DNSMASQ = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin")


class Server:
    """Answers when it may, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may = threading.Event()
        self.may.set()

    def __call__(self, ip: str) -> bytes | None:
        self.asked.append(ip)
        self.may.wait(30)
        if ip.startswith("10."):
            raise OSError("no answer")
        return b"host-" + ip.encode() if ip.startswith("8.") else None


@contextmanager
def asking(
    server: Callable[[str], bytes | None], clock: Callable[[], float] = lambda: 0.0
) -> Iterator[ReverseDns]:
    reverse = ReverseDns(1, server, clock, lambda: 5 * 10**9)
    try:
        yield reverse
    finally:
        reverse.close()


def test_the_first_question_is_not_waited_for_and_the_answer_comes_later() -> None:
    server = Server()
    server.may.clear()
    with asking(server) as reverse:
        assert reverse.find("8.8.8.8") is None
        assert reverse.find("8.8.8.8") is None
        server.may.set()
        wait_for(lambda: reverse.find("8.8.8.8"))
        found = reverse.find("8.8.8.8")
        assert found
        assert (found.text, found.ts) == (b"host-8.8.8.8", 5 * 10**9)
    assert server.asked == ["8.8.8.8"]


@pytest.mark.parametrize(("ip", "lasts"), [("8.8.8.8", KNOWN), ("9.9.9.9", UNKNOWN), ("10.0.0.1", FAILED)])
def test_every_answer_counts_for_its_time(ip: str, lasts: float) -> None:
    server, now = Server(), [0.0]
    with asking(server, lambda: now[0]) as reverse:
        reverse.find(ip)
        wait_for(lambda: not reverse._asked)
        now[0] = lasts - 0.1
        reverse.find(ip)
        assert not reverse._asked
        now[0] = lasts
        reverse.find(ip)
        wait_for(lambda: len(server.asked) == 2)


def test_nobody_is_asked_about_groups() -> None:
    with asking(Server()) as reverse:
        for ip in ("224.0.0.251", "ff02::fb", "255.255.255.255", "0.0.0.0", "::"):
            assert reverse.find(ip) is None
        assert not reverse._asked


def test_so_many_wait_and_no_more() -> None:
    server = Server()
    server.may.clear()
    with asking(server) as reverse:
        for number in range(MOST_WAITING + 100):
            reverse.find(f"8.0.{number >> 8}.{number & 255}")
        assert reverse.dropped >= 99
        assert len(reverse._asked) <= MOST_WAITING + 1
        server.may.set()


def test_closing_forgets_what_waits() -> None:
    server = Server()
    server.may.clear()
    with asking(server) as reverse:
        for number in range(100):
            reverse.find(f"8.0.0.{number}")
        wait_for(lambda: server.asked)
        reverse._over.set()
        server.may.set()
    assert len(server.asked) == 1
    assert "tidegate-rdns" not in {thread.name for thread in threading.enumerate()}


def test_the_stage_names_what_nobody_else_named() -> None:
    names = Names(NameSettings(local=False), ReverseDns(1, lambda ip: b"\x1b[2Jevil.example", wall=lambda: 0))
    try:
        row = {"ts": 3 * 10**9, "dst_ip": "8.8.8.8"}

        def found() -> list[list[object]]:
            (batch,) = names.process(made("conn", row))
            return batch.columns(["name", "name_source", "name_age"])

        wait_for(lambda: found()[0] != [None])
        assert found() == [["\\x1b[2Jevil.example"], ["rdns"], [3.0]]
    finally:
        names.close()


@pytest.fixture
def dnsmasq(tmp_path: Path) -> Iterator[int]:
    """A name server on loopback; its port."""
    if DNSMASQ is None:
        pytest.skip("dnsmasq is missing: apt install dnsmasq-base")
    port = free_port()
    words = "-k --conf-file=/dev/null --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces"
    words += f" --port={port} --pid-file= --user= --host-record=printer.example,192.168.7.9,fd00::9"
    words += " --local=/in-addr.arpa/"
    program = subprocess.Popen([DNSMASQ, *words.split()], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        program.terminate()
        program.wait(10)


def test_a_real_name_server(dnsmasq: int) -> None:
    ask = name_server(5, ["127.0.0.1"], dnsmasq)

    def answers() -> bool:
        try:
            return ask("192.168.7.9") == b"printer.example"
        except OSError:
            return False

    wait_for(answers)
    assert ask("fd00::9") == b"printer.example"
    assert ask("192.168.7.10") is None


def test_a_server_that_is_silent_fails_in_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        ask = name_server(0.2, ["127.0.0.1"], silent.getsockname()[1])
        with pytest.raises(OSError, match="timed out|lifetime"):
            ask("8.8.8.8")
