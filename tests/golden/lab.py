"""Two hosts in network namespaces of their own, a wire between them, and a mirror where captures are made."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from wire import Wire, open_tap

CLIENT, SERVER, MIRROR = "tg-client", "tg-server", "tg-mirror"
MAC = {CLIENT: "02:00:00:00:00:01", SERVER: "02:00:00:00:00:02"}
ADDRESSES = {
    CLIENT: ("192.0.2.1/24", "2001:db8::1/64"),
    SERVER: ("192.0.2.2/24", "2001:db8::2/64"),
}
PATIENCE = 10.0


def command(*words: str, check: bool = True) -> str:
    """Runs a program to its end; what it printed."""
    done = subprocess.run(words, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


class Lab:
    """Make one, use it in a `with`; every namespace and program of it is gone afterwards."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._programs: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._remove()
        taps = {name: open_tap(f"tgtap{number}") for number, name in enumerate((CLIENT, SERVER, MIRROR))}
        for number, name in enumerate(taps):
            self._place(f"tgtap{number}", name)
        self.wire = Wire((taps[CLIENT], taps[SERVER]), taps[MIRROR])
        self._taps = taps
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.wire.close()
        for tap in self._taps.values():
            os.close(tap)
        self._remove()

    def _remove(self) -> None:
        for name in (CLIENT, SERVER, MIRROR):
            command("ip", "netns", "del", name, check=False)

    def _place(self, tap: str, name: str) -> None:
        command("ip", "netns", "add", name)
        command("ip", "link", "set", tap, "netns", name, "name", "net0")
        inside = ("ip", "-n", name)
        self.run(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.all.accept_dad=0")
        command(*inside, "link", "set", "net0", "addrgenmode", "none")
        if name in MAC:
            command(*inside, "link", "set", "net0", "address", MAC[name])
        else:
            self.run(name, "sysctl", "-qw", "net.ipv6.conf.net0.disable_ipv6=1")
            command(*inside, "link", "set", "net0", "mtu", "9000")
        for address in ADDRESSES.get(name, ()):
            extra = ("nodad",) if ":" in address else ()
            command(*inside, "addr", "add", address, "dev", "net0", *extra)
        command(*inside, "link", "set", "net0", "up")
        command(*inside, "link", "set", "lo", "up")

    def run(self, host: str, *words: str, check: bool = True) -> str:
        """Runs a program on a host to its end."""
        return command("ip", "netns", "exec", host, *words, check=check)

    def start(self, host: str, *words: str, stdin: str | None = None) -> subprocess.Popen[bytes]:
        """Starts a program on a host; it ends with the lab, or with stop()."""
        source = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
        program = subprocess.Popen(
            ["ip", "netns", "exec", host, *words],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=(self.scratch / "stderr").open("ab"),
            start_new_session=True,
        )
        if stdin and program.stdin:
            program.stdin.write(stdin.encode())
            program.stdin.flush()
        self._programs.append(program)
        return program

    def stop(self) -> None:
        """Ends every program started."""
        for program in self._programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGTERM)
            program.wait(PATIENCE)
        self._programs.clear()

    def listening(self, port: int, host: str = SERVER) -> None:
        """Waits until something listens on the port."""
        asked = ("ss", "-Hltun", f"sport = :{port}")
        self.until(lambda: bool(self.run(host, *asked)), f"port {port} on {host}")

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Waits until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come up; see {self.scratch / 'stderr'}")
            time.sleep(0.02)

    @contextlib.contextmanager
    def capture(
        self, file: Path, *options: str, host: str = MIRROR, interface: str = "net0"
    ) -> Iterator[None]:
        """Records what a host's interface sees, with tcpdump, as long as the `with` lasts."""
        log = self.scratch / f"{file.name}.log"
        words = f"ip netns exec {host} tcpdump -i {interface} --immediate-mode -U -Z root -w".split()
        with log.open("wb") as out:
            recorder = subprocess.Popen([*words, str(file), *options], stderr=out)
        self.until(lambda: b"listening on" in log.read_bytes(), "tcpdump")
        yield
        time.sleep(0.3)  # the last packets cross the wire
        recorder.send_signal(signal.SIGINT)
        recorder.wait(PATIENCE)
