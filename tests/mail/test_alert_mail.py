"""Mail against a real SMTP server: in clear, by STARTTLS, with a password; and hostile text in it."""

import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest

from alarms import certificate, notice
from helpers import wait_for
from post import office, saying
from tidegate.alerts.actions import Teller
from tidegate.alerts.actions.mailing import _people as people_of
from tidegate.alerts.actions.mailing import letter, mailer
from tidegate.mail import Letter, MailError, open_account
from tidegate.model.config import AlertMailSettings, AlertSettings, MailSettings
from tidegate.model.config.alerts import by_mail
from tidegate.model.errors import UsageError
from tidegate.model.secret import read_secret

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = [
    "[/foo]",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m\x90",
    "\u202egnp.exe\u2066",
    "a\r\nBcc: evil@example.org\r\n\r\nbody",
    "a\nSubject: other",
    "=?utf-8?q?x?=",
    "\udcff\udc80",
    "\u2028\u2029\x85\x0b\x0c",
    ".\r\n.\r\nQUIT",
    "ä" * 65536,
    "\x00",
]


def settings(server: str, **given: Any) -> AlertMailSettings:
    return AlertMailSettings(
        **{"name": "ops", "to": ("ops@example.org",), "server": server, "timeout": 10.0, **given}
    )


def short(**given: Any) -> Letter:
    return Letter(**{"subject": "hi", "text": "there\n", "date": NOON, "message_id": "m1", **given})


def test_a_letter_arrives_as_it_should() -> None:
    with office() as (post, server):
        to = ("ops@example.org", "kim@example.org")
        people_of(settings(server, to=to, sender="tidegate@sensor.example")).send(short(answers="m0"))
    message = post.message()
    assert post.letters[0].rcpt_tos == list(to)
    assert message["From"] == "Tidegate <tidegate@sensor.example>"
    assert message["Message-ID"] == "<m1@sensor.example>"
    assert message["In-Reply-To"] == message["References"] == "<m0@sensor.example>"
    assert message["Date"] == "Fri, 20 Nov 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == "there\n"  # type: ignore[attr-defined]


