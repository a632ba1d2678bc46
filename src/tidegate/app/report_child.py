"""Makes a report in a process of its own: its memory goes with it, and a capture beside goes first."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tidegate.app.checking import broken_reports
from tidegate.app.paths import store_root
from tidegate.app.reporting import Spanned, covers, make_spanned, report_folders
from tidegate.model.config import Config
from tidegate.model.document import Document
from tidegate.model.errors import StoreError, TidegateError, UsageError

LONGEST = 900.0
"""Seconds that a report may take."""
_NICE = 10
_ERRORS = {"UsageError": UsageError, "StoreError": StoreError}


class Reports:
    """Makes what the schedule of a running Tidegate asks for."""

    def __init__(self, load: Callable[[], Config], file: Path | None, root: Path) -> None:
        """`load` reads the configuration in `file`; `root` is the store where it names none."""
        self._load = load
        self._file = file
        self._folders = report_folders(file)
        self._root = root

    def build(self, name: str, begin: datetime, end: datetime) -> Document:
        """The report over that span; raises TidegateError."""
        config = self._load()
        return make_apart(Spanned(name, begin, end), store_root(config, self._root), config, self._folders)

    def broken(self, config: Config) -> Mapping[str, str]:
        """What is wrong with the file of each scheduled report, by its name in the schedule."""
        return broken_reports(config, self._file)

    def covers(self, name: str, moment: datetime) -> tuple[datetime, datetime] | None:
        """What it covers by its own window at this moment; raises UsageError."""
        return covers(name, moment, self._load(), self._folders)


def make_apart(asked: Spanned, root: Path, config: Config, folders: Sequence[Path]) -> Document:
    """The report, made by a child; raises TidegateError for what is wrong with it or with the store."""
    words = [sys.executable, "-c", "from tidegate.app.report_child import serve; serve()"]
    given = pickle.dumps((asked, root, config, list(folders)))
    try:
        done = subprocess.run(words, input=given, capture_output=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise TidegateError(f"the report took longer than {LONGEST:.0f} s") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
        raise TidegateError(f"the report's process ended with {done.returncode}: {last[0]}")
    made = pickle.loads(done.stdout)  # noqa: S301 - of our own child, by a pipe that nobody else has
    if isinstance(made, Document):
        return made
    kind, text = made
    raise _ERRORS.get(kind, TidegateError)(text)


def serve() -> None:
    """The child: what to make comes by standard input, the report or the error goes by standard output."""
    with suppress(OSError):  # the service may not: setpriority is one of @resources
        os.nice(_NICE)
    asked, root, config, folders = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
    made: Document | tuple[str, str]
    try:
        made = make_spanned(asked, root, config, folders)
    except TidegateError as error:
        made = (type(error).__name__, str(error))
    sys.stdout.buffer.write(pickle.dumps(made))
