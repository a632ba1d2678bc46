"""The honeypot of examples/honeypot as its user starts it, on every port, visited from another machine."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers import TIDEGATE, Run, wait_for
from relays import program
from streets import HERE, Street

HONEYPOT = Path(__file__).parents[2] / "examples" / "honeypot"
BEHIND = "127.77.0.1"
PORTS = {"nginx": (61001, 61002), "sshd": (61003,), "smbd": (61005,), "redis-server": (61007,)}
OURS = (61004, 61006, 61008)
SCANNED = 3000

root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and steering need root")

SMB = b"\0\0\0\x2e\xffSMBr" + bytes(28) + b"\x0b\0\x02SMB 2.002\0"
"""The question which version it is to be."""
SIP = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP b\r\nTo: <sip:a>\r\nCSeq: 1 OPTIONS\r\n\r\n"

VISITS = [
    # program, port, what the client says, how it is answered, rule, backend
    ("nginx", 31234, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", "http", "http"),
    ("sshd", 4444, b"SSH-2.0-visitor\r\n", b"SSH-2.0-OpenSSH", "ssh", "ssh"),
    ("sshd", 22, b"", b"SSH-2.0-OpenSSH", None, "ssh"),
    ("smbd", 1445, SMB, b"\0\0", "smb", "smb"),
    ("redis-server", 9999, b"*1\r\n$4\r\nPING\r\n", b"+PONG", "redis", "redis"),
    ("redis-server", 6380, b"CONFIG GET dir\r\n", b"-NOPERM", "redis-words", "redis"),
    ("", 5901, b"", b"RFB 003.008\n", "vnc", "vnc"),
    ("", 65535, SIP, b"SIP/2.0 200 OK", "sip", "sip"),
    ("", 1, b"hello\r\n", b"hello\r\n", None, "echo"),
]


def installed(name: str) -> bool:
    """Whether a server of Debian's is here."""
    return bool(shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"))


def listens(port: int) -> bool:
    """Whether a server is up."""
    with socket.socket() as caller:
        return caller.connect_ex((BEHIND, port)) == 0


class Trap:
    """What a relay of the example wrote."""

    def __init__(self, street: Street, at: Path) -> None:
        self.street = street
        self.at = at

    def events(self) -> list[dict[str, Any]]:
        """All events so far."""
        file = self.at / "honeypot.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def on(self, port: int, kind: str) -> list[dict[str, Any]]:
        """Events of a kind on one port."""
        return [
            each for each in self.events() if (each["type"], each["client"]["local"]["port"]) == (kind, port)
        ]


def scan(street: Street, words: str) -> str:
    """What nmap finds from the other machine."""
    there = ["nsenter", f"--net=/run/netns/{street.there.name}", program("nmap"), "-n", "-Pn"]
    command = [*there, *words.split(), HERE[4], "-oG", "-"]
    return subprocess.run(command, capture_output=True, text=True, timeout=240).stdout


@contextmanager
def started(words: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program, until the block ends."""
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **options)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@contextmanager
def trapping(street: Street, at: Path, *words: str) -> Iterator[Trap]:
    """The relay of the example, its files in a directory of ours."""
    text = (HONEYPOT / "honeypot.yml").read_text()
    text = text.replace("/var/lib/tidegate-honeypot", f"{at}/store").replace("/var/log/tidegate", str(at))
    (at / "honeypot.yml").write_text(text)
    with started([*TIDEGATE, "relay", "--config", f"{at}/honeypot.yml", *words]) as relay:
        assert relay.stderr
        said = []
        while "files may be open" not in (said or [""])[-1]:
            said.append(relay.stderr.readline())
            assert said[-1], said
        yield Trap(street, at)
    assert relay.returncode == 0


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    """The honeypot's machine, where this process is, and the attacker's."""
    with Street() as made:
        yield made


@pytest.fixture(scope="module")
def trap(street: Street, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trap]:
    """Servers and relay, up."""
    at = tmp_path_factory.mktemp("trap")
    ports = [port for name, ports in PORTS.items() if installed(name) for port in ports]
    with started([sys.executable, str(HONEYPOT / "servers.py"), str(at / "servers")]):
        wait_for(lambda: all(map(listens, [*ports, *OURS])))
        with trapping(street, at) as made:
            yield made


def test_its_configuration_is_right(run: Run) -> None:
    done = run("config", "check", HONEYPOT / "honeypot.yml")
    assert done.returncode == 0, done.stderr
    assert "relay" not in done.stderr, done.stderr


@root
@pytest.mark.parametrize(("server", "port", "says", "answer", "rule", "backend"), VISITS)
def test_a_visitor_meets_whom_he_speaks_to(
    server: str, port: int, says: bytes, answer: bytes, rule: str | None, backend: str, trap: Trap
) -> None:
    if server and not installed(server):
        pytest.skip(f"{server} is not installed")
    with trap.street.connect(HERE[4], port) as visitor:
        visitor.settimeout(30)
        visitor.sendall(says)
        assert visitor.recv(4096).startswith(answer)
    wait_for(lambda: trap.on(port, "close"))
    (closed,) = trap.on(port, "close")
    (_,) = trap.on(port, "accept")
    assert (closed["tidegate"].get("rule"), closed["tidegate"]["backend"]) == (rule, backend)
    said = "".join(each["packet"] for each in trap.on(port, "recv"))
    assert said.encode("latin-1") == says


@root
def test_tls_is_known_on_any_port(trap: Trap) -> None:
    if not installed("nginx") or not installed("openssl"):
        pytest.skip("nginx or openssl is not installed")
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with anyone.wrap_socket(trap.street.connect(HERE[4], 25)) as visitor:
        visitor.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert visitor.recv(4096).startswith(b"HTTP/1.1 200")
    wait_for(lambda: trap.on(25, "close"))
    assert trap.on(25, "close")[0]["tidegate"]["rule"] == "tls"


@root
def test_nmap_is_told_what_the_log_tells(trap: Trap) -> None:
    if not installed("nginx"):
        pytest.skip("nginx is not installed")
    found = scan(trap.street, "-sT -sV --version-light -T4 -p 80,5902")
    assert "80/open/tcp//http//nginx" in found
    assert "5902/open/tcp//vnc//VNC" in found
    for port, backend in ((80, "http"), (5902, "vnc")):
        wait_for(lambda port=port: len(trap.on(port, "close")) == len(trap.on(port, "accept")))
        assert backend in {each["tidegate"].get("backend") for each in trap.on(port, "close")}


@root
@pytest.mark.parametrize("steering", ["auto", "tproxy", "redirect"])
def test_a_scan_of_ports_is_on_record_port_by_port(steering: str, tmp_path: Path) -> None:
    # Another street: two relays on every port of one machine are one too many.
    with Street() as street, trapping(street, tmp_path, "--steering", steering) as trap:
        found = scan(street, f"-sT -T4 -p 1-{SCANNED}")
        wait_for(lambda: sum(each["type"] == "close" for each in trap.events()) == SCANNED)
    assert found.count("/open/tcp/") == SCANNED
    accepted = Counter(each["client"]["local"]["port"] for each in trap.events() if each["type"] == "accept")
    assert accepted.total() == SCANNED
    # With redirect the port of a client that is gone already may be that of its next connection.
    assert len(accepted) >= SCANNED - (10 if steering == "redirect" else 0)
