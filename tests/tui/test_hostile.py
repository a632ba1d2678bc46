"""Strangers choose names: on screen they do nothing but stand there, escaped, in a real terminal too."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from screens import after
from town import NOW, TownFeed, batch, conn, program

import pcaps
from helpers import TIDEGATE, wait_for
from tidegate.tui.board.board import SECOND
from tidegate.tui.cells import fit, shown

HOSTILE = {
    "markup": "[/foo] [bold]x[/bold] [link=http://x]y",
    "osc52": "\x1b]52;c;ZXZpbA==\x07",
    "title": "\x1b]0;owned\x1b\\",
    "csi": "\x1b[2J\x1b[31mred",
    "c1": "\x9b31m\x90q\x9c",
    "bidi": "\u202egpj.exe\u2066",
    "breaks": "a\r\nb\x00c\x08\x7f\u2028d",
    "zalgo": "e" + "\u0301" * 200,
    "surrogate": "x\udc80y",
    "invisible": "a\u200bb\ufeffc\u00add",
    "wide": "漢字" * 200,
    "long": "A" * 65_536,
}
INVALID = b"\xff\xfe\x80Host\xc3("
SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-9;?<>=]*[ -/]?[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78cDEHM])"
)
"""What a terminal is told: CSI, OSC, character sets, short ones."""


def safe(text: str) -> bool:
    return not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]", text
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_cell_is_harmless_and_as_wide_as_it_should_be(name: str) -> None:
    from rich.cells import cell_len

    text = shown(HOSTILE[name])
    assert safe(text)
    for width in (0, 1, 7, 40):
        assert cell_len(fit(text, width)) == width


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_stand_escaped_on_every_tab(name: str) -> None:
    evil = HOSTILE[name].replace("\udc80", "?")
    runs = program(evil, 7, process_cmdline=evil, process_user=evil, process_container=evil)
    row = conn(1, name=evil, name_source="sni", service="http", conn_state="S1", **runs)
    http = {"ts": NOW, "uid": row["uid"], "host": evil, "section": "/" + evil, "method": evil[:20] or "x",
            "uri": evil, "status": 200, "user_agent": evil, "dst_ip": "192.0.2.9"}  # fmt: skip
    alert = {"ts": NOW, "alert_id": "A", "rule": evil, "key": evil, "state": "raised",
             "severity": "warning", "metric": "m", "value": 1.0, "threshold": 0.5,
             "clear": 0.5, "since": NOW, "message": evil}  # fmt: skip
    host = {
        "ts": NOW,
        "iface": "eth0",
        "ip": "192.0.2.9",
        "mac": "02:00:00:00:00:01",
        "name": evil,
        "source": "mdns",
    }
    feed = TownFeed([
        batch("conn", [row]), batch("conn", [row | {"last_ts": NOW + SECOND}]), batch("http", [http]),
        batch("alert", [alert]), batch("host", [host]),
    ])  # fmt: skip
    for keys in (("1",), ("2",), ("2", "enter"), ("3",), ("4",), ("5",), ("6",), ("6", "enter"), ("7",)):
        feed = TownFeed([
            batch("conn", [row]), batch("http", [http]), batch("alert", [alert]), batch("host", [host]),
        ])  # fmt: skip
        shot = after(*keys, feed=feed)
        assert safe(shot.replace("\n", "")), keys
        assert all(len(line) <= 100 for line in shot.splitlines())


def captured(path: Path) -> Path:
    """A capture in which each hostile text is a Host, a path and a user agent."""
    frames = []
    texts = [text.encode("utf-8", "surrogateescape") for text in HOSTILE.values()] + [INVALID]
    for number, text in enumerate(texts):
        clean = text.replace(b"\r", b"").replace(b"\n", b"")[:1200]
        request = (
            b"GET /"
            + clean.replace(b" ", b"")
            + b" HTTP/1.1\r\nHost: "
            + clean
            + b"\r\nUser-Agent: "
            + clean
            + b"\r\n\r\n"
        )
        frames += pcaps.http_get(("10.0.0.5", 40_000 + number), start=number * 0.2, request=request)
    return pcaps.write_pcap(path, frames)


def plain_after(raw: bytes) -> bytes:
    """What is left when everything that Textual says to a terminal is taken out."""
    return SEQUENCE.sub(b"", raw)


def check_bytes(raw: bytes) -> None:
    """Nothing of a stranger's text reached the terminal as a command."""
    assert b"\x1b]52" not in raw
    assert b"\x1b]0;" not in raw
    left = plain_after(raw)
    assert not re.search(rb"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", left), left[:200]
    text = left.decode("utf-8")
    assert safe(text.replace("\r", "").replace("\n", "").replace("\x08", "").replace("\x1b", "")), (
        "control left"
    )


