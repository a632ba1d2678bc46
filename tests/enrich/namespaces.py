"""Network namespaces for tests of programs: made, connected and removed; and the watch that runs in one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
WATCHING = Path(__file__).with_name("watching.py")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def inside(space: str) -> list[str]:
    """The words before a command that make it run there; unlike `ip netns exec` they leave /sys alone."""
    return ["nsenter", f"--net=/run/netns/{space}"]


@contextmanager
def pair() -> Iterator[tuple[str, str]]:
    """Two namespaces, each with a loopback, joined: the first is 10.9.0.1, the second 10.9.0.2."""
    names = (f"tgp{os.getpid()}a", f"tgp{os.getpid()}b")
    for name in names:
        ip("netns", "add", name)
    try:
        ip("-n", names[0], "link", "add", "net0", "type", "veth", "peer", "name", "net0", "netns", names[1])
        for number, name in enumerate(names, 1):
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "addr", "add", f"10.9.0.{number}/24", "dev", "net0")
            ip("-n", name, "addr", "add", f"fd09::{number}/64", "dev", "net0", "nodad")
            ip("-n", name, "link", "set", "net0", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


class Watching:
    """A watch in a namespace; `rows()` ends it."""

    def __init__(self, space: str, method: str) -> None:
        self.space = space
        self._watch = subprocess.Popen(
            [*inside(space), sys.executable, str(WATCHING), method],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._watch.stdout is not None
        said = self._watch.stdout.readline().split()
        if said != ["ready", method]:
            _, words = self._watch.communicate(timeout=30)
            pytest.skip(f"{method} does not work here: {words.strip().splitlines()[-1:] or said}")

    def run(self, *command: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Runs a program in the watch's namespace, to its end."""
        words = [*inside(self.space), *map(os.fspath, command)]  # type: ignore[type-var]
        return subprocess.run(words, capture_output=True, timeout=30, check=False, **options)

    def rows(self, named: int = 0) -> list[Row]:
        """Ends the watch, as soon as a connection to that port has a name; the last row of each."""
        said, words = self._watch.communicate(f"{named}\n", timeout=60)
        assert self._watch.returncode == 0, words
        return [json.loads(line) for line in said.splitlines()]

    def end(self) -> None:
        """Ends it if it still runs."""
        if self._watch.poll() is None:
            self._watch.kill()
            self._watch.communicate()
