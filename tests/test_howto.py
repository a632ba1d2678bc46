"""The how-tos do what they say: their commands run as they stand, on a street of two houses."""

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest

from alarms import certificate
from helpers import TIDEGATE, wait_for
from nets import Net, missing

HOWTO = Path(__file__).parents[1] / "docs" / "howto"
HERE, THERE = "192.0.2.10", "192.0.2.7"

_GOES_ON = re.compile(r"sudo tidegate (?:run|watch|relay --config \S+$)")
_CAPTURES = re.compile(r"sudo tidegate report .*--capture ")

_SERVER = """
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        greeting = GREETINGS.get(self.server.server_address[1], b"")
        self.request.sendall(greeting)
        while data := self.request.recv(4096):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
GREETINGS = {22: b"SSH-2.0-OpenSSH_9.2\\r\\n"}
import threading
servers = [Server(("192.0.2.7", int(port)), Echo) for port in sys.argv[1:]]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("up", flush=True)
threading.Event().wait()
"""
_WEB = """
import http.server
class Site(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("192.0.2.7", 80), Site)
print("up", flush=True)
server.serve_forever()
"""
_POST = """
import pathlib, ssl, sys, time
sys.path.insert(0, sys.argv[1])
from post import office
place = pathlib.Path(sys.argv[2])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(place / "crt.pem", place / "key.pem")
with office(tls, "hunter2", 2525) as (post, _):
    print("up", flush=True)
    while not (place / "closed").exists():
        for number in range(len(post.letters)):
            (place / ("letter%d" % number)).write_bytes(post.letters[number].content)
        time.sleep(0.05)
"""
_ASK = """
import http.client
site = http.client.HTTPConnection("192.0.2.7")
for number in range(1300):
    site.request("GET", "/shop/%d" % number, headers={"Host": "www.example.org"}); site.getresponse().read()
site.close()
"""
_SAY = """
import socket, sys, time
said = sys.argv[3].encode().decode("unicode_escape").encode()
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as one:
    one.sendall(said); time.sleep(float(sys.argv[4])); one.shutdown(socket.SHUT_WR)
    while one.recv(4096): pass
"""


class Page:
    """A how-to: files that it has the reader write, and commands in their order."""

    def __init__(self, name: str) -> None:
        text = (HOWTO / name).read_text()
        self.files = {
            re.match(r"# (\S+\.yml)\n", block)[1]: block  # type: ignore[index]
            for block in re.findall(r"```yaml\n(.*?)```", text, re.S)
        }
        self.commands = re.findall(r"^    \$ (.*)$", text, re.M)


