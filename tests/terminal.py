"""Runs a program in a pseudo-terminal, presses keys, and keeps every byte that it writes."""

import os
import re
import signal
import time
from pathlib import Path

from helpers import wait_for

SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-9;?<>=]*[ -/]?[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78cDEHM])"
)
"""What a terminal is told: CSI, OSC, character sets, short ones."""


def plain_after(raw: bytes) -> bytes:
    """What is left when everything that Textual says to a terminal is taken out."""
    return SEQUENCE.sub(b"", raw)


def foreign(drawn: str) -> list[str]:
    """What is not ASCII, each with what stands around it."""
    return [drawn[max(at.start() - 60, 0) : at.end() + 60] for at in re.finditer(r"[^\x00-\x7f]+", drawn)]


class Terminal:
    """A program in a pseudo-terminal; everything it writes is kept."""

    def __init__(self, words: list[str], directory: Path, columns: int = 100) -> None:
        import pty

        self.raw = b""
        self.mark = 0
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:  # the child
            os.chdir(directory)
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", COLUMNS=str(columns), LINES="30")
            os.execvp(words[0], words)
        os.set_blocking(self.descriptor, False)

    def read(self) -> bytes:
        """All that was written so far."""
        while True:
            try:
                more = os.read(self.descriptor, 65_536)
            except (BlockingIOError, OSError):
                return self.raw
            if not more:
                return self.raw
            self.raw += more

    def shows(self, words: bytes) -> bool:
        """Whether these words were written since the last key."""
        return words in self.read()[self.mark :]

    def press(self, keys: str) -> None:
        self.mark = len(self.read())
        os.write(self.descriptor, keys.encode())

    def end(self) -> int:
        """Its exit code, once it has ended."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.descriptor)
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError("it does not end")

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.descriptor)


def until(terminal: Terminal, key: str, words: bytes) -> None:
    """Waits for what a key brings; says what came instead."""
    try:
        wait_for(lambda: terminal.shows(words))
    except AssertionError:
        since = plain_after(terminal.raw[terminal.mark :])[-3000:].decode(errors="replace")
        raise AssertionError(f"{key!r} did not bring {words!r} but:\n{since}") from None
