"""What is known of a letter in the outbox, and when it is tried again. Plain data and pure rules."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from tidegate.mail.errors import MailError
from tidegate.mail.server import Delivery
from tidegate.model.errors import TidegateError
from tidegate.model.retry import LATEST, is_time, wait_after
from tidegate.model.text import one_line

State = Literal["waiting", "sent", "partly sent", "refused", "given up", "no room"]

LEAST_TRIES = 20
"""Nothing is given up before: a clock that jumped ahead must cost no letter."""
LONGEST_SAID = 300


class BrokenSlipError(TidegateError):
    """A file that holds something else."""


@dataclass(frozen=True)
class Slip:
    """One letter: for whom it is, and what became of it. Times are seconds since 1970."""

    message_id: str
    report: str
    subject: str
    sender: str
    to: tuple[str, ...]
    created: float
    size: int
    state: State = "waiting"
    tries: int = 0
    again: float = 0.0
    """When it is tried the next time."""
    taken: Mapping[str, float] = field(default_factory=dict)
    """Addresses whose server has it, and since when."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Addresses that will never have it, and why."""
    said: str = ""
    """What went wrong last."""
    finished: float | None = None

    @property
    def left(self) -> list[str]:
        """Addresses that are still to be tried."""
        return [each for each in self.to if each not in self.taken and each not in self.refused]

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next attempt."""
        return is_time(self.again, now)

    def to_json(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def from_json(line: bytes) -> Slip:
    """The slip of a line; raises BrokenSlipError."""
    try:
        data: Any = json.loads(line)
        slip = Slip(**(data | {"to": tuple(map(str, data["to"]))}))
        numbers = (
            slip.created,
            slip.size,
            slip.tries,
            slip.again,
            slip.finished or 0.0,
            *slip.taken.values(),
        )
        texts = (slip.message_id, slip.report, slip.subject, slip.sender, slip.said, *slip.refused.values())
        if not all(map(_is_number, numbers)) or not all(
            isinstance(each, str) for each in (*texts, slip.state)
        ):
            raise BrokenSlipError("holds no letter")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BrokenSlipError(f"holds no letter ({type(error).__name__})") from None
    return slip


def _is_number(value: object) -> bool:
    """Whether it can be a time or a count."""
    return isinstance(value, int | float) and 0 <= value <= LATEST


def after_delivery(slip: Slip, delivery: Delivery, now: float) -> Slip:
    """What is known once a server has answered."""
    refused = {address: str(said) for address, said in delivery.refused.items() if said.final}
    later = [f"{address}: {said}" for address, said in delivery.refused.items() if not said.final]
    known = replace(
        slip,
        taken={**slip.taken, **dict.fromkeys(delivery.taken, now)},
        refused={**slip.refused, **refused},
        said=one_line("; ".join(later or [f"{each}: {why}" for each, why in refused.items()]), LONGEST_SAID),
    )
    return _tried(known, now) if known.left else _finished(known, now)


def after_failure(slip: Slip, error: Exception, keep: float, now: float) -> Slip:
    """What is known after an attempt that nobody had anything of.

    Only what a server says of this very letter ends it: a wrong password or a server that knows no STARTTLS
    is mended by somebody, and then the letter is sent.
    """
    too_large = isinstance(error, MailError) and error.code == 552
    help = f"; lower mail.max_size, it has {slip.size:,} bytes" if too_large else ""
    reason = one_line(_words(error) + help, LONGEST_SAID)
    known = replace(slip, said=reason)
    if isinstance(error, MailError) and error.final and (error.phase == "data" or too_large):
        refused = {**known.refused, **dict.fromkeys(known.left, reason)}
        return _finished(replace(known, refused=refused), now)
    tried = _tried(known, now)
    if now - slip.created > keep and tried.tries >= LEAST_TRIES:
        return replace(tried, state="partly sent" if tried.taken else "given up", finished=now)
    return tried


def _tried(slip: Slip, now: float) -> Slip:
    tries = slip.tries + 1
    return replace(slip, tries=tries, again=now + wait_after(tries))


def _finished(slip: Slip, now: float) -> Slip:
    state: State = "refused" if not slip.taken else "partly sent" if slip.refused else "sent"
    return replace(slip, state=state, tries=slip.tries + 1, finished=now)


def _words(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return words or str(error) or type(error).__name__
