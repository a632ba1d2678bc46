"""`tidegate top` beside a `tidegate relay`, in a real terminal: what it shows, what keys do to clients."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doors import LOCAL, answering, call

from helpers import TIDEGATE, free_port, receive, wait_for
from hostile import check_bytes
from terminal import Terminal, foreign, plain_after, until

EVIL = b"GET /\x1b]52;c;ZXZpbA==\x07\x1b[2J[/red] HTTP/1.1\r\n\r\n"


@pytest.fixture
def door(environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """A relay before a backend that echoes; the port of its door."""
    with answering() as backend:
        port = free_port()
        service = (
            f"name: front, listen: '{LOCAL}:{port}', backend: ':{backend}', excerpts: {{per_direction: 64}}"
        )
        (tmp_path / "t.yml").write_text(f"store: {{path: s}}\nrelay: {{services: [{{{service}}}]}}\n")
        words = [*TIDEGATE, "relay", "--no-helper", "--config", "t.yml"]
        relay = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: (tmp_path / "s" / "relay.sock").is_socket())
            wait_for(lambda: said(port))
            yield port
        finally:
            relay.terminate()
            relay.wait(60)


def said(port: int) -> bool:
    try:
        with call(port) as client:
            client.sendall(b"a")
            return client.recv(1) == b"a"
    except OSError:
        return False


@contextmanager
def top(tmp_path: Path, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal([*TIDEGATE, "top", "--store", str(tmp_path / "s"), *arguments], tmp_path, 120)
    try:
        wait_for(lambda: terminal.shows(b"Programs"), 60)
        yield terminal
    finally:
        terminal.kill()


def ended(client: socket.socket) -> bool:
    client.settimeout(5)
    try:
        return receive(client) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize(("arguments", "colour"), [((), True), (("--ascii",), False)])
def test_a_relay_is_seen_and_told_what_to_do(
    door: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], colour: bool
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    with (
        call(door, "127.0.0.2") as one,
        call(door, "127.0.0.3") as other,
        top(tmp_path, *arguments) as screen,
    ):
        for client in (one, other):
            client.sendall(EVIL)
            assert len(client.recv(1000)) == len(EVIL)
        for key, words in (("6", b"front"), ("\r", b"127.0.0.3:"), ("\r", b"From the client")):
            screen.press(key)
            until(screen, key, words)
        screen.press("G")
        until(screen, "G", rb"|GET /.]52;c;ZXZp|")
        screen.press("q")
        until(screen, "q", b"127.0.0.3:")
        screen.press("k")
        until(screen, "k", b"end connection")
        screen.press("\r")
        until(screen, "Enter", b"is ended")
        assert ended(other), plain_after(screen.read())[-4000:].decode(errors="replace")
        for key, words in (("/", b"filter /"), ("127.0.0.2", b"127.0.0.2"), ("\r", b"filter 127.0.0.2: ")):
            screen.press(key)
            until(screen, key, words)
        screen.press("R")
        until(screen, "R", b"reject")
        screen.press("\r")
        until(screen, "Enter", b"127.0.0.2 is rejected")
        assert ended(one)
        with call(door, "127.0.0.2") as again:
            assert ended(again)
        screen.press("u")
        until(screen, "u", b"let in again")
        screen.press("\r")
        until(screen, "Enter", b"127.0.0.2 is let in again")
        with call(door, "127.0.0.2") as again:
            again.sendall(b"b")
            assert again.recv(1) == b"b"
        screen.press("q")
        assert screen.end() == 0
        drawn = screen.raw[screen.raw.index(b"\x1b[?1049h") : screen.raw.rindex(b"\x1b[?1049l")]
        check_bytes(drawn)
        if arguments:
            assert foreign(plain_after(drawn).decode(errors="replace")) == []


def test_without_a_relay_the_tab_shows_what_the_store_has(
    door: int, tmp_path: Path, environment: dict[str, str]
) -> None:
    with call(door, "127.0.0.2") as client:
        client.sendall(EVIL)
        assert client.recv(1)
    words = [*TIDEGATE, "relay", "--config", "t.yml", "drain"]
    subprocess.run(words, env=environment, cwd=tmp_path, check=True, capture_output=True)
    wait_for(lambda: not (tmp_path / "s" / "relay.sock").exists())
    with top(tmp_path) as screen:
        for key, seen in (("6", b"front"), ("\r", b"127.0.0.2:"), ("k", b"only a connection that is open")):
            screen.press(key)
            until(screen, key, seen)
