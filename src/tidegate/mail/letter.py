"""Short letters, as alerts are: text only."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tidegate.model.text import one_line, safe_text

LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class Letter:
    """What is sent. Texts may hold anything: headers and body are made safe here."""

    subject: str
    text: str
    date: datetime
    message_id: str
    """Letters, digits, dots and dashes; the same letter keeps it when it is sent again."""
    answers: str = ""
    """The message_id of the letter this one belongs to."""


def message(letter: Letter, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The letter as it goes out."""
    made = headed(letter.subject, letter.date, letter.message_id, sender, to)
    if letter.answers:
        made["In-Reply-To"] = made["References"] = f"<{letter.answers}@{domain(sender)}>"
    made.set_content(safe_lines(letter.text), cte="quoted-printable")
    return made


def headed(subject: str, date: datetime, message_id: str, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """A letter with its headers, and nothing in it yet."""
    made = EmailMessage(policy=SMTP)
    made["From"] = Address("Tidegate", addr_spec=sender)
    made["To"] = ", ".join(to)
    made["Subject"] = one_line(subject, LONGEST_SUBJECT)
    made["Date"] = format_datetime(date)
    made["Message-ID"] = f"<{message_id}@{domain(sender)}>"
    made["Auto-Submitted"] = "auto-generated"
    return made


def domain(sender: str) -> str:
    """What stands behind the @."""
    return sender.partition("@")[2]


def safe_lines(text: str) -> str:
    """The text, each line harmless."""
    return "\n".join(map(safe_text, text.split("\n")))
