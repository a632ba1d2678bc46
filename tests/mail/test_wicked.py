"""Servers and certificates that are worse than those of `test_server.py`, and addresses that are none."""

import base64
import hmac
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from post import LETTER, account, saying
from tidegate.mail import MailError, check_addresses
from tidegate.mail.account import this_host
from tidegate.mail.advice import advice
from tidegate.mail.errors import tls_words
from tidegate.mail.letter import headed
from tidegate.mail.line import Line, limited
from tidegate.mail.server import deliver, greet
from tidegate.model.errors import SettingError

GREETED = (b"220 hi\r\n", b"250 hi\r\n")
OK, GO = b"250 ok\r\n", b"354 go\r\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("sésame öffne\n")
    path.chmod(0o600)
    return path


def test_a_letter_that_was_taken_stays_so_however_long_the_farewell_takes() -> None:
    line = Line()
    with saying(*GREETED, OK, OK, GO, OK, hang=True) as server, limited(line, 0.5, "cut"):
        delivery = deliver(account(server), LETTER, ["kim@example.org"], line.opened)
        assert delivery.taken == ["kim@example.org"]
        time.sleep(0.6)


def test_half_an_answer_is_none_even_if_it_begins_well() -> None:
    hung_up = pytest.raises(MailError, match="hung up when it was given the letter")
    with saying(*GREETED, OK, OK, GO, b"250 ok", drop=True) as server, hung_up as none:
        deliver(account(server), LETTER, ["kim@example.org"])
    assert not none.value.final


def test_every_yes_is_one() -> None:
    yes = b"252 well then\r\n"
    with saying(b"220 hi\r\n", b"250 hi\r\n", yes, yes, GO, yes, yes) as server:
        assert deliver(account(server), LETTER, ["kim@example.org"]).taken == ["kim@example.org"]


def test_a_line_without_an_end_does_not_end_the_letter() -> None:
    with (
        saying(*GREETED, OK, OK, GO, b"250 " + b"x" * 9000 + b"\r\n") as server,
        pytest.raises(MailError, match="no end when it was given the letter") as refused,
    ):
        deliver(account(server), LETTER, ["kim@example.org"])
    assert not refused.value.final


def test_a_challenge_is_answered_with_any_password(secret: Path) -> None:
    digest = hmac.new("sésame öffne".encode(), b"<1234@hi>", "md5").hexdigest()
    heard: list[bytes] = []
    with _listening(
        heard, b"220 hi\r\n", b"250-hi\r\n250 AUTH CRAM-MD5\r\n", b"334 PDEyMzRAaGk+\r\n"
    ) as server:
        given = account(server, user="kim", password_file=str(secret))
        with pytest.raises(MailError, match="hung up at the login"):
            greet(given)
    assert base64.b64decode(heard[-1]).decode() == f"kim {digest}"


@pytest.mark.parametrize("challenge", [b"!!!a", b"abcde", b""])
def test_a_challenge_that_is_none_is_said(challenge: bytes, secret: Path) -> None:
    greeting = (b"220 hi\r\n", b"250-hi\r\n250 AUTH CRAM-MD5\r\n")
    with (
        saying(*greeting, b"334 " + challenge + b"\r\n", b"535 no\r\n") as server,
        pytest.raises(MailError, match=r"cannot be answered|535 no") as said,
    ):
        greet(account(server, user="kim", password_file=str(secret)))
    assert said.value.phase == "login"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_that_hangs_can_be_cut_off(security: str) -> None:
    line, began = Line(), time.monotonic()
    answers = (b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n") if security == "starttls" else ()
    too_slow = pytest.raises(TimeoutError, match="cut off")
    with saying(*answers, hang=True) as server, too_slow, limited(line, 0.5, "cut"):
        deliver(account(server, security=security), LETTER, ["kim@example.org"], line.opened)
    assert time.monotonic() - began < 10


def test_of_tls_that_is_silent_it_is_said_so() -> None:
    silent = pytest.raises(MailError, match=r"nothing for 1 s when TLS was to begin")
    with saying(hang=True) as server, silent as refused:
        greet(account(server, security="tls", timeout=1.0))
    assert "587 is for starttls" in advice(account(server, security="tls"), refused.value)


def test_a_connection_that_does_not_come_about_can_be_cut_off() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # those who wait to be let in
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        line, began = Line(), time.monotonic()
        with pytest.raises(TimeoutError, match="cut off"), limited(line, 0.5, "cut"):
            greet(account(f"127.0.0.1:{listener.getsockname()[1]}"), opened=line.opened)
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10, "clock right"),
        (9, "clock right"),
        (62, "name that stands"),
        (64, "name that stands"),
        (18, "ca_file"),
    ],
)
def test_what_can_be_done_about_a_certificate(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] … (_ssl.c:1006)")
    error.verify_code, error.verify_message = code, "it is what it is"
    assert words in advice(account("mail.example.org:465", security="tls"), error)
    assert tls_words(error) == "the server's certificate is not accepted: it is what it is"


