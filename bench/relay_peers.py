"""Relays that listen side by side, each with its log on: ours, HAProxy, nginx's stream module, socat."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import BENCH, BUILT

STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

HAPROXY = """
global
    maxconn 9500
    nbthread {threads}
    log stdout format raw local0
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:{listen}
    server backend 127.0.0.1:{backend}
"""

NGINX = """
load_module {module};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error;
worker_processes {threads};
worker_rlimit_nofile 20000;
events {{ worker_connections 19900; }}
stream {{
    log_format line '$remote_addr $remote_port $time_iso8601 $upstream_addr $status '
        '$bytes_received $bytes_sent $session_time';
    access_log {folder}/nginx.access line;
    server {{ listen 127.0.0.1:{listen} backlog=4096; proxy_pass 127.0.0.1:{backend}; }}
}}
"""


@dataclass(frozen=True)
class Peer:
    """A relay that runs."""

    port: int
    pid: int

    def cpu(self) -> float:
        """CPU seconds so far, of its workers too."""
        return sum(_cpu(pid) for pid in _tree(self.pid)) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Bytes of memory, of its workers too."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) for pid in _tree(self.pid))
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(port: int, *command: str) -> Iterator[Peer]:
    """A program that listens on a port."""
    with (BUILT / "relay.out").open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield Peer(port, process.pid)
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def relays(threads: int, backend: int) -> Iterator[Mapping[str, Peer]]:
    """All that are installed, at once: each is idle while others are measured. HAProxy has to be."""
    if shutil.which("haproxy") is None:
        raise SystemExit("haproxy is not installed (apt-get install haproxy)")
    commands = {"tidegate": _tidegate, "haproxy": _haproxy}
    if shutil.which("nginx") and STREAM.exists():
        commands["nginx"] = _nginx
    else:
        print("no nginx beside: apt-get install nginx-light libnginx-mod-stream", file=sys.stderr)
    if shutil.which("socat"):
        commands["socat"] = _socat
    else:
        print("no socat beside: apt-get install socat", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        found = {}
        for name, command in commands.items():
            port = free_port()
            found[name] = stack.enter_context(running(port, *command(port, backend, threads)))
        yield found


def _tidegate(port: int, backend: int, threads: int) -> list[str]:
    here = [sys.executable, str(BENCH / "relay_here.py")]
    return [*here, str(port), str(backend), str(threads), str(BUILT / "relay.jsonl")]


def _haproxy(port: int, backend: int, threads: int) -> list[str]:
    config = BUILT / "haproxy.cfg"
    config.write_text(HAPROXY.format(threads=threads, listen=port, backend=backend), "ascii")
    return ["haproxy", "-db", "-f", str(config)]


def _nginx(port: int, backend: int, threads: int) -> list[str]:
    config = BUILT / "nginx.conf"
    text = NGINX.format(module=STREAM, folder=BUILT, threads=threads, listen=port, backend=backend)
    config.write_text(text, "ascii")
    return ["nginx", "-c", str(config), "-p", str(BUILT)]


def _socat(port: int, backend: int, _threads: int) -> list[str]:
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=4096,nodelay"
    return ["socat", "-d", "-d", "-lf", str(BUILT / "socat.log"), listen, f"TCP:127.0.0.1:{backend},nodelay"]


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        # Those that end meanwhile are counted by their parent.
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{each}/task/{each}/children").read_text("ascii")
            found += map(int, children.split())
    return found


def _cpu(pid: int) -> int:
    """Clock ticks, those of children that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))
