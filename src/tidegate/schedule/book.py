"""What the schedule remembers: which times were served, and how. Plain data, and its file."""

import json
import logging
import re
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tidegate.model.durable import Lock, make_folder, open_regular, write_whole
from tidegate.model.errors import StoreError, TidegateError
from tidegate.model.retry import LATEST

NAME = "schedule.json"
VERSION = 1
LARGEST = 16 << 20
MOST_RUNS = 64
"""Times of an entry that are remembered: a clock that is set back repeats none of them."""
MOST_ENTRIES = 1000

_IDENTITY = re.compile(r"[A-Za-z0-9]{1,32}")
"""What can be a part of a Message-ID."""

RUNNING, MADE, FAILED = "running", "made", "failed"

_log = logging.getLogger("tidegate.schedule")


class BrokenBookError(TidegateError):
    """A file that holds something else."""


@dataclass
class Run:
    """One time that was served. Times are seconds since 1970."""

    slot: float
    """When it was to be."""
    state: str
    tries: int
    started: float
    finished: float | None = None
    again: float = 0.0
    """When it is tried again after a failure."""
    said: str = ""
    message_id: str = ""
    """Its letter."""


@dataclass
class Entry:
    """One line of the schedule."""

    at: str
    """When it is, as it was when this was written: another one begins anew."""
    since: float
    """Times before this one are none of its."""
    runs: list[Run] = field(default_factory=list)
    """The latest, in the order in which they were begun."""

    def run_of(self, slot: float) -> Run | None:
        """What became of this time."""
        return next((run for run in self.runs if run.slot == slot), None)

    def put(self, run: Run) -> None:
        """Remembers a run, in place of an earlier one of the same time."""
        self.runs = [*(each for each in self.runs if each.slot != run.slot), run][-MOST_RUNS:]


@dataclass
class Book:
    """All of it."""

    identity: str = field(default_factory=lambda: secrets.token_hex(4))
    """Part of Message-IDs: two machines of one name must not be taken for one."""
    entries: dict[str, Entry] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        entries = {name: asdict(entry) for name, entry in list(self.entries.items())[-MOST_ENTRIES:]}
        return {"version": VERSION, "identity": self.identity, "entries": entries}


def from_json(data: Any) -> Book:
    """The book of plain data; raises BrokenBookError."""
    try:
        if data["version"] > VERSION:
            raise BrokenBookError("was written by a newer Tidegate")
        entries = {str(name): _entry(each) for name, each in data["entries"].items()}
        identity = str(data["identity"])
        if not _IDENTITY.fullmatch(identity):
            raise BrokenBookError("holds no schedule (no identity)")
        return Book(identity, entries)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BrokenBookError(f"holds no schedule ({type(error).__name__}: {error})") from None


def _entry(data: Any) -> Entry:
    runs = [
        Run(
            slot=_time(each["slot"]),
            state=str(each["state"]),
            tries=int(each["tries"]),
            started=_time(each["started"]),
            finished=None if each["finished"] is None else _time(each["finished"]),
            again=_time(each["again"]),
            said=str(each["said"]),
            message_id=str(each["message_id"]),
        )
        for each in data["runs"][-MOST_RUNS:]
    ]
    return Entry(str(data["at"]), _time(data["since"]), runs)


def _time(value: Any) -> float:
    """Seconds that a date can be made of."""
    found = float(value)
    if not 0 <= found <= LATEST:
        raise ValueError("no time")
    return found


def read_book(path: Path) -> Book:
    """What is remembered there; an empty book if there is none. Raises BrokenBookError or StoreError."""
    try:
        with open_regular(path) as file:
            text = file.read(LARGEST + 1)
    except FileNotFoundError:
        return Book()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from None
    try:
        if len(text) > LARGEST:
            raise BrokenBookError("is too large")
        return from_json(json.loads(text))
    except BrokenBookError as error:
        raise BrokenBookError(f"{path} {error}") from None
    except (ValueError, RecursionError):
        raise BrokenBookError(f"{path} is no JSON") from None


class BookFile:
    """Holds the file from creation to close(): of two processes one serves the schedule."""

    def __init__(self, path: Path) -> None:
        """Takes it; raises StoreError. A file that is damaged is set aside, and said."""
        self._path = path
        self._lock = Lock(path.with_name(path.name + ".lock"))
        try:
            make_folder(path.parent, 0o750)
            if not self._lock.take():
                raise StoreError(f"{path}: another process serves this schedule")
            self.book = self._read()
        except OSError as error:
            self._lock.free()
            raise StoreError(f"{path}: {error.strerror or error}") from None
        except BaseException:
            self._lock.free()
            raise

    def save(self) -> None:
        """Writes it down, for good; raises StoreError, and then what stood there stands there still."""
        text = json.dumps(self.book.to_json(), indent=1)
        try:
            write_whole(self._path, f"{text}\n".encode(), 0o640)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror or error}") from None

    def close(self) -> None:
        """Lets another process in."""
        self._lock.free()

    def _read(self) -> Book:
        try:
            return read_book(self._path)
        except BrokenBookError as error:
            aside = self._path.with_name(self._path.name + ".broken")
            _log.warning("%s; it is kept as %s, the schedule begins anew", error, aside)
            self._path.replace(aside)
            return Book()
