"""The outbox: letters on disk until somebody has them, and for a while what became of each.

    DIR/lock                  held while something is put in or a slip is changed
    DIR/sending               held by the one process that sends
    DIR/waiting/ID.letter     a slip in the first line, then the letter as it is sent; never changed
    DIR/waiting/ID.slip       what is known since the first attempt
    DIR/done/ID.slip          what became of it; the letter itself is gone

An ID follows from the Message-ID, so a letter that is here, or was, is not taken a second time. What is done
is written before the letter is removed, and every file is whole or not there.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tidegate.mail.slip import LONGEST_SAID, BrokenSlipError, Slip, from_json
from tidegate.model.durable import Lock, locked, make_folder, open_regular, remove, write_whole
from tidegate.model.errors import TidegateError

MOST_DONE = 1000
"""Letters of which it is remembered what became of them."""
MOST_WAITING = 1000
LARGEST_SLIP = 1 << 20
_ESCAPED = 6
"""Bytes that JSON makes of a character."""

_log = logging.getLogger("tidegate.mail")


class OutboxError(TidegateError):
    """A directory that cannot be used, or a letter that finds no room."""


def _foreign(folder: Path) -> OutboxError:
    return OutboxError(f"{folder}: it belongs to another user; ask as that user, or as root")


class DamagedError(TidegateError):
    """A letter that is not the one that was put in."""


class Outbox:
    """Any number of processes may use it at once."""

    def __init__(self, folder: Path, bound: int) -> None:
        """Makes the directory; raises OutboxError. `bound` is in bytes."""
        self.folder = folder
        self._bound = bound
        self._unread: set[str] = set()
        """Letters of which it was said that they cannot be read now."""
        try:
            make_folder(folder.parent, 0o750)
            for each in (self._waiting, self._done):
                make_folder(each)
        except OSError as error:
            if isinstance(error, PermissionError) and os.path.lexists(folder):
                raise _foreign(folder) from None
            raise OutboxError(f"{folder}: {error.strerror or error}; choose another mail.outbox") from None
        if not os.access(self._waiting, os.R_OK | os.X_OK):
            raise _foreign(folder)

    @property
    def _waiting(self) -> Path:
        return self.folder / "waiting"

    @property
    def _done(self) -> Path:
        return self.folder / "done"

    def put(self, slip: Slip, letter: bytes, now: float) -> bool:
        """Takes a letter; False if it is here already, or was. Raises OutboxError where it finds no room."""
        with self._changing():
            if self.known(slip.message_id):
                return False
            if len(letter) > self._bound:
                raise OutboxError(f"the letter is larger than mail.outbox_size ({self._bound:,} bytes)")
            self._tidy()
            self._make_room(len(letter), now)
            known = replace(slip, size=len(letter))
            write_whole(self._path(slip.message_id, "letter"), known.to_json() + letter)
        return True

    def known(self, message_id: str) -> Slip | None:
        """What is known of a letter: one that waits, or that is done with."""
        for path in (self._done_path(message_id), *self._paths(message_id)):
            if (slip := _slip(path)) is not None:
                return slip
        return None

    def waiting(self) -> list[Slip]:
        """Letters that are to be sent, the oldest first."""
        found = [self._latest(path) for path in self._waiting.glob("*.letter")]
        return sorted((slip for slip in found if slip), key=lambda slip: slip.created)

    def done(self) -> list[Slip]:
        """Letters that are done with, the oldest first."""
        found = [(_slip(path), _age(path)) for path in self._done.glob("*.slip")]
        slips = [_ended(slip, age) for slip, age in found if slip]
        return sorted(slips, key=lambda slip: slip.finished or 0.0)

    def letter(self, slip: Slip) -> bytes:
        """The letter itself, as it was put in; raises DamagedError for another one, or OSError."""
        path = self._path(slip.message_id, "letter")
        try:
            with open_regular(path) as file:
                if os.fstat(file.fileno()).st_size <= slip.size + LARGEST_SLIP:
                    first, letter = from_json(file.readline(LARGEST_SLIP)), file.read()
                    if (first.message_id, len(letter)) == (slip.message_id, slip.size):
                        return letter
        except BrokenSlipError:
            pass
        raise DamagedError(f"the letter was damaged on disk; what is left of it: {_broken(path)}")

    def set_aside(self, slip: Slip) -> None:
        """Keeps what is left of a damaged letter, and writes down what became of it. Raises OutboxError."""
        with self._changing():
            path = self._path(slip.message_id, "letter")
            path.replace(_broken(path))
            self._finish(slip)

    def damaged(self) -> list[Path]:
        """Letters that were set aside."""
        return sorted(self._waiting.glob("*.broken"))

    def prepare(self, slip: Slip) -> None:
        """Makes sure that it can be written down who has a letter, also on a disk that is full by then.

        Raises OutboxError. One address needs nothing: that a letter is done takes no room.
        """
        if len(slip.left) > 1:
            room = sum(len(each) + 50 + _ESCAPED * LONGEST_SAID for each in ("", *slip.to))
            with self._changing():
                write_whole(self._path(slip.message_id, "slip"), _padded(slip, len(slip.to_json()) + room))

    def update(self, slip: Slip) -> None:
        """Writes down what is known now; a letter that is done with goes. Raises OutboxError."""
        with self._changing():
            if slip.finished is None:
                self._note(slip)
                return
            self._finish(slip)

    def hurry(self) -> None:
        """All that waits is tried at once: something was mended. Raises OutboxError."""
        with self._changing():
            for slip in self.waiting():
                if slip.tries:
                    write_whole(self._path(slip.message_id, "slip"), replace(slip, again=0.0).to_json())

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Holds the right to send; False if another process has it. Raises OutboxError."""
        lock = Lock(self.folder / "sending")
        try:
            yield self._take(lock)
        finally:
            lock.free()

    def _take(self, lock: Lock) -> bool:
        try:
            return lock.take()
        except OSError as error:
            raise OutboxError(f"{self.folder}: {error.strerror or error}") from None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with locked(self.folder / "lock", wait=True):
                yield
        except OSError as error:
            raise OutboxError(f"{self.folder}: {error.strerror or error}") from None

    def _note(self, slip: Slip) -> None:
        path = self._path(slip.message_id, "slip")
        try:
            write_whole(path, slip.to_json())
        except OSError:
            if not slip.taken or not _written_over(path, slip):
                raise

    def _finish(self, slip: Slip) -> None:
        done = self._done_path(slip.message_id)
        try:
            write_whole(done, slip.to_json())
        except OSError as error:  # a full disk: the letter itself then says it is done
            self._path(slip.message_id, "letter").replace(done)
            _log.warning("mail: what became of %s could not be written: %s", slip.subject, error.strerror)
        for path in self._paths(slip.message_id):
            remove(path)
        old = sorted(self._done.glob("*.slip"), key=_age)[:-MOST_DONE]
        for path in old:
            remove(path)

    def _tidy(self) -> None:
        """Removes what processes that were killed had half written; nobody writes while we hold the lock."""
        for folder in (self._waiting, self._done):
            for path in folder.glob(".*.tmp"):
                remove(path)

    def _make_room(self, size: int, now: float) -> None:
        """The oldest go, and are said, until there is room."""
        waiting = self.waiting()
        while waiting and (
            sum(each.size for each in waiting) + size > self._bound or len(waiting) >= MOST_WAITING
        ):
            oldest = waiting.pop(0)
            _log.warning("mail: the outbox is full; not sent, and gone: %s", oldest.subject)
            said = (
                f"gone to make room in the outbox; before: {oldest.said}"
                if oldest.said
                else "the outbox was full"
            )
            self._finish(replace(oldest, state="no room", said=said, finished=now))

    def _latest(self, letter: Path) -> Slip | None:
        """What is known of a letter that waits; nothing if it is done with already."""
        slip = self._of_letter(letter)
        if slip is None:
            return None
        done = self._done_path(slip.message_id)
        if not done.exists():
            return slip
        if _slip(done):  # a crash came between writing that and removing this
            for path in self._paths(slip.message_id):
                path.unlink(missing_ok=True)
        else:
            _log.warning(
                "mail: whether %s was sent cannot be read; kept as %s", slip.subject, _broken(letter)
            )
            letter.replace(_broken(letter))
        return None

    def _of_letter(self, letter: Path) -> Slip | None:
        """What is known since an attempt, else its first line. What is none is set aside.

        Where either cannot be read now it stays, and is not sent: some may have it already.
        """
        try:
            return _since_attempt(letter.with_suffix(".slip")) or _read(letter)
        except BrokenSlipError as error:
            _log.warning("mail: %s %s; kept as .broken", letter, error)
            letter.replace(_broken(letter))
        except OSError as error:
            if letter.name not in self._unread:
                _log.warning(
                    "mail: %s: %s; it stays, and is not sent", error.filename or letter, error.strerror
                )
            self._unread.add(letter.name)
        return None

    def _paths(self, message_id: str) -> tuple[Path, Path]:
        return self._path(message_id, "slip"), self._path(message_id, "letter")

    def _path(self, message_id: str, suffix: str) -> Path:
        return self._waiting / f"{_name(message_id)}.{suffix}"

    def _done_path(self, message_id: str) -> Path:
        return self._done / f"{_name(message_id)}.slip"


