"""A service manager in the first process namespace, where BPF can name programs; else as in machine.py.

systemd as a machine's manager has to be the first process of a namespace; as a user's (here root's) it
need not.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from machine import SYSTEMD

from helpers import wait_for

_BOOT = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/systemd/inaccessible/dir /run/own /run/units /run/netns
touch /run/systemd/inaccessible/reg
mkfifo /run/systemd/inaccessible/fifo
chmod 0 /run/systemd/inaccessible/*
chmod 700 /run/own
for name in sysinit basic shutdown network default; do
    printf '[Unit]\\nDescription=stub\\nDefaultDependencies=no\\n' > /run/units/$name.target
done
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/lib/tidegate
mount --bind /mnt/lib /var/lib
mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null || true
ip link set lo up
exec {SYSTEMD} --user --log-target=console --unit=basic.target
"""
_OWN = {
    "XDG_RUNTIME_DIR": "/run/own",
    "SYSTEMD_UNIT_PATH": "/run/units",
    "SYSTEMD_PAGER": "",
    "NO_COLOR": "1",
}


def _hierarchies() -> list[Path]:
    """Where control groups have to be made: cgroup2, and systemd's own of the first version."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [
        Path(line[1])
        for line in lines
        if line[2] == "cgroup2" or (line[2] == "cgroup" and "name=systemd" in line[3].split(","))
    ]


class Manager:
    """Make one, use it in a `with`; skips the test where it does not start."""

    def __init__(self) -> None:
        self.groups = [place / f"tgum{os.getpid()}" for place in _hierarchies()]
        self._folder = Path(tempfile.mkdtemp())
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            for group in self.groups:
                group.mkdir()
        except OSError as error:
            pytest.skip(f"no control group of its own can be made here: {error}")
        joins = " && ".join(f"echo $$ > {group}/cgroup.procs" for group in self.groups)
        said = self._folder / "said"
        with said.open("wb") as out:
            self._process = subprocess.Popen(
                ["bash", "-c", f'{joins} && exec unshare --mount --net bash -c "$0"', _BOOT],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=os.environ | _OWN,
            )  # fmt: skip
        try:
            wait_for(self._is_up)
        except AssertionError:
            why = said.read_text()[-500:]
            self.__exit__()
            pytest.skip(f"systemd does not start here as root's own: {why}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self.run("systemctl", "--user", "stop", "tidegate")
            self._process.kill()
            self._process.wait()
        for group in self.groups:
            for folder in [Path(path) for path, _, _ in os.walk(group, topdown=False)]:
                wait_for(lambda folder=folder: _emptied(folder))  # type: ignore[misc]
        shutil.rmtree(self._folder)

    def _is_up(self) -> bool:
        assert self._process
        assert self._process.poll() is None
        done = self.run("systemctl", "--user", "is-active", "basic.target")
        return done.stdout == "active\n"

    def run(self, *words: object, **given: object) -> subprocess.CompletedProcess[str]:
        """Runs a command inside, as root."""
        assert self._process
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            ["nsenter", f"--target={self._process.pid}", "--mount", "--net", *map(str, words)],
            **(
                {"capture_output": True, "text": True, "timeout": 100, "env": os.environ | _OWN, "cwd": "/"}
                | given
            ),
        )


def _emptied(group: Path) -> bool:
    """Ends what is left in the control group, and removes it."""
    if group.exists():
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    with suppress(OSError):
        group.rmdir()
    return not group.exists()
