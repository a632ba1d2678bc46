"""Strangers' text in real traffic by real programs: what `watch` makes of it is harmless.

Host header, path, user agent, TLS server name and the name of the program are hostile, all at once.
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import tidegate
from helpers import TIDEGATE, Run, wait_for
from hostile import check_bytes, check_lines, sent
from nets import Net, missing
from terminal import Terminal, plain_after, until

NEEDED = ("bash", "nsenter")
pytestmark = pytest.mark.skipif(bool(missing(*NEEDED)), reason=missing(*NEEDED))

FORMATS = ("conmon", "tsv", "csv", "jsonl", "zeek", "eve", "ecs")
RULES = """
alerts:
  rules:
    - {name: hosts, metric: http_requests, key: host, threshold: 0, window: 10m}
    - {name: agents, metric: http_requests, key: user_agent, threshold: 0, window: 10m}
    - {name: paths, metric: http_requests, key: section, threshold: 0, window: 10m}
    - {name: names, metric: connections, key: name, threshold: 0, window: 10m}
    - {name: programs, metric: connections, key: process_name, threshold: 0, window: 10m}
    - {name: new, metric: new_program, learn: 0, window: 10m}
logs:
"""
SERVER = """
import socketserver
class Quiet(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(100_000)
        self.request.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
Server(("127.0.0.1", 8099), Quiet).serve_forever()
"""
# Builtins of bash alone, so that the hostile file is the program that opens the connection.
CLIENT = """
trap "" PIPE  # whom the server has left goes on
for file in "$1"/*.sent; do
    if exec 3<>/dev/tcp/127.0.0.1/8099; then
        while IFS= read -r line; do printf "$line" >&3; done < "$file"
        read -r -t 2 line <&3
        exec 3<&- 3>&-
    fi 2>/dev/null
done
"""
# A second of silence: where the kernel tells no events, only what lasts is looked up.
HOLD = "exec 3<>/dev/tcp/127.0.0.1/8099; read -r -t 1 line <&3"
PROGRAMS = (
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;owned\x1b\\",
    "\x1b[2J\x1b[31m",
    "\x9b31m\x90q\x9c",
    "\u202egpj.exe",
    "[/foo]",
    "a\r\nb\x7f",
)


def vector(size: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body))[{"B": 3, "H": 2, "T": 1}[size] :] + body


def hello(name: bytes) -> bytes:
    """A TLS ClientHello for a server of this name."""
    names = vector("H", vector("H", b"\x00", vector("H", name)))
    extensions = vector("H", b"\x00\x00", names)
    body = b"\x03\x03" + bytes(32) + b"\x00" + vector("H", b"\x13\x01") + b"\x01\x00" + extensions
    message = b"\x01" + vector("T", body)
    pieces = [message[at : at + 16_000] for at in range(0, len(message), 16_000)]
    return b"".join(b"\x16\x03\x01" + vector("H", piece) for piece in pieces)


def requests() -> Iterator[bytes]:
    """What is sent, a connection each."""
    for text in sent():
        head = b" HTTP/1.1\r\nHost: " + text + b"\r\nUser-Agent: " + text + b"\r\n\r\n"
        yield b"GET /" + text.replace(b" ", b"").replace(b"\x00", b"") + head
        yield hello(text[:60_000])


class Place:
    """A namespace with a server and hostile clients, and a `watch` to look at them."""

    def __init__(self, net: Net, root: Path) -> None:
        self.net, self.root = net, root
        self.store, self.logs = root / "s", root / "logs"
        self.logs.mkdir()
        (root / "sent").mkdir()
        for number, request in enumerate(requests()):
            # A byte a `\xHH`, in lines of a size that bash reads quickly.
            pieces = [request[at : at + 512] for at in range(0, len(request), 512)]
            lines = ["".join(f"\\x{byte:02x}" for byte in piece) for piece in pieces]
            (root / "sent" / f"{number:02}.sent").write_text("\n".join(lines) + "\n")
        for number, name in enumerate(PROGRAMS):
            folder, _, file = f"{number}{name}".rpartition("/")
            (root / "bin" / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/bash", root / "bin" / folder / file)
        shutil.copy("/bin/bash", root / "knock")
        logs = (
            f"  - {{name: {format}, path: '{self.logs}/{{table}}.{format}', format: {format}, interim: true"
            + (", tables: [conn, http, tls, alert]}" if format not in ("conmon", "zeek") else
               ", tables: [conn, http, tls]}" if format == "zeek" else "}")
            for format in FORMATS
        )  # fmt: skip
        text = RULES + "\n".join(logs).replace("{table}.eve", "all.eve").replace("{table}.ecs", "all.ecs")
        (root / "t.yml").write_text(text.replace("{table}.conmon", "conn.conmon"))

    def watch(self, *words: str) -> Terminal:
        """A `watch` in a terminal; nsenter, for `ip` would hide the kernel's tracing from it."""
        inside = ["nsenter", f"--net=/run/netns/{self.net.name}"]
        command = [*inside, *TIDEGATE, "watch", "-i", "lo", "--store", str(self.store)]
        return Terminal([*command, "--config", str(self.root / "t.yml"), *words], self.root, 140)

    def talk(self) -> None:
        """Every hostile program says every hostile thing, once programs are named."""
        wait_for(self._is_named)
        for program in sorted((self.root / "bin").rglob("*")):
            if program.is_file():
                words = [str(program), "-c", CLIENT + HOLD, "evil\x1b]52;c;eA==\x07", str(self.root / "sent")]
                subprocess.run(self.net.inside(*words), check=False, timeout=60, stderr=subprocess.DEVNULL)

    def _is_named(self) -> bool:
        """Whether a program of good manners, which calls once more, was named in what is written."""
        words = [str(self.root / "knock"), "-c", HOLD]
        subprocess.run(self.net.inside(*words), check=False, timeout=60, stderr=subprocess.DEVNULL)
        return b"knock" in self.written()

    def written(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.logs.iterdir()))


@pytest.fixture
def place() -> Iterator[Place]:
    root = Path(tempfile.mkdtemp(prefix="tg-"))
    root.chmod(0o755)
    with Net() as net:
        made = Place(net, root)
        server = subprocess.Popen(net.inside(sys.executable, "-c", SERVER))
        try:
            yield made
        finally:
            server.kill()
            server.wait()
    shutil.rmtree(root)


def check_what_is_kept(place: Place, run: Run) -> None:
    """Logs in all formats, and the alerts; everything was there, and nothing of it acts."""
    for path in sorted(place.logs.iterdir()):
        check_lines(path.read_bytes())
        if path.suffix in (".jsonl", ".eve", ".ecs"):
            assert [json.loads(line) for line in path.read_text().splitlines()], path
    told = run("alerts", "--store", place.store, "-n", "500")
    assert told.returncode == 0, told.stderr
    check_lines(told.stdout.encode())
    for text in (place.written(), told.stdout.encode()):
        for sign in (rb"\x1b]52;c;ZXZpbA==\x07", b"[/foo]", rb"\u202e"):
            assert sign in text.replace(rb"\\", b"\\"), sign
    seen = list(tidegate.query("SELECT DISTINCT rule FROM alert", place.store))
    assert {row[0] for row in seen} == {"hosts", "agents", "paths", "names", "programs", "new"}
    names = [str(row[0]) for row in tidegate.query("SELECT DISTINCT process_name FROM conn", place.store)]
    assert any("x1b" in name for name in names), names
    assert any(row for row in tidegate.query("SELECT sni FROM tls WHERE sni LIKE '%[/foo]%'", place.store))


def test_on_the_screen(place: Place, run: Run) -> None:
    terminal = place.watch()
    try:
        wait_for(lambda: terminal.shows(b"Alerts"))
        place.talk()
        for key, words in (("1", b"60 s: "), ("2t", b"are shown"), ("\r", b"Application"), ("q", b"Remote"),
                           ("3", b"Container"), ("a", b"one by one"), ("4", b"Address"), ("5", b"Methods"),
                           ("6", b"No relay runs"), ("7", b"Limit"), ("\r", b"metric"), ("q", b"Limit"),
                           ("w", b"rule:"), ("\r", b"silenced"), ("8", b"raised:"),
                           ("1", b"60 s: ")):  # fmt: skip
            terminal.press(key)
            until(terminal, key, words)
        for _ in range(3):
            terminal.press("7jjj")
            until(terminal, "7", b"Limit")
            terminal.press("8")
            until(terminal, "8", b"raised:")
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.kill()
    raw = terminal.raw
    check_bytes(raw[: raw.rindex(b"\x1b[?1049l")])
    assert rb"\x1b]52;c;" in raw
    assert b"[/foo]" in raw
    check_what_is_kept(place, run)


def test_in_lines(place: Place, run: Run) -> None:
    terminal = place.watch("--plain")
    try:
        wait_for(lambda: terminal.read() or (place.store / "control.sock").exists())
        wait_for(lambda: (place.store / "control.sock").exists())
        place.talk()
        until(terminal, "traffic", b"alert raised")
        until(terminal, "traffic", b"[/foo]")
        os.kill(terminal.pid, signal.SIGINT)
        assert terminal.end() == 0
    finally:
        terminal.kill()
    raw = terminal.raw
    assert plain_after(raw) == raw
    check_lines(raw.replace(b"\r\n", b"\n"))
    assert rb"\x1b]52;c;" in raw
    check_what_is_kept(place, run)
