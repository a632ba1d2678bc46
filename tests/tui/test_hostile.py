"""Strangers choose names: on screen they do nothing but stand there, escaped, in a real terminal too."""

import itertools
import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from screens import play, settle, text
from textual.pilot import Pilot
from town import NOW, TownFeed, batch, conn, program

import pcaps
from helpers import TIDEGATE, wait_for
from hostile import HOSTILE, check_bytes, safe, sent
from nets import missing
from terminal import Terminal, until
from tidegate.model.text import fit
from tidegate.tui.cells import shown
from tidegate.tui.screen import WatchScreen


@pytest.mark.parametrize("name", HOSTILE)
def test_a_cell_is_harmless_and_as_wide_as_it_should_be(name: str) -> None:
    from rich.cells import cell_len

    said = shown(HOSTILE[name])
    assert safe(said)
    for width in (0, 1, 7, 40):
        assert cell_len(fit(said, width)) == width


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
    service = dict.fromkeys(("name", "backend"), evil) | {"listen": [evil]}
    figures = dict.fromkeys(("rules", "connections", "addresses", "total", "up", "down"), 1)
    none = {"limit": None, "address_limit": None, "refused": {evil: 1}, "ended": {evil: 1}, "keeps": True}
    told = {"services": [service | figures | none], "rejected": [evil], "waiting": {evil: evil},
            "draining": False, "connections": None}  # fmt: skip
    event = {
        "ts": NOW, "uid": "C1", "connection_id": 1, "service": evil, "client_ip": "192.0.2.9", "type": "recv",
        "rule": evil, "protocol": evil, "backend": evil, "remote_ip": evil, "client_as_org": evil,
        "text": evil,
        "payload_base64": b64encode(evil.encode()).decode(),
    }  # fmt: skip
    events = batch(
        "relay", [event | {"type": kind} for kind in ("accept", "detect", "recv", "send", "notice")]
    )
    feed = TownFeed([
        batch("conn", [row]), batch("http", [http]), batch("alert", [alert]), batch("host", [host]), events,
    ])  # fmt: skip
    feed.inbox.carry(told, NOW)
    shots: list[str] = []

    async def looks(pilot: Pilot[None]) -> None:
        for keys in (
            ("1",), ("2",), ("enter",), ("escape", "3"), ("4",), ("5",), ("6",), ("enter",), ("enter",),
            ("escape", "escape", "7"), ("enter",), ("escape", "8"),
        ):  # fmt: skip
            await pilot.press(*keys)
            await settle(pilot)
            assert isinstance(pilot.app, WatchScreen)
            shots.append(text(pilot.app))

    play(looks, feed=feed)
    assert len(set(shots)) == 12, "each key shows something else"
    for shot in shots:
        assert safe(shot.replace("\n", "")), shot
        assert all(len(line) <= 100 for line in shot.splitlines())


def captured(path: Path) -> Path:
    """A capture in which each hostile text is a Host, a path and a user agent."""
    frames = []
    for number, each in enumerate(sent()):
        clean = each[:1200]
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


def heard(terminal: Terminal, key: bytes, words: bytes) -> bool:
    """Whether a key brought these words; presses it again, for what is read along with garbage is lost."""
    return terminal.shows(words) or os.write(terminal.descriptor, key) == 0


def test_bytes_that_are_no_text_do_not_end_the_screen(hostile_top: Terminal) -> None:
    wait_for(lambda: hostile_top.shows(b"The capture ends at"))
    garbage = (b"\xff", b"\xe9", b"\x1b[M\xff\xff\xff", b"\x1b[200~\xff\xfe\x1b[201~", b"\xc3\x28")
    keys = itertools.cycle([(b"4", b"Address"), (b"5", b"Section")])
    for each, (key, words) in zip(garbage, keys, strict=False):
        hostile_top.mark = len(hostile_top.read())
        os.write(hostile_top.descriptor, each)
        wait_for(partial(heard, hostile_top, key, words))
    hostile_top.press("q")
    assert hostile_top.end() == 0
    assert b"Traceback" not in hostile_top.raw


BROKEN = """
import sys
from textual.drivers.linux_driver import LinuxDriver
def fail(self): raise RuntimeError("no keys any more")
LinuxDriver.run_input_thread = fail
from tidegate.cli import main
sys.exit(main())
"""


def test_a_keyboard_that_fails_ends_the_screen_with_an_error(tmp_path: Path) -> None:
    capture = str(captured(tmp_path / "hostile.pcap"))
    terminal = Terminal([sys.executable, "-c", BROKEN, "top", "-r", capture], tmp_path)
    try:
        assert terminal.end() == 1
    finally:
        terminal.kill()
    assert b"no keys any more" in terminal.raw
    assert b"the screen broke" in terminal.raw


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_and_leaves_the_terminal_as_it_was(
    hostile_top: Terminal, number: signal.Signals
) -> None:
    wait_for(lambda: hostile_top.shows(b"The capture ends at"))
    os.kill(hostile_top.pid, number)
    assert hostile_top.end() == 0
    assert b"\x1b[?1049l" in hostile_top.raw
    assert b"\x1b[?25h" in hostile_top.raw


needs_tmux = pytest.mark.skipif(bool(missing("tmux")), reason=missing("tmux"))
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
    texts = [text[:2000].hex() for text in sent()]
    space.append(subprocess.Popen([*inside, sys.executable, "-c", CLIENT, *texts]))
    raw, done, socket = tmp_path / "raw", tmp_path / "done", f"tg-{os.getpid()}"
    command = " ".join([*inside, *TIDEGATE, "watch", "-i", "lo", "--no-store"])
    tmux = ["tmux", "-L", socket]
    # How large the terminal is tmux decides, not whoever runs the tests.
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment["LANG"] = "C.UTF-8"
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
