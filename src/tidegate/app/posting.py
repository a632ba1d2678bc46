"""Reports by mail: wrapped, put into the outbox, and sent."""

import platform
import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tidegate.app.paths import outbox_folder
from tidegate.mail import Account, check_addresses, open_account
from tidegate.mail.outbox import Outbox, OutboxError
from tidegate.mail.report import Wrapping, wrap
from tidegate.mail.sending import Sender
from tidegate.mail.slip import Slip
from tidegate.model.config import Config, ReportTimeSettings
from tidegate.model.document import Document
from tidegate.model.errors import UsageError, keyed
from tidegate.model.text import safe_text

PATIENCE = 20.0
"""Seconds that are waited for another process which sends."""


TO_BE_SENT = "to be sent to "
"""Said of a report in the outbox, before the people it is for."""


@dataclass(frozen=True)
class Outcome:
    """What became of a report that was to be mailed."""

    state: str
    """sent, partly sent, waiting, refused: as `tidegate report list` has it."""
    said: str
    """The same in a line, for people."""
    again: float | None = None
    """Of one that waits: when it is tried the next time; seconds since 1970."""

    @property
    def done(self) -> bool:
        """Whether everybody has it."""
        return self.state == "sent"


@dataclass(frozen=True)
class Posting:
    """Who gets a report, and under which name it goes."""

    to: tuple[str, ...]
    message_id: str
    subject: str = ""
    """Instead of mail.subject."""


def people_of(report: ReportTimeSettings, config: Config) -> tuple[str, ...]:
    """Who gets a scheduled report."""
    return report.mail or config.mail.to


def open_outbox(config: Config, root: Path | None = None) -> Outbox:
    """The outbox; made if there is none. Raises OutboxError."""
    return Outbox(outbox_folder(config, root), config.mail.outbox_size)


def mailing(config: Config, to: tuple[str, ...] = ()) -> tuple[tuple[str, ...], Account]:
    """Who gets a report, and the account it goes by; raises UsageError where the settings do not do."""
    people = to or config.mail.to
    if not people:
        raise UsageError("nobody to write to; set mail.to in the configuration")
    with keyed("mail"):
        check_addresses(people, "to")
        return people, open_account(config.mail)


def mail_document(
    document: Document,
    config: Config,
    to: tuple[str, ...] = (),
) -> Outcome:
    """Mails a report now, to `mail.to` unless `to` says otherwise; what is not taken stays in the outbox.

    Raises UsageError, or OutboxError where the outbox does not take it.
    """
    people, account = mailing(config, to)
    outbox = open_outbox(config)
    message_id = f"report.{document.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{secrets.token_hex(6)}"
    put(document, config, account, outbox, Posting(people, message_id), time.time())
    sender = Sender(outbox, account, config.mail.keep, time.time, tells=False)
    trouble = ""
    try:
        _send(sender, message_id)
    except OutboxError as error:  # a full disk: the letter is in there, and is sent once there is room
        trouble = f": {safe_text(str(error))}"
    found = outcome(outbox.known(message_id))
    return replace(found, said=found.said + trouble) if found.state == "waiting" else found


def put(
    document: Document,
    config: Config,
    account: Account,
    outbox: Outbox,
    posting: Posting,
    now: float,
) -> None:
    """Wraps a report and puts it into the outbox; one that is there, or was, is left. Raises OutboxError."""
    wrapping = Wrapping(
        sender=account.sender,
        to=posting.to,
        subject=posting.subject or config.mail.subject,
        text=config.mail.text,
        host=config.watch.engine.sensor or platform.node(),
        date=datetime.fromtimestamp(now, document.end.tzinfo),
        message_id=posting.message_id,
        max_size=config.mail.max_size,
    )
    wrapped = wrap(document, wrapping)
    slip = Slip(
        message_id=posting.message_id,
        report=document.name,
        subject=wrapped.subject,
        sender=account.sender,
        to=tuple(dict.fromkeys(posting.to)),
        created=now,
        size=len(wrapped.letter),
    )
    outbox.put(slip, wrapped.letter, now)


def outcome(slip: Slip | None) -> Outcome:
    """What a slip says."""
    if slip is None:
        return Outcome("lost", "the outbox has lost it")
    people = ", ".join(map(safe_text, slip.to))
    if slip.state == "sent":
        return Outcome("sent", f"sent to {people}")
    why = f": {slip.said}" if slip.said else ""
    if slip.state == "waiting":
        tries = f", after {slip.tries} tr{'y' if slip.tries == 1 else 'ies'}" if slip.tries else ""
        said = f"not sent yet to {', '.join(map(safe_text, slip.left))}{tries}{why}"
        return Outcome("waiting", said, slip.again or None)
    if slip.state == "partly sent":
        missed = {**slip.refused, **dict.fromkeys(slip.left, slip.said)}
        others = "; ".join(f"not to {safe_text(each)}: {reason}" for each, reason in missed.items())
        return Outcome(slip.state, f"partly sent: to {', '.join(map(safe_text, slip.taken))}; {others}")
    return Outcome(slip.state, f"{slip.state}: {people}{why}")


def _send(sender: Sender, message_id: str) -> None:
    """Sends it, unless another process does, which is sending just now: a running Tidegate, mostly."""
    ends = time.monotonic() + PATIENCE
    while not sender.send_due(only=message_id):
        slip = sender.outbox.known(message_id)
        if slip is None or slip.finished is not None or slip.tries or time.monotonic() >= ends:
            return
        time.sleep(0.2)