class Terminal:
    """A program in a pseudo-terminal; everything it writes is kept."""

    def __init__(self, words: list[str], directory: Path) -> None:
        import pty

        self.raw = b""
        self.mark = 0
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:  # the child
            os.chdir(directory)
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", COLUMNS="100", LINES="30")
            os.execv(words[0], words)
        os.set_blocking(self.descriptor, False)

    def read(self) -> bytes:
        """All that was written so far."""
        while True:
            try:
                more = os.read(self.descriptor, 65_536)
            except (BlockingIOError, OSError):
                return self.raw
            if not more:
                return self.raw
            self.raw += more

    def shows(self, words: bytes) -> bool:
        """Whether these words were written since the last key."""
        return words in self.read()[self.mark :]

    def press(self, keys: str) -> None:
        self.mark = len(self.read())
        os.write(self.descriptor, keys.encode())

    def end(self) -> int:
        """Its exit code, once it has ended."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.descriptor)
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError("it does not end")

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.descriptor)


def until(terminal: Terminal, key: str, words: bytes) -> None:
    """Waits for what a key brings; says what came instead."""
    try:
        wait_for(lambda: terminal.shows(words))
    except AssertionError:
        since = plain_after(terminal.raw[terminal.mark :])[-3000:].decode(errors="replace")
        raise AssertionError(f"{key!r} did not bring {words!r} but:\n{since}") from None


@pytest.fixture
def hostile_top(tmp_path: Path) -> Iterator[Terminal]:
    capture = captured(tmp_path / "hostile.pcap")
    terminal = Terminal([*TIDEGATE, "top", "-r", str(capture), "--speed", "0"], tmp_path)
    yield terminal
    terminal.kill()


def test_the_bytes_of_a_terminal_hold_no_command_of_a_stranger(hostile_top: Terminal) -> None:
    wait_for(lambda: hostile_top.shows(b"The capture ends at"))
    for key, words in (
        ("2t", b"connections that are over are shown"),
        ("\r", b"Application"),
        ("q", b"Remote"),
        ("4", b"Address"),
        ("5", b"Section"),
    ):
        hostile_top.press(key)
        until(hostile_top, key, words)
    hostile_top.press("q")
    assert hostile_top.end() == 0
    check_bytes(hostile_top.raw)
    assert rb"\x1b]52" in hostile_top.raw
    assert b"[/foo]" in hostile_top.raw


def test_bytes_that_are_no_text_do_not_end_the_screen(hostile_top: Terminal) -> None:
    wait_for(lambda: hostile_top.shows(b"The capture ends at"))
    for garbage in (b"\xff", b"\xe9", b"\x1b[M\xff\xff\xff", b"\x1b[200~\xff\xfe\x1b[201~", b"\xc3\x28"):
        os.write(hostile_top.descriptor, garbage)
        time.sleep(0.2)
    hostile_top.press("4")
    until(hostile_top, "4", b"Address")
    hostile_top.press("q")
    assert hostile_top.end() == 0
    assert b"Traceback" not in hostile_top.raw


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_and_leaves_the_terminal_as_it_was(
    hostile_top: Terminal, number: signal.Signals
) -> None:
    wait_for(lambda: hostile_top.shows(b"The capture ends at"))
    os.kill(hostile_top.pid, number)
    assert hostile_top.end() == 0
    assert b"\x1b[?1049l" in hostile_top.raw
    assert b"\x1b[?25h" in hostile_top.raw


needs_tmux = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("tmux") or not shutil.which("ip"), reason="needs root, tmux and ip"
)
SPACE = "tg-screen"
SERVER = """
import http.server, sys
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Quiet).serve_forever()
"""
CLIENT = """
import socket, sys, time
texts = [bytes.fromhex(text) for text in sys.argv[1:]]
for _ in range(200):
    for text in texts:
        try: talk = socket.create_connection(("127.0.0.1", 8099))
        except OSError: continue
        with talk:
            head = b" HTTP/1.1\\r\\nHost: " + text + b"\\r\\nUser-Agent: " + text + b"\\r\\n\\r\\n"
            talk.sendall(b"GET /" + text.replace(b" ", b"") + head)
            talk.settimeout(1)
            try: talk.recv(100)
            except OSError: pass
    time.sleep(0.2)
