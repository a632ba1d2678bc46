"""A machine of its own for a test: a real systemd in namespaces, its own /etc, /run and network."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from helpers import wait_for

SYSTEMD = Path("/lib/systemd/systemd")
STUBS = Path("/run/stubs")

# Nothing of the host's but its files: own units only, own network, and /proc/sys cannot be written.
_BOOT = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc && rm -rf /mnt/etc/systemd/system && mkdir -p /mnt/etc/systemd/system
mount --bind /mnt/etc /etc
for place in /var/lib /var/log /var/cache /srv; do
    mkdir -p "/mnt$place" && mount --bind "/mnt$place" "$place"
done
mount -t tmpfs tmpfs /run
mkdir -p {STUBS} /run/netns
for name in sysinit basic shutdown network multi-user; do
    printf '[Unit]\\nDescription=stub\\nDefaultDependencies=no\\nAllowIsolate=yes\\n' > {STUBS}/$name.target
done
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null || true
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
ip link set lo up
ip link add one type veth peer name two
ip link set one up && ip link set two up
ip address add 10.77.0.1/24 dev one
mount --make-rshared /
export container=other SYSTEMD_UNIT_PATH={STUBS}:/etc/systemd/system SYSTEMD_LOG_LEVEL=info
exec {SYSTEMD} --system --log-target=console --show-status=0 --unit=basic.target
"""


def possible() -> str:
    """Why no such machine can be made here; empty if it can."""
    if os.geteuid() != 0:
        return "it takes root"
    missing = [name for name in ("systemctl", "unshare", "nsenter", "ip") if not shutil.which(name)]
    if missing or not SYSTEMD.exists():
        return f"{' and '.join(missing) or SYSTEMD} is not here: apt install systemd iproute2 util-linux"
    return "" if _unified() else "there is no cgroup2 hierarchy"


def _unified() -> Path | None:
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(line[1]) for line in lines if line[2] == "cgroup2"), None)


def _removed(group: Path) -> bool:
    """Whether the control group is gone; the kernel keeps it until its last process is."""
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


class Machine:
    """Make one, use it in a `with`; skips the test, and says why, where systemd does not start."""

    def __init__(self) -> None:
        unified = _unified()
        assert unified
        self.group = unified / f"tgsd{os.getpid()}"
        self._folder = Path(tempfile.mkdtemp())
        self.said = self._folder / "said"
        self._outer: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def __enter__(self) -> Self:
        try:
            self.group.mkdir()
        except OSError as error:
            shutil.rmtree(self._folder)
            pytest.skip(f"no control group of its own can be made here: {error}")
        words = "unshare --cgroup --mount --net --pid --uts --ipc --fork --kill-child --mount-proc bash -c"
        join = f'echo $$ > {self.group}/cgroup.procs && exec {words} "$0"'
        with self.said.open("wb") as said:
            self._outer = subprocess.Popen(
                ["bash", "-c", join, _BOOT], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        try:
            wait_for(self._is_up)
        except AssertionError:
            why = self.said.read_text()[-500:]
            self.__exit__()
            pytest.skip(f"systemd does not start here: {why}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._outer:
            self._outer.kill()  # and with it all that is in its namespaces
            self._outer.wait()
        folders = [path for path, _, _ in os.walk(self.group, topdown=False)]
        for folder in folders:
            wait_for(lambda folder=folder: _removed(Path(folder)))
        shutil.rmtree(self._folder)

    def _is_up(self) -> bool:
        assert self._outer
        if self._outer.poll() is not None:
            raise AssertionError("it ended")
        if not self.pid:
            found = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
            self.pid = int(found[0]) if found else 0
        return bool(self.pid) and self.run("systemctl", "is-active", "basic.target").stdout == "active\n"

    def run(self, *words: object, **given: object) -> subprocess.CompletedProcess[str]:
        """Runs a command inside, as root."""
        own = {"SYSTEMD_UNIT_PATH": f"{STUBS}:/etc/systemd/system", "SYSTEMD_PAGER": "", "NO_COLOR": "1"}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            ["nsenter", f"--target={self.pid}", "--all", *map(str, words)],
            **(
                {"capture_output": True, "text": True, "timeout": 100, "env": os.environ | own, "cwd": "/"}
                | given
            ),
        )