def test_starttls_with_a_password(tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("open sesame\nnot this\n")
    secret.chmod(0o600)
    given = {"security": "starttls", "user": "kim", "password_file": str(secret), "ca_file": str(trusted)}
    with office(tls, "open sesame") as (post, server):
        people_of(settings(server, **given)).send(short())
        assert len(post.letters) == 1
        assert post.users == ["kim"]
        with pytest.raises(ssl.SSLCertVerificationError):
            people_of(settings(server, **given | {"ca_file": ""})).send(short())
        secret.write_text("wrong")
        with pytest.raises(MailError, match="535") as refused:
            people_of(settings(server, **given)).send(short())
        assert refused.value.final
        assert "wrong" not in str(refused.value)
        with pytest.raises(MailError):
            people_of(settings(server)).send(short())
    assert len(post.letters) == 1


def test_a_server_without_starttls_gets_nothing() -> None:
    with office() as (post, server):
        with pytest.raises(MailError, match="STARTTLS") as refused:
            people_of(settings(server, security="starttls")).send(short())
        assert refused.value.final
    assert post.letters == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_changes_nothing_but_itself(text: str) -> None:
    with office() as (post, server):
        people = people_of(settings(server))
        people.send(short(subject=f"[tidegate] {text}", text=f"first\n{text}\nlast\n"))
        people.send(letter(notice(key=text, message=text, rule=text[:50], sensor=text)))
    for number in (0, 1):
        message, envelope = post.message(number), post.letters[number]
        assert envelope.rcpt_tos == ["ops@example.org"]
        assert message["Bcc"] is None
        assert len(message.get_all("Subject", [])) == 1
        subject = str(make_header(decode_header(message["Subject"])))
        body = message.get_content().replace("\r\n", "\n")  # type: ignore[attr-defined]
        for said in (subject, body.replace("\n", "")):
            assert said.isprintable(), ascii(said)
        assert isinstance(envelope.content, bytes)
        assert max(map(len, envelope.content.split(b"\r\n"))) < 998
    assert body.startswith(notice(message=text).message)


def test_the_end_of_an_alert_answers_it() -> None:
    raised, over = letter(notice()), letter(notice(state="recovered", ts=notice_ts() + 5))
    assert over.answers == raised.message_id == "alert.a1.raised"
    assert over.message_id == "alert.a1.recovered"
    assert raised.subject == "[tidegate me] raised: http-traffic"
    assert "threshold: 7,000\n" in raised.text


def notice_ts() -> int:
    return 1_795_168_800 * 1_000_000_000


def test_it_is_tried_again_unless_it_never_will() -> None:
    with office() as (post, server):
        post.refuse = ["451 later", "452 full", "554 never"]
        given = settings(server)
        teller = Teller("ops", mailer(given), 5, 10.0, first_wait=0.01)
        teller.start()
        for name in ("a", "b", "c"):
            teller.tell(notice(alert_id=name))
        wait_for(lambda: len(post.letters) == 2)
        teller.finish()
        teller.join(5.0)
        assert teller.lost == 1
        assert [post.message(n)["Message-ID"].split(".")[1] for n in (0, 1)] == ["b", "c"]


def test_a_mail_without_a_server_goes_by_that_of_section_mail(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    mine = AlertMailSettings("ops", ("ops@example.org",), timeout=20.0)
    with office(None, "open sesame", auth_require_tls=False) as (post, server):
        shared = MailSettings(server=server, user="kim", password_file=str(secret), sender="pi@example.org")
        (by_section,) = by_mail(AlertSettings(mails=(mine,)), shared).mails
        people_of(by_section).send(short())
        people_of(replace(by_section, sender="alarm@example.org")).send(short(message_id="m2"))
    assert post.users == ["kim", "kim"]
    assert [str(post.message(number)["From"].addresses[0].addr_spec) for number in (0, 1)] == [
        "pi@example.org",
        "alarm@example.org",
    ]
    own = replace(by_section, server="127.0.0.1:1")
    with pytest.raises(ConnectionRefusedError):
        people_of(own).send(short())


def test_some_are_refused_and_the_others_have_it() -> None:
    with office() as (post, server):
        with pytest.raises(MailError, match="1 of 2 addresses were refused") as refused:
            people_of(settings(server, to=("nobody@example.org", "kim@example.org"))).send(short())
        assert refused.value.final
        assert post.letters[0].rcpt_tos == ["kim@example.org"]
        with pytest.raises(MailError, match=r"every address was refused \(550\)"):
            people_of(settings(server, to=("nobody@example.org",))).send(short())


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:

    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = f"127.0.0.1:{mute.getsockname()[1]}"
        teller = Teller("ops", mailer(settings(server, timeout=0.2)), 0, 0.2)
        teller.start()
        teller.tell(notice())
        wait_for(lambda: teller.lost == 1, 10)
        teller.finish()
        teller.join(5.0)
    assert not [each for each in threading.enumerate() if each.name.startswith("tidegate-alert")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": ()}, "nobody to write to"),
        ({"to": ("kim",)}, '"kim" is no mail address'),
        ({"to": ("a@b.c\r\nBcc: d@e.f",)}, "is no mail address"),
        ({"to": ("a@b.c, d@e.f",)}, "is no mail address"),
        ({"to": ("<a@b.c>",)}, "is no mail address"),
        ({"sender": "x\x00@y"}, "is no mail address"),
        ({"server": "a b"}, "is no server"),
        ({"server": "host:0"}, "is no server"),
        ({"server": "host:99999"}, "is no server"),
        ({"user": "kim", "server": "mail.example.org"}, "by starttls or tls only"),
        ({"user": "kim", "password_file": "/not/there"}, "/not/there: No such file"),
        ({"user": "kim", "password_file": "/dev/null"}, "no file that could be read"),
        ({"security": "tls", "ca_file": "/not/there"}, "/not/there"),
        ({"timeout": 0.0}, "timeout above 0"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        people_of(settings(**{"server": "localhost", **given}))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("server", "host", "port"), [("[::1]:26", "::1", 26), ("mail", "mail", 587)])
def test_servers_and_their_ports(server: str, host: str, port: int) -> None:
    people = open_account(MailSettings(server=server, security="starttls"))
    assert (people.host, people.port) == (host, port)


def test_a_password_is_for_its_owner_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    for mode in (0o640, 0o604, 0o620):
        secret.chmod(mode)
        with pytest.raises(UsageError, match=f"chmod 600 {secret}"):
            read_secret(secret)
    secret.chmod(0o400)
    assert read_secret(secret) == "x"
    for text in ("", "\nx", "y" * 2000):
        secret.chmod(0o600)
        secret.write_text(text)
        with pytest.raises(UsageError, match="first line"):
            read_secret(secret)


@pytest.mark.parametrize("before", [(), (b"220 hi\r\n",)])
def test_an_answer_without_an_end_is_not_kept(before: tuple[bytes, ...]) -> None:
    with (
        saying(*before, endless=b"250-on and on\r\n" * 1000) as server,
        pytest.raises(MailError, match="end"),
    ):
        people_of(settings(server)).send(short())


def test_a_letter_that_was_taken_is_not_sent_again_for_a_rude_farewell() -> None:
    taken = (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 taken\r\n")
    with saying(*taken, endless=b"what?\r\n") as server:
        people_of(settings(server)).send(short())
