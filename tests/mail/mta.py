"""Debian's postfix on loopback: started with a configuration of its own, strict, ended by its process id.

    python tests/mail/mta.py        starts it, says where it is, until Ctrl-C

Needs root: its parts change users.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MAIN = """\
compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
myhostname = mx.example.org
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {place}/boxes
virtual_mailbox_maps = inline:{{ {{ kim@example.org = kim/ }}, {{ lee@example.org = lee/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender
smtpd_relay_restrictions = permit_auth_destination, reject
strict_rfc821_envelopes = yes
disable_vrfy_command = yes
message_size_limit = 300000
smtpd_tls_security_level = may
smtpd_tls_chain_files = {place}/key.pem, {place}/crt.pem
maillog_file = /dev/stdout
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
verify unix - - n - 1 verify
scache unix - - n - 1 scache
retry unix - - n - - error
"""


@dataclass(frozen=True)
class Mta:
    """A running postfix."""

    server: str
    """Address and port."""
    boxes: Path
    """Directories of mail, one an address."""

    def letters(self, name: str) -> list[bytes]:
        """What somebody has got."""
        return [path.read_bytes() for path in sorted((self.boxes / name / "new").glob("*"))]


def missing() -> str:
    """What keeps it from being started here; empty if nothing does."""
    if not shutil.which("postfix"):
        return "postfix missing: apt install postfix"
    return "" if os.geteuid() == 0 else "postfix needs root"


@contextmanager
def running(key: Path, certificate: Path, patience: float = 60.0) -> Iterator[Mta]:
    """Starts it with this certificate, and ends it; raises RuntimeError with its last words."""
    with tempfile.TemporaryDirectory(prefix="tidegate-postfix-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        port = _free_port()
        _configure(place, port, key, certificate)
        with (place / "said").open("wb") as said:
            words = ["postfix", "-c", str(place / "etc"), "start-fg"]
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            _wait(process, port, place / "said", patience)
            yield Mta(f"127.0.0.1:{port}", place / "boxes")
        finally:
            _end(process, place / "queue" / "pid" / "master.pid")


def _configure(place: Path, port: int, key: Path, certificate: Path) -> None:
    nobody, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    for name in ("etc", "queue", "data", "boxes"):
        (place / name).mkdir()
    os.chown(place / "data", postfix.pw_uid, postfix.pw_gid)
    os.chown(place / "boxes", nobody.pw_uid, nobody.pw_gid)
    (place / "key.pem").write_bytes(key.read_bytes())
    (place / "key.pem").chmod(0o600)
    (place / "crt.pem").write_bytes(certificate.read_bytes())
    (place / "etc" / "main.cf").write_text(MAIN.format(place=place, uid=nobody.pw_uid, gid=nobody.pw_gid))
    (place / "etc" / "master.cf").write_text(MASTER.format(port=port))


def _wait(process: subprocess.Popen[bytes], port: int, said: Path, patience: float) -> None:
    ends = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < ends:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as caller:
                if caller.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"postfix did not start: {said.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes], noted: Path) -> None:
    """What was started is a script, which waits for the one that works; that one ends its parts."""
    with suppress(OSError, ValueError):
        os.kill(int(noted.read_text()), signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        key, crt = Path(made) / "key.pem", Path(made) / "crt.pem"
        words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        subprocess.run(["openssl", *words, "-keyout", key, "-out", crt], check=True, capture_output=True)
        with running(key, crt) as mta:
            print(
                f"{mta.server}, mail for kim and lee@example.org in {mta.boxes}; Ctrl-C ends it", flush=True
            )
            with suppress(KeyboardInterrupt):
                signal.pause()