def test_what_is_wrong_with_tls_is_said_without_files_of_openssl() -> None:
    with saying(b"220 hi\r\n") as server, pytest.raises(ssl.SSLError) as wrong:
        greet(account(server, security="tls"))
    assert str(wrong.value).startswith("TLS could not be begun: ")
    assert "_ssl.c" not in str(wrong.value)
    assert "security: starttls" in advice(account(server, security="tls"), wrong.value)
    assert "s_client -starttls smtp" in advice(account(server, security="starttls"), wrong.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MailError("the server takes no login that is known here", True, 0, "login"), "leave user out"),
        (MailError("the server answered 554 you are listed", True, 554, "connect"), "provider"),
        (
            MailError("kim@example.org was refused: 550 relay denied", True, 550, "recipient"),
            "is the address right",
        ),
    ],
)
def test_what_can_be_done(error: MailError, said: str) -> None:
    assert said in advice(account("mail.example.org:587"), error)


NO_ADDRESSES = [
    "kim", "a@", "@b", "a@[", "a@]", "a@:::", "a@.", "a@-", "a@x..y", "a@x.", "a..b@x", ".a@x", "a.@x",
    "a b@x", '"a"@x', "a@b@c", "a@x\n", "\u00fc@x", "a@" + "y" * 64, "a" * 65 + "@x", "<a@x>", "a@x,b@y",
    "a@b\r\nTo: c@d",
]  # fmt: skip


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(SettingError, match="no mail address"):
        check_addresses((address,), "to")


@given(st.text("ab1.-[]:_@", max_size=12))
def test_what_is_taken_for_an_address_can_be_written_in_a_letter(text: str) -> None:
    for address in (text, f"{text}@example.org", f"kim@{text}"):
        try:
            check_addresses((address,), "to")
        except SettingError:
            continue
        made = headed("hi", datetime(2026, 11, 21, tzinfo=UTC), "x", address, (address, "lee@example.org"))
        assert b"lee@example.org" in made.as_bytes()
        assert Address(addr_spec=address).addr_spec == address


@given(st.text("ab.-_\u00fc ", max_size=80))
def test_whatever_a_host_is_called_mail_comes_from_an_address(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: name)
        check_addresses((f"tidegate@{this_host()}",), "sender")


@pytest.mark.parametrize(
    "server", ["a" * 64 + ".org", "a..b", ".a", "-a", "a b", "a:b", "a:0", "a:99999", "[::g]x"]
)
def test_what_is_no_server(server: str) -> None:
    with pytest.raises(SettingError, match="is no server") as refused:
        account(server)
    assert refused.value.key == ("server",)


@pytest.mark.parametrize("server", ["a_b.example.org.", "x", "10.0.0.1:25", "[fe80::1%eth0]:25", "a" * 63])
def test_what_is_a_server(server: str) -> None:
    assert account(server).host


def test_files_that_are_none_hold_nothing_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for key in ("user_file", "password_file", "ca_file"):
        given = {"user": "" if key == "user_file" else "kim", "security": "tls", key: str(pipe)}
        with pytest.raises(SettingError, match="no file") as refused:
            account("localhost", **given)
        assert refused.value.key == (key,)


def test_certificates_that_are_none_are_said(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("none")
    with pytest.raises(SettingError, match=r"ca\.pem: holds no certificates \(PEM\)$"):
        account("localhost", security="tls", ca_file=str(path))


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"\xef\xbb\xbfopen sesame\r\n", "open sesame"),
        ("a \"'\\%$ö\n".encode(), "a \"'\\%$ö"),
        (b"s\xfc\xdf\n", "not text in UTF-8"),
        (b"a\0b\n", "zero byte"),
    ],
)
def test_odd_passwords_are_taken_as_they_are_or_refused(content: bytes, password: str, secret: Path) -> None:
    secret.write_bytes(content)
    try:
        assert account("localhost", user="kim", password_file=str(secret)).password == password
    except SettingError as error:
        assert password in error.text


@contextmanager
def _listening(heard: list[bytes], *answers: bytes) -> Iterator[str]:
    """A server that gives these answers, and writes down what it hears."""

    def serve() -> None:
        with listener.accept()[0] as caller, caller.makefile("rb") as said:
            for answer in answers:
                caller.sendall(answer)
                heard.append(said.readline().strip())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()
