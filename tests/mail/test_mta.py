"""A report to Debian's postfix, as strict as it can be made, and read back from the box it was put into."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mta

from alarms import certificate
from documents import picture, report
from helpers import wait_for
from tidegate.app.posting import mail_document
from tidegate.model.config import Config, MailSettings, StoreSettings

pytestmark = pytest.mark.skipif(bool(mta.missing()), reason=mta.missing())


@pytest.fixture(scope="module")
def postfix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[mta.Mta, Path]]:
    place = tmp_path_factory.mktemp("postfix")
    _, trusted = certificate(place)
    with mta.running(place / "key.pem", trusted) as running:
        yield running, trusted


def settings(postfix: tuple[mta.Mta, Path], store: Path) -> Config:
    server, trusted = postfix
    mail = MailSettings(
        server=server.server,
        security="starttls",
        ca_file=str(trusted),
        sender="pi@sensor.example.org",
        to=("kim@example.org",),
    )
    return Config(mail=mail, store=StoreSettings(path=str(store)))


def test_a_report_arrives_whole(
    postfix: tuple[mta.Mta, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "raspberrypi")  # a name without a dot
    document = report(
        pictures=(picture("bars.png"), picture("time.png", 100_000)), text=".\n..\nFrom here\nä\n"
    )
    done = mail_document(document, settings(postfix, tmp_path))
    assert (done.state, done.said) == ("sent", "sent to kim@example.org")
    wait_for(lambda: postfix[0].letters("kim"))
    (letter,) = postfix[0].letters("kim")
    message = message_from_bytes(letter, policy=default)
    assert isinstance(message, EmailMessage)
    assert message["Delivered-To"] == "kim@example.org"
    assert "from [127.0.0.1] (localhost" in str(message["Received"])
    assert "with ESMTPS" in str(message["Received"])
    body = message.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    assert body.get_content() == ".\n..\nFrom here\nä\n"
    seen = [part.get_content() for part in message.walk() if part.get_content_type() == "image/png"]
    assert seen == [each.png for each in document.pictures]
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [document.sheets[0].csv]


def test_who_is_not_known_and_what_is_too_large_is_said(
    postfix: tuple[mta.Mta, Path], tmp_path: Path
) -> None:
    config = settings(postfix, tmp_path)
    done = mail_document(report(), config, to=("lee@example.org", "max@example.org"))
    assert done.state == "partly sent"
    assert "max@example.org: 550 5.1.1" in done.said
    wait_for(lambda: postfix[0].letters("lee"))
    large = report(pictures=(picture("time.png", 400_000),))
    before = len(postfix[0].letters("kim"))
    assert mail_document(large, config).done  # without the picture: the server says how much it takes
    wait_for(lambda: len(postfix[0].letters("kim")) > before)
    smaller = replace(config, mail=replace(config.mail, max_size=250_000))
    assert mail_document(large, smaller).done
