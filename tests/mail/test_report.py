"""A report as a letter: read back by Python's parser, pictures inside, tables attached, never too large."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from documents import MORNING, picture, report
from tidegate.mail.report import Wrapped, Wrapping, check_places, wrap
from tidegate.model.document import Document, Sheet
from tidegate.model.errors import UsageError

HOSTILE = [
    "\r\nBcc: evil@example.org\r\n\r\nx",
    "\x1b]52;c;x\x07",
    "\u202egnp",
    "=?utf-8?q?x?=",
    "ä" * 5000,
    "\udcff",
]


def wrapped(document: Document, **given: Any) -> tuple[Wrapped, EmailMessage]:
    usual: dict[str, Any] = {
        "sender": "pi@example.org",
        "to": ("kim@example.org", "lee@example.org"),
        "subject": "[tidegate {host}] {title}",
        "text": "",
        "host": "pi",
        "date": MORNING,
        "message_id": "report.pings.1",
        "max_size": 10_000_000,
    }
    made = wrap(document, Wrapping(**(usual | given)))
    message = message_from_bytes(made.letter, policy=default)
    assert isinstance(message, EmailMessage)
    return made, message


def content(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content()).replace("\r\n", "\n")


def test_text_page_pictures_and_tables_arrive() -> None:
    document = report()
    made, message = wrapped(document, text="Good morning,\nKim: {report} of {end} {zone}.")
    assert made.left_out == ()
    assert message["Subject"] == "[tidegate pi] Pings of the night"
    assert message["To"] == "kim@example.org, lee@example.org"
    assert message["Message-ID"] == "<report.pings.1@example.org>"
    before = "Good morning,\nKim: pings of 2026-11-20 06:00 UTC."
    assert content(message, "plain") == f"{before}\n\n192.0.2.7  12 pings\n"
    page = content(message, "html")
    assert '<body class="r">\n<p>Good morning,<br>Kim: pings of 2026-11-20 06:00 UTC.</p>' in page
    parts = {part["Content-ID"]: part for part in message.walk() if part["Content-ID"]}
    for each in document.pictures:
        assert f'src="cid:{each.name}@report.pings.1"' in page
        part = parts[f"<{each.name}@report.pings.1>"]
        assert isinstance(part, EmailMessage)
        assert part.get_content() == each.png
        assert part.get_content_disposition() == "inline"
    attached = list(message.iter_attachments())
    assert [part.get_filename() for part in attached] == ["pings.csv"]
    assert attached[0].get_payload(decode=True) == document.sheets[0].csv
    assert max(map(len, made.letter.split(b"\r\n"))) < 998


def test_what_does_not_fit_is_left_out_and_said() -> None:
    sheets = (Sheet("small.csv", b"a\r\n"), Sheet("large.csv", b"0123456789" * 50_000))
    document = report(pictures=(picture("bars.png", 100), picture("time.png", 200_000)), sheets=sheets)
    made, message = wrapped(document, max_size=400_000)
    assert made.left_out == ("large.csv (500.0 kB)",)
    assert [part.get_filename() for part in message.iter_attachments()] == ["small.csv"]
    said = "Left out, as the mail would be too large: large.csv (500.0 kB). All of it: tidegate report pings"
    assert said in content(message, "plain")
    assert said in content(message, "html")
    made, message = wrapped(document, max_size=200_000)
    assert [each.partition(" ")[0] for each in made.left_out] == ["large.csv", "small.csv", "time.png"]
    assert len(made.letter) <= 200_000
    assert 'src="" alt="time"' in content(message, "html")
    assert "cid:bars.png@" in content(message, "html")


@pytest.mark.parametrize("most", [100_000, 3_000])
def test_even_a_text_or_page_that_is_too_large_fits_in_the_end(most: int) -> None:
    document = report(html=f"<body>{'x' * 500_000}</body>", text="line\n" * 100_000, sheets=(), pictures=())
    made, message = wrapped(document, max_size=most)
    assert len(made.letter) <= most
    assert "the page (500.0 kB)" in content(message, "plain")
    assert message.get_body(("html",)) is None


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_change_nothing_but_themselves(text: str) -> None:
    document = report(
        title=text, text=f"first\n{text}\nlast\n", html=f"<p>{text}</p>", sheets=(Sheet(text + ".csv", b"x"),)
    )
    made, message = wrapped(document)
    assert message["Bcc"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert str(message["Subject"]).isprintable()
    assert content(message, "plain").replace("\n", "").isprintable()
    name = next(message.iter_attachments()).get_filename()
    assert name is not None
    assert name.isascii()
    assert "/" not in name
    assert max(map(len, made.letter.split(b"\r\n"))) < 998


def test_a_title_with_braces_is_only_a_title() -> None:
    _, message = wrapped(report(title="{host} {0} {x.y}"))
    assert message["Subject"] == "[tidegate pi] {host} {0} {x.y}"


@pytest.mark.parametrize(
    "text", ["{titel}", "{title.__class__}", "{title!r}", "{title:>99999999}", "{", "{0}", "{}"]
)
def test_places_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        check_places(text)


def test_places_that_are_right_are_taken() -> None:
    check_places("{{x}} {title} {report} {host} {begin} {end} {zone}")