"""


@pytest.fixture
def space() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A network namespace of our own, and what runs in it."""
    subprocess.run(["ip", "netns", "add", SPACE], check=True)
    subprocess.run(["ip", "-n", SPACE, "link", "set", "lo", "up"], check=True)
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for each in running:
        each.kill()
        each.wait()
    subprocess.run(["ip", "netns", "del", SPACE], check=False)


@needs_tmux
def test_watch_in_a_real_terminal_with_real_traffic(
    tmp_path: Path, space: list[subprocess.Popen[bytes]]
) -> None:
    inside = ["ip", "netns", "exec", SPACE]
    space.append(subprocess.Popen([*inside, sys.executable, "-c", SERVER], stderr=subprocess.DEVNULL))
    texts = [
        text.encode("utf-8", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"")[:2000]
        for text in HOSTILE.values()
    ]
    space.append(
        subprocess.Popen([*inside, sys.executable, "-c", CLIENT, *(text.hex() for text in [*texts, INVALID])])
    )
    raw, done, socket = tmp_path / "raw", tmp_path / "done", f"tg-{os.getpid()}"
    command = " ".join([*inside, *TIDEGATE, "watch", "-i", "lo", "--no-store"])
    tmux = ["tmux", "-L", socket]
    environment = os.environ | {"LANG": "C.UTF-8"}
    shell = f"{command}; echo exit $? > {done}"
    subprocess.run([*tmux, "new-session", "-d", "-x", "100", "-y", "30", "sh"], check=True, env=environment)
    try:
        subprocess.run([*tmux, "pipe-pane", f"cat > {raw}"], check=True)
        subprocess.run([*tmux, "send-keys", shell, "Enter"], check=True)
        wait_for(lambda: raw.exists() and b"60 s: " in raw.read_bytes(), 60)
        for key, words in (("2", b"Remote"), ("4", b"Address"), ("5", b"Methods")):
            subprocess.run([*tmux, "send-keys", key], check=True)
            wait_for(lambda words=words: words in raw.read_bytes())  # type: ignore[misc]
        for words in (rb"\x1b]52", b"[/foo]"):
            wait_for(lambda words=words: words in raw.read_bytes())  # type: ignore[misc]
        subprocess.run([*tmux, "send-keys", "q"], check=True)
        wait_for(done.exists)
        wait_for(lambda: b"tidegate: watched lo for" in raw.read_bytes())
    except AssertionError as error:
        seen = subprocess.run(
            [*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True
        ).stdout
        raise AssertionError(f"{error}; this is on the screen:\n{seen}") from error
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    assert done.read_text().strip() == "exit 0"
    said = raw.read_bytes()
    said = said[said.index(b"\x1b[?1049h") : said.rindex(b"\x1b[?1049l")]
    check_bytes(said)
    assert b"[/foo]" in said
