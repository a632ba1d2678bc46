"""A letter that a server finds too large, made smaller: tables go first, then pictures; it says so."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from tidegate.mail.report import missing, with_notes
from tidegate.model.units import human_bytes

_CID = re.compile(r'"cid:([^"\s]+)"')

NOTE = 4000
"""Bytes that saying it takes at most."""


def shrink(letter: bytes, limit: int, report: str) -> bytes | None:
    """The letter in at most `limit` bytes; None where there is nothing to leave out, or not enough."""
    made = message_from_bytes(letter, policy=SMTP)
    left_out: list[str] = []
    while isinstance(made, EmailMessage) and (found := _largest(made)):
        container, part = found
        container.get_payload().remove(part)  # type: ignore[union-attr] # a multipart has a list
        left_out.append(f"{part.get_filename()} ({human_bytes(_size(part))})")
        if len(made.as_bytes()) + NOTE <= limit:
            _say(made, missing(report, left_out))
            return made.as_bytes()
    return None


def _largest(made: EmailMessage) -> tuple[EmailMessage, EmailMessage] | None:
    """The largest table, or, where there is none, the largest picture; with what it lies in."""
    parts = list(_named(made))
    tables = [each for each in parts if each[1].get_content_disposition() == "attachment"]
    return max(tables or parts, key=lambda each: _size(each[1]), default=None)


def _named(made: EmailMessage) -> Iterator[tuple[EmailMessage, EmailMessage]]:
    for container in made.walk():
        if container.is_multipart() and isinstance(container, EmailMessage):
            for part in container.iter_parts():
                if isinstance(part, EmailMessage) and part.get_filename():
                    yield container, part


def _size(part: EmailMessage) -> int:
    data = part.get_payload(decode=True)
    return len(data) if isinstance(data, bytes) else 0


def _say(made: EmailMessage, note: str) -> None:
    """Puts it before text and page; a picture that is gone leaves its words."""
    there = {str(part["Content-ID"]).strip("<>") for part in made.walk() if part["Content-ID"]}
    plain, page = made.get_body(("plain",)), made.get_body(("html",))
    if isinstance(plain, EmailMessage):
        plain.set_content(f"{note}\n\n{plain.get_content()}", cte="quoted-printable")
    if isinstance(page, EmailMessage):
        shown = _CID.sub(lambda match: match.group() if match[1] in there else '""', page.get_content())
        text = with_notes(shown, [note])
        page.set_content(text, subtype="html", cte="quoted-printable")