def _broken(letter: Path) -> Path:
    return letter.with_suffix(".broken")


def _name(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:24]


def _ended(slip: Slip, when: float) -> Slip:
    """A letter that is done with; one whose end could not be written down was taken."""
    if slip.finished is not None:
        return slip
    return replace(slip, state="sent", finished=when, said="the disk was full when it was sent")


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _slip(path: Path) -> Slip | None:
    """The slip in the first line of a file; nothing if there is none, or none that can be understood."""
    try:
        return _read(path)
    except (OSError, BrokenSlipError) as error:
        _log.warning("mail: %s: %s", path, error)
        return None


def _since_attempt(path: Path) -> Slip | None:
    """What is known since an attempt; nothing if there was none, or if it is damaged. Raises OSError."""
    try:
        return _read(path)
    except BrokenSlipError as error:
        _log.warning("mail: %s %s", path, error)
        return None


def _read(path: Path) -> Slip | None:
    """The same; raises BrokenSlipError or OSError, but for a file that is not there."""
    try:
        with open_regular(path) as file:
            return from_json(file.readline(LARGEST_SLIP))
    except FileNotFoundError:
        return None


def _padded(slip: Slip, size: int) -> bytes:
    """The slip as a line of at least this length."""
    return slip.to_json().removesuffix(b"\n").ljust(size - 1) + b"\n"


def _written_over(path: Path, slip: Slip) -> bool:
    """Writes into the room that was kept for it; False if there is none."""
    try:
        with path.open("r+b") as file:
            room = os.fstat(file.fileno()).st_size
            line = _padded(slip, room)
            if len(line) > room:
                return False
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    _log.warning("mail: the disk is full; who has %s was written over what stood there", slip.subject)
    return True
