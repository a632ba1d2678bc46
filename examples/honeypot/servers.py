"""The servers behind the honeypot, each on a port of 127.77.0.1: servers.py [DIRECTORY].

http and tls (nginx-light, openssl), ssh (openssh-server), smb (samba) and redis (redis-server) are
Debian's programs, tied down so that nobody gets anywhere in them; those that are not installed are left out.
vnc, sip and the echo for everybody else are a few lines below.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

HOST = "127.77.0.1"
HTTP, TLS, SSH, VNC, SMB, SIP, REDIS, ECHO = range(61001, 61009)
PATIENCE = 60.0
"""Seconds that a client of our own servers may be silent."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
WRONG = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)

NGINX = """
daemon off; pid {at}/nginx.pid; error_log {at}/nginx.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off; server_tokens off;
    client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
    uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
    server {{
        listen {host}:{http} backlog=4096; {tls} default_type text/html;
        location = / {{ return 200 "<title>Router</title><a href='/login'>Sign in</a>\\n"; }}
        location /login {{ return 401; }}
        location / {{ return 404; }}
    }}
}}
"""

TLS_LINE = "listen {host}:{tls} ssl; ssl_certificate {at}/tls.crt; ssl_certificate_key {at}/tls.key;"

SSHD = """
Port {ssh}
ListenAddress {host}
HostKey {at}/hostkey
PidFile {at}/sshd.pid
UsePAM no
PasswordAuthentication yes
PermitRootLogin no
# Nobody is called this, so that no password is right.
AllowUsers nobody-at-all
ForceCommand /bin/false
MaxStartups 100
"""

SAMBA = """
[global]
  smb ports = {smb}
  interfaces = {host}/8
  bind interfaces only = yes
  disable netbios = yes
  server string = NAS
  map to guest = never
  restrict anonymous = 2
  load printers = no
  disable spoolss = yes
  private dir = {at}
  lock directory = {at}
  state directory = {at}
  cache directory = {at}
  pid directory = {at}
  ncalrpc dir = {at}/ncalrpc
  log file = {at}/smbd.log
"""

# What is not allowed here cannot be called: nobody writes a file or loads a module.
REDIS_CONF = """
bind {host}
port {redis}
protected-mode no
dir {at}
save ""
maxmemory 16mb
maxmemory-policy allkeys-lru
user default on nopass resetkeys resetchannels -@all +ping +echo +info +auth +hello +quit +command
"""


def files(at: Path) -> None:
    """Keys and settings of the programs."""
    if not (at / "tls.crt").exists() and shutil.which("openssl"):
        words = "req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=router.lan"
        make("openssl", *words.split(), "-keyout", f"{at}/tls.key", "-out", f"{at}/tls.crt")
    tls = TLS_LINE.format(at=at, host=HOST, tls=TLS) if (at / "tls.crt").exists() else ""
    known = {"at": at, "host": HOST, "http": HTTP, "tls": tls, "ssh": SSH, "smb": SMB, "redis": REDIS}
    for name, text in (("nginx", NGINX), ("sshd", SSHD), ("smb", SAMBA), ("redis", REDIS_CONF)):
        (at / f"{name}.conf").write_text(text.format(**known), encoding="utf-8")
    if not (at / "hostkey").exists() and shutil.which("ssh-keygen"):
        make("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{at}/hostkey")
    if os.geteuid() == 0:  # sshd wants it there, and only its own service makes it
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def make(*words: str) -> None:
    """Runs a command that makes a file."""
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def commands(at: Path) -> Iterator[tuple[str, list[str]]]:
    """The programs that are installed, as they are started."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    words = {
        "nginx": f"-c {at}/nginx.conf -p {at} -e {at}/nginx.log",
        "sshd": f"-D -f {at}/sshd.conf -E {at}/sshd.log",
        "smbd": f"--foreground --configfile={at}/smb.conf",
        "redis-server": f"{at}/redis.conf --logfile {at}/redis.log",
    }
    for name, rest in words.items():
        if found := shutil.which(name, path=path):
            yield name, [found, *rest.split()]
        else:
            print(f"{name} is not installed: nobody answers its clients", file=sys.stderr)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says what it is told."""
    while said := await asyncio.wait_for(reader.read(4096), PATIENCE):
        writer.write(said)
        await writer.drain()


async def vnc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Asks for a password as RFB 3.8 does (RFC 6143), and finds it wrong."""
    writer.write(b"RFB 003.008\n")
    version = await asyncio.wait_for(reader.readexactly(12), PATIENCE)
    if not version.startswith(b"RFB "):
        return
    writer.write(bytes([1, 2]))  # one kind of security: a password
    await asyncio.wait_for(reader.readexactly(1), PATIENCE)
    writer.write(os.urandom(16))
    await asyncio.wait_for(reader.readexactly(16), PATIENCE)
    reason = b"Authentication failed"
    writer.write((1).to_bytes(4, "big") + len(reason).to_bytes(4, "big") + reason)
    await writer.drain()


async def sip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers OPTIONS, and everything else with a demand for a password (RFC 3261)."""
    while True:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        answer = ["SIP/2.0 200 OK" if first.startswith("OPTIONS ") else "SIP/2.0 401 Unauthorized"]
        copied = ("via:", "from:", "call-id:", "cseq:")
        answer += [line for line in lines if line.lower().startswith(copied)]
        answer += [f"{line};tag=1" for line in lines if line.lower().startswith("to:")]
        answer += ["Server: Asterisk PBX", "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER"]
        if "401" in answer[0]:
            answer.append(f'WWW-Authenticate: Digest realm="asterisk", nonce="{os.urandom(8).hex()}"')
        writer.write("\r\n".join([*answer, "Content-Length: 0", "", ""]).encode("latin-1"))
        await writer.drain()


def kept(serve: Serve) -> Serve:
    """A server whose clients may do anything: what goes wrong ends their connection only."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*WRONG):
            await serve(reader, writer)
        writer.close()

    return one


async def run(at: Path) -> None:
    """All of them, until SIGTERM or Ctrl-C."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    listening = [
        await asyncio.start_server(kept(serve), HOST, port, backlog=4096)
        for port, serve in ((VNC, vnc), (SIP, sip), (ECHO, echo))
    ]
    started = {name: subprocess.Popen(words, stdin=subprocess.DEVNULL) for name, words in commands(at)}
    print(f"servers at {HOST}, files in {at}", flush=True)
    try:
        while not over.is_set():
            for name in [name for name, process in started.items() if process.poll() is not None]:
                print(f"{name} has ended with {started.pop(name).returncode}; see {at}", file=sys.stderr)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 1)
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait()
        for server in listening:
            server.close()


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "honeypot-servers").resolve()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    files(place)
    asyncio.run(run(place))