class Street:
    """Two houses with a wire: commands run in one, servers in the other."""

    def __init__(self, here: Net, there: Net, place: Path, environment: dict[str, str]) -> None:
        self.here, self.there, self.place = here, there, place
        programs = place / "programs"
        programs.mkdir()
        words = f'cd "$(pwd)"; exec {" ".join(TIDEGATE)} "$@"'
        for name, line in (("tidegate", words), ("sudo", 'exec "$@"')):
            (programs / name).write_text(f"#!/bin/sh\n{line}\n")
            (programs / name).chmod(0o755)
        self.environment = environment | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "TIDEGATE_STORE__PATH": str(place / "store"),
        }
        self.running: list[subprocess.Popen[str]] = []

    def start(self, net: Net, words: list[str], **given: object) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [*_inside(net), *words],
            **({"env": self.environment, "cwd": self.place, "text": True} | given),
        )
        self.running.append(process)
        return process

    def serve(self, script: str, *words: object, net: Net | None = None) -> None:
        server = self.start(
            net or self.there, [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE
        )
        assert server.stdout
        assert server.stdout.readline() == "up\n"

    def run(self, net: Net, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_inside(net), *words],
            env=self.environment, cwd=self.place, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def say(self, address: str, port: int, text: str, net: Net | None = None, stays: float = 0.0) -> None:
        words = [address, str(port), text, str(stays)]
        done = self.run(net or self.here, [sys.executable, "-c", _SAY, *words])
        assert done.returncode == 0, done.stderr

    def count(self, condition: str) -> int:
        """Rows of `SELECT count(*) FROM condition`."""
        done = self.run(
            self.here, ["tidegate", "query", f"SELECT count(*) FROM {condition}", "--format", "csv"]
        )
        return int(done.stdout.split()[-1]) if done.returncode == 0 else 0

    def play(self, page: Page, traffic: Callable[[], None]) -> dict[str, str]:
        """Runs the page's commands; after one that goes on there is traffic. What each said, by its text."""
        for name, text in page.files.items():
            (self.place / name).write_text(text)
        said = {}
        for command in page.commands:
            if _GOES_ON.match(command):
                self._begin(command)
                traffic()
                continue
            if _CAPTURES.match(command):
                said[command] = self._capture(command, traffic)
                continue
            done = self.run(self.here, ["bash", "-c", command])
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            said[command] = done.stdout
        return said

    def _begin(self, command: str) -> None:
        told = self.place / "told"
        with told.open("w") as stderr:
            process = self.start(self.here, ["bash", "-c", f"exec {command}"], stdout=stderr, stderr=stderr)
        asked = ["tidegate", *(("relay", "status") if " relay " in command else ("control", "status"))]

        def answers() -> bool:
            assert process.poll() is None, told.read_text()
            return self.run(self.here, asked).returncode == 0

        wait_for(answers)

    def _capture(self, command: str, traffic: Callable[[], None]) -> str:
        """Runs a command that captures for long, and ends it by Ctrl-C after there was traffic."""
        before = self._sockets()
        process = self.start(
            self.here, ["bash", "-c", f"exec {command}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        wait_for(lambda: self._sockets() > before)
        traffic()
        os.killpg(process.pid, signal.SIGINT)
        said, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        return said

    def _sockets(self) -> int:
        """How many capture in the first house."""
        return self.run(self.here, ["cat", "/proc/net/packet"]).stdout.count("\n")

    def close(self) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _inside(net: Net) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{net.name}"]


@contextmanager
def _street(place: Path, environment: dict[str, str]) -> Iterator[Street]:
    with Net() as here, Net() as there:
        subprocess.run(
            ["ip", "link", "add", "eth0", "netns", here.name, "type", "veth",
             "peer", "name", "eth0", "netns", there.name], check=True,
        )  # fmt: skip
        for net, address in ((here, HERE), (there, THERE)):
            net.ip(f"address add {address}/24 dev eth0")
            net.ip("link set eth0 up")
        made = Street(here, there, place, environment)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def street(tmp_path: Path, environment: dict[str, str]) -> Iterator[Street]:
    if absent := missing("nsenter"):
        pytest.skip(absent)
    with _street(tmp_path, environment) as made:
        yield made


def test_every_page_is_played() -> None:
    pages = {path.name for path in HOWTO.glob("*.md")} - {"README.md"}
    assert pages == {"log-a-port.md", "which-site.md", "forward-ssh.md", "honeypot.md", "pings-overnight.md"}
    for page in pages:
        assert f"({page})" in (HOWTO / "README.md").read_text()
        assert Page(page).commands


def test_log_a_port(street: Street) -> None:
    def traffic() -> None:
        street.serve(_SERVER, 3306)
        for _ in range(3):
            street.say(
                THERE, 3306, "select 1", stays=1.0
            )  # where the kernel tells no events, we have to look
        wait_for(lambda: street.count("conn WHERE dst_port = 3306 AND process_name IS NOT NULL") == 3)
        wait_for(lambda: (street.place / "mysql.log").read_text().count("\n") == 3)

    said = street.play(Page("log-a-port.md"), traffic)
    lines = said["cat mysql.log"].splitlines()
    assert len(lines) == 3
    for line in lines:
        assert f"\t{THERE}\t3306\t" in line
        assert "python" in line
        assert len(line.split("\t")) == 11
    (asked,) = (text for command, text in said.items() if "process_name" in command)
    assert "python" in asked
    assert "24" in asked


def test_which_site(street: Street) -> None:
    def traffic() -> None:
        street.serve(_WEB)
        done = street.run(street.here, [sys.executable, "-c", _ASK])
        assert done.returncode == 0, done.stderr
        wait_for(lambda: street.count("http") == 1300)
        wait_for(lambda: street.count("alert"))

    said = street.play(Page("which-site.md"), traffic)
    assert "www.example.org" in said["sudo tidegate query --named http-hosts --set since=1h"]
    assert "/shop" in said["sudo tidegate query --named http-sections --set since=1h"]
    assert "busy" in said["sudo tidegate alerts"]


def test_forward_ssh(street: Street) -> None:
    def traffic() -> None:
        street.serve(_SERVER, 22)
        street.say(HERE, 2222, "SSH-2.0-PuTTY_0.78\\r\\n", street.there)
        wait_for(lambda: street.count("relay WHERE type = 'close'"))

    said = street.play(Page("forward-ssh.md"), traffic)
    assert "192.0.2.66 is rejected" in said["sudo tidegate relay reject 192.0.2.66"]
    assert "OpenSSH_9.2" in said["sudo tidegate query --named ssh-versions"]
    (asked,) = (text for command, text in said.items() if "client_ip" in command)
    assert THERE in asked


def test_honeypot(street: Street) -> None:
    def traffic() -> None:
        street.serve(_SERVER, 22, 80, 9999)
        street.say(HERE, 8080, "GET / HTTP/1.0\\r\\n\\r\\n", street.there)
        street.say(HERE, 2323, "root\\r\\n", street.there)
        wait_for(lambda: street.count("relay WHERE type = 'close'") == 2)

    said = street.play(Page("honeypot.md"), traffic)
    (judged,) = (text for command, text in said.items() if "test-rule" in command)
    assert "web" in judged
    (ports, spoken) = (text for command, text in said.items() if "query" in command)
    assert "8080" in ports
    assert "2323" in ports
    assert "root" in spoken
    assert "GET / HTTP/1.0" in spoken
    assert (street.place / "trap.json").read_text().count("2323") >= 1


def test_pings_overnight(street: Street) -> None:
    _, trusted = certificate(street.place)
    secret = street.place / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    for key, value in (("SERVER", "localhost:2525"), ("PASSWORD_FILE", secret), ("CA_FILE", trusted)):
        street.environment[f"TIDEGATE_MAIL__{key}"] = str(value)
    shutil.copy(Path(__file__).parent / "golden" / "pings.pcap", street.place / "night.pcap")
    street.serve(_POST, Path(__file__).parent, street.place, net=street.here)

    def seen() -> bool:  # who answers to `control status` may still be opening the capture
        done = street.run(street.there, ["ping", "-c", "5", "-i", "0.2", HERE])
        assert done.returncode == 0, done.stderr
        return street.count("icmp WHERE answered") >= 5

    def traffic() -> None:
        wait_for(seen)

    said = street.play(Page("pings-overnight.md"), traffic)
    (street.place / "closed").touch()
    (dialogue,) = (text for command, text in said.items() if "mail test" in command)
    assert "the server took it for me@example.org" in dialogue
    tried, letter = (message_from_bytes(path.read_bytes()) for path in sorted(street.place.glob("letter?")))
    assert "test" in tried["Subject"]
    assert letter["Subject"] == f"[tidegate {platform.node()}] Pings"
    text, *files = (part for part in letter.walk() if not part.is_multipart())
    assert re.search(rf"^{THERE} +([1-9]\d*) +1 +[1-9]", text.get_payload(decode=True).decode(), re.M)
    assert "image/png" in {part.get_content_type() for part in files}
    assert "sent        pings" in said["sudo tidegate report list --config pings.yml"]
    assert "06:30   (daily 06:30)" in said["sudo tidegate schedule --config pings.yml"]
    assert (street.place / said["sudo tidegate report pings --from 22:00 --to 06:00"].strip()).is_file()
    for command in ("tidegate report pings -r night.pcap", "sudo tidegate report pings --capture 10m icmp"):
        page = (street.place / said[command].strip()).read_text()
        assert "data:image/png" in page
        assert "Pings by source" in page
