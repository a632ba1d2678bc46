"""A report as a letter: text and page, pictures inside, tables attached; no larger than it may be."""

import html as html_
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage

from tidegate.mail.letter import LONGEST_SUBJECT, headed, safe_lines
from tidegate.model.document import Document, Sheet
from tidegate.model.errors import UsageError
from tidegate.model.text import clip, meant, one_line, safe_text
from tidegate.model.units import human_bytes

PLACES = ("title", "report", "host", "begin", "end", "zone")
"""What can be put into subject and text."""

_CID = re.compile(r'"cid:([A-Za-z0-9._-]+)"')
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_LONGEST_TEXT = 200_000
"""Characters of a report's text in a letter at most."""


@dataclass(frozen=True)
class Wrapping:
    """What goes around a report."""

    sender: str
    to: tuple[str, ...]
    subject: str
    """With places; see PLACES."""
    text: str
    host: str
    date: datetime
    message_id: str
    max_size: int
    """Bytes."""


@dataclass(frozen=True)
class Wrapped:
    """A letter ready to go."""

    subject: str
    letter: bytes
    left_out: tuple[str, ...]
    """What did not fit, by name and size."""


def wrap(document: Document, wrapping: Wrapping) -> Wrapped:
    """The letter; what makes it too large is left out, the largest table first, and said in it."""
    left_out: list[str] = []
    kept: Document | None = document
    letter = b""
    while kept is not None:
        if _least(kept) <= wrapping.max_size:  # what is certain costs no encoding
            letter = _letter(kept, wrapping, left_out)
            if len(letter) <= wrapping.max_size:
                break
        kept = _smaller(kept, left_out)
    return Wrapped(subject_of(document, wrapping), letter, tuple(left_out))


def subject_of(document: Document, wrapping: Wrapping) -> str:
    """The subject, in one harmless line."""
    return one_line(_filled(wrapping.subject, document, wrapping), LONGEST_SUBJECT)


def check_places(text: str) -> None:
    """Raises UsageError for a subject or text that cannot be filled in."""
    try:
        for _, name, form, conversion in string.Formatter().parse(text):
            if name in PLACES and (form or conversion):
                raise UsageError(f"write {{{name}}} alone, without ! and :")
            if name is not None and name not in PLACES:
                raise UsageError(f'there is no place "{clip(name, 40)}"{meant(name, PLACES)}')
    except ValueError as error:
        raise UsageError(f"{error}; a brace as such is written twice") from None


def _filled(text: str, document: Document, wrapping: Wrapping) -> str:
    values: Mapping[str, str] = {
        "title": document.title,
        "report": document.name,
        "host": wrapping.host,
        "begin": f"{document.begin:%Y-%m-%d %H:%M}",
        "end": f"{document.end:%Y-%m-%d %H:%M}",
        "zone": document.end.tzname() or "",
    }
    return text.format_map(values)


def _least(document: Document) -> int:
    """Bytes that it takes at least: base64 makes four of three."""
    attached = sum(len(each.csv) for each in document.sheets) + sum(
        len(each.png) for each in document.pictures
    )
    return attached * 4 // 3


def _smaller(document: Document, left_out: list[str]) -> Document | None:
    """Without the largest table; without tables, the largest picture; then the page, then the text's end."""
    if document.sheets:
        largest = max(document.sheets, key=lambda sheet: len(sheet.csv))
        left_out.append(f"{largest.name} ({human_bytes(len(largest.csv))})")
        return replace(document, sheets=tuple(each for each in document.sheets if each is not largest))
    if document.pictures:
        biggest = max(document.pictures, key=lambda picture: len(picture.png))
        left_out.append(f"{biggest.name} ({human_bytes(len(biggest.png))})")
        return replace(document, pictures=tuple(each for each in document.pictures if each is not biggest))
    if document.html:
        left_out.append(f"the page ({human_bytes(len(document.html.encode(errors='replace')))})")
        return replace(document, html="")
    if len(document.text) > 1000:
        left_out.append(f"the text after its first 1,000 of {len(document.text):,} characters")
        return replace(document, text=document.text[:1000] + "\n…\n")
    return None


def _letter(document: Document, wrapping: Wrapping, left_out: list[str]) -> bytes:
    subject, date = subject_of(document, wrapping), wrapping.date
    made = headed(subject, date, wrapping.message_id, wrapping.sender, wrapping.to)
    before, after = _filled(wrapping.text, document, wrapping).strip(), missing(document.name, left_out)
    text = "\n\n".join(filter(None, (before, after, clip(document.text, _LONGEST_TEXT).strip("\n"))))
    made.set_content(safe_lines(text) + "\n", cte="quoted-printable")
    if document.html:
        _add_page(made, document, wrapping.message_id, [before, after])
    for sheet in document.sheets:
        _attach(made, sheet)
    return made.as_bytes()


def missing(report: str, left_out: list[str]) -> str:
    """What is said where something had to be left out; empty if nothing had to."""
    if not left_out:
        return ""
    what = ", ".join(left_out)
    return f"Left out, as the mail would be too large: {what}. All of it: tidegate report {report}"


def _add_page(made: EmailMessage, document: Document, message_id: str, notes: list[str]) -> None:
    """The page beside the text, its pictures with it by names that no other letter has."""
    there = {picture.name for picture in document.pictures}

    def named(match: re.Match[str]) -> str:
        return f'"cid:{match[1]}@{message_id}"' if match[1] in there else '""'

    page = with_notes(_CID.sub(named, document.html), notes)
    made.add_alternative(_encodable(page), subtype="html", cte="quoted-printable")
    *_, page_part = made.iter_parts()
    for picture in document.pictures:
        cid, name = f"<{picture.name}@{message_id}>", _file_name(picture.name)
        page_part.add_related(picture.png, "image", "png", cid=cid, filename=name, disposition="inline")


def with_notes(page: str, notes: list[str]) -> str:
    """The page with paragraphs before all else."""
    written = "".join(
        f"<p>{html_.escape(safe_lines(note)).replace(chr(10), '<br>')}</p>\n" for note in filter(None, notes)
    )
    body = _BODY.search(page)
    return f"{page[: body.end()]}\n{written}{page[body.end() :]}" if body and written else written + page


def _encodable(text: str) -> str:
    """Without what UTF-8 cannot say."""
    return text.encode(errors="replace").decode()


def _attach(made: EmailMessage, sheet: Sheet) -> None:
    made.add_attachment(sheet.csv, "text", "csv", filename=_file_name(sheet.name), cte="base64")
    *_, part = made.iter_parts()
    part.set_param("charset", "utf-8")


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", safe_text(name)).lstrip(".")[:100] or "part"
