"""A letter that is too large for a server arrives with less in it, and says what is missing."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from documents import picture, report
from post import office
from tidegate.app.posting import mail_document
from tidegate.mail.shrink import shrink
from tidegate.model.config import Config, MailSettings, StoreSettings
from tidegate.model.document import Document, Sheet


def large() -> Document:
    sheets = (Sheet("small.csv", b"a,b\r\n"), Sheet("large.csv", b"0123456789\r\n" * 10_000))
    return report(sheets=sheets, pictures=(picture("bars.png"), picture("time.png", 60_000)))


def config(server: str, store: Path) -> Config:
    mail = MailSettings(server=server, sender="pi@example.org", to=("kim@example.org",))
    return Config(mail=mail, store=StoreSettings(path=str(store)))


@pytest.mark.parametrize(
    ("limit", "tables", "pictures"),
    [(200_000, ["small.csv"], ["bars.png", "time.png"]), (20_000, [], ["bars.png"])],
)
def test_what_is_largest_is_left_out(
    limit: int, tables: list[str], pictures: list[str], tmp_path: Path
) -> None:
    with office(data_size_limit=limit) as (post, server):
        settings = config(server, tmp_path)
        done = mail_document(large(), settings)
    assert done.said == "sent to kim@example.org"
    (envelope,) = post.letters
    assert isinstance(envelope.content, bytes)
    assert len(envelope.content) <= limit
    message = post.message()
    assert [part.get_filename() for part in message.iter_attachments()] == tables
    shown = [part.get_filename() for part in message.walk() if part.get_content_type() == "image/png"]
    assert shown == pictures
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert isinstance(body, EmailMessage)
        said = body.get_content()
        assert "Left out, as the mail would be too large: large.csv (120.0 kB)" in said
        assert ("time.png (60" in said) == (pictures == ["bars.png"])
    assert said.count("cid:") == len(pictures)
    assert 'alt="time"' in said


def test_what_cannot_be_made_smaller_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with office(data_size_limit=1_000) as (post, server):
        settings = config(server, tmp_path)
        done = mail_document(large(), settings)
    assert post.letters == []
    assert done.state == "refused"
    assert "552 the server takes letters of 1,000 bytes at most; lower mail.max_size" in done.said


def test_a_letter_of_text_alone_has_nothing_to_leave_out() -> None:
    assert shrink(b"Subject: x\r\n\r\nhello\r\n", 10, "pings") is None
    assert shrink(b"\x00\xff", 10, "pings") is None
