"""Letters to a real SMTP server and to ones that refuse, hang or drop TLS; the dialogue that is shown."""

import base64
import ssl
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from alarms import certificate
from post import LETTER, account, office, saying
from tidegate.mail import MailError, open_account
from tidegate.mail.advice import advice
from tidegate.mail.line import Line, limited
from tidegate.mail.server import deliver, greet
from tidegate.model.config import MailSettings
from tidegate.model.errors import SettingError

PASSWORD = "sésame öffne"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_by_tls_with_a_password_and_the_dialogue_hides_it(
    security: str, tmp_path: Path, secret: Path
) -> None:
    tls, trusted = certificate(tmp_path)
    heard: list[str] = []
    given = {"security": security, "user": "kim", "password_file": str(secret), "ca_file": str(trusted)}
    with office(tls, PASSWORD, whole=security == "tls", auth_require_tls=False) as (post, server):
        delivery = deliver(account(server, **given), LETTER, ["a@example.org"], heard=heard.append)
    assert delivery.taken == ["a@example.org"]
    assert post.users == ["kim"]
    said = "\n".join(heard)
    assert "> AUTH PLAIN ****" in said
    assert "< 235" in said
    assert "  TLSv1.3, " in said
    assert "(the letter, 22 bytes)" in said
    assert said.index("< 354") < said.index("(the letter")
    for hidden in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), _plain("kim", PASSWORD)):
        assert hidden not in said


def _plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def test_a_server_that_knows_only_login_is_served(tmp_path: Path, secret: Path) -> None:
    heard: list[str] = []
    given = {"user": "kim", "password_file": str(secret)}
    with office(None, PASSWORD, auth_require_tls=False, auth_exclude_mechanism=["PLAIN"]) as (post, server):
        greet(account(server, **given), heard.append)
    assert post.users == ["kim"]
    assert "> AUTH LOGIN ****" in heard
    assert base64.b64encode(b"kim").decode() not in "\n".join(heard)


@pytest.mark.parametrize(("end", "taken"), [(b"235 well\r\n", True), (b"535 no\r\n", False)])
def test_a_digest_is_not_shown_either(end: bytes, taken: bool, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    heard: list[str] = []
    greeting = (b"220 hi\r\n", b"250-hi\r\n250 AUTH CRAM-MD5\r\n")
    with saying(*greeting, b"334 PDEyMzRAaGk+\r\n", end, b"221 bye\r\n") as server:
        given = account(server, user="kim", password_file=str(secret))
        with nullcontext() if taken else pytest.raises(MailError, match="535 no"):
            greet(given, heard.append)
    assert "> AUTH CRAM-MD5 ****" in heard
    assert f"< {end.decode().strip()}" in heard
    assert "PDEy" not in "\n".join(heard)
    assert "a2lt" not in "\n".join(heard)


def test_a_wrong_password_is_tried_once_and_says_what_gmail_wants(secret: Path) -> None:
    given = {"user": "kim", "password_file": str(secret)}
    wrong = pytest.raises(MailError, match="535")
    with office(None, "another", auth_require_tls=False) as (post, server), wrong as refused:
        greet(account(server, **given))
    assert len(post.users) == 1
    assert (refused.value.code, refused.value.phase) == (535, "login")
    gmail = account("smtp.gmail.com:587", security="starttls", **given)
    assert "app password" in advice(gmail, refused.value)
    assert "apppasswords" in advice(gmail, refused.value)
    assert "app password" in advice(account(server), refused.value)


def test_a_server_that_repeats_the_password_does_not_show_it(secret: Path) -> None:
    heard: list[str] = []
    echo = f"535 no such user {_plain('kim', PASSWORD)} {PASSWORD}\r\n".encode()
    with saying(b"220 hi\r\n", b"250-hi\r\n250 AUTH PLAIN\r\n", echo) as server, pytest.raises(MailError):
        greet(account(server, user="kim", password_file=str(secret)), heard.append)
    said = "\n".join(heard)
    assert "535 no such user ****" in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("hello", "wanted"),
    [("", "[127.0.0.1]"), ("pi.home.arpa", "pi.home.arpa"), ("raspberrypi", "raspberrypi")],
)
def test_the_name_we_say_hello_by(hello: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "raspberrypi")
    with office() as (post, server):
        deliver(account(server, hello=hello), LETTER, ["a@example.org"])
    assert post.hello == [wanted]


def test_some_later_some_never_and_the_others_have_it() -> None:
    with office() as (post, server):
        post.grey["late@example.org"] = ["450 try again later"]
        to = ["late@example.org", "nobody@example.org", "kim@example.org"]
        delivery = deliver(account(server), LETTER, to)
    assert delivery.taken == ["kim@example.org"]
    assert {each: said.final for each, said in delivery.refused.items()} == {to[0]: False, to[1]: True}


GREETED = (b"220 hi\r\n", b"250 hi\r\n")
OK = b"250 ok\r\n"


@pytest.mark.parametrize(
    ("answers", "said", "phase", "final"),
    [
        ((b"554 go away\r\n",), "554 go away", "connect", True),
        ((b"421 busy\r\n",), "421 busy", "connect", False),
        ((b"220 hi\r\n", b"501 bad name\r\n", b"501 bad name\r\n"), "501", "hello", True),
        ((*GREETED, b"553 not your address\r\n"), "553 not your", "mail", True),
        ((*GREETED, OK, b"421 closing\r\n"), "421 closing", "mail", False),
        ((*GREETED, OK, OK, b"451 no\r\n"), "451 no", "data", False),
        ((*GREETED, OK, OK), "hung up when it was given the letter", "data", False),
        ((), "hung up when it should have greeted us", "connect", False),
        ((b"\x00\xff\x1b]52;c;x\x07\r\n",), "", "connect", False),
    ],
)
def test_servers_that_refuse_or_go_away(
    answers: tuple[bytes, ...], said: str, phase: str, final: bool
) -> None:
    with saying(*answers) as server, pytest.raises(MailError) as refused:
        deliver(account(server), LETTER, ["kim@example.org"])
    assert said in str(refused.value)
    assert (refused.value.phase, refused.value.final) == (phase, final)
    assert str(refused.value).isprintable()


def test_tls_that_is_dropped_or_none_at_all_is_said(tmp_path: Path) -> None:
    _, trusted = certificate(tmp_path)
    given = {"ca_file": str(trusted)}
    dropping = saying(b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n", drop=True)
    with dropping as server, pytest.raises((OSError, MailError)):
        deliver(account(server, security="starttls", **given), LETTER, ["kim@example.org"])
    with saying(b"220 hi\r\n") as server, pytest.raises(ssl.SSLError) as wrong:
        deliver(account(server, security="tls", **given), LETTER, ["kim@example.org"])
    assert "starttls" in advice(account(server), wrong.value)
    with saying(b"220 hi\r\n", b"250 hi\r\n") as server, pytest.raises(MailError) as none:
        deliver(account(server, security="starttls", **given), LETTER, ["kim@example.org"])
    assert "STARTTLS" in str(none.value)
    assert "465" in advice(account(server), none.value)


def test_a_certificate_of_nobody_we_trust_is_refused(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    with office(tls) as (post, server), pytest.raises(ssl.SSLCertVerificationError) as refused:
        deliver(account(server, security="starttls"), LETTER, ["kim@example.org"])
    assert post.letters == []
    assert "ca_file" in advice(account(server), refused.value)


def test_a_server_that_hangs_is_given_up_and_can_be_cut_off() -> None:
    line = Line()
    began = time.monotonic()
    cut_off = pytest.raises(TimeoutError, match=r"cut off after 0 s when we said hello")
    with saying(b"220 hi\r\n", hang=True) as server, cut_off, limited(line, 0.3):
        deliver(account(server), LETTER, ["kim@example.org"], line.opened)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("answers", "step"),
    [
        ((), "when it should have greeted us"),
        ((b"220 hi\r\n",), r"when we said hello \(EHLO\)"),
        (GREETED, "when it was told from whom and to whom the letter is"),
        ((*GREETED, OK, OK), "when it was given the letter"),
    ],
)
def test_of_a_server_that_is_silent_it_is_said_when_and_for_how_long(
    answers: tuple[bytes, ...], step: str
) -> None:
    silent = pytest.raises(MailError, match=rf"^the server said nothing for 1\.5 s {step}$")
    with saying(*answers, hang=True) as server, silent as refused:
        deliver(account(server, timeout=1.5), LETTER, ["kim@example.org"])
    assert not refused.value.final


def test_what_a_network_says_has_advice() -> None:
    with pytest.raises(ConnectionRefusedError) as refused:
        deliver(account("127.0.0.1:1"), LETTER, ["kim@example.org"])
    assert "port 1" in advice(account("127.0.0.1:1"), refused.value)
    assert "587" in advice(account("mx.example.org:25"), refused.value)
    assert "mail.server" in advice(account("localhost:25"), refused.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MailError("530 5.7.0 Must issue a STARTTLS command first", True, 530, "mail"), "security: starttls"),
        (MailError("530 5.7.0 Authentication required", True, 530, "mail"), "user and password_file"),
        (MailError("501 syntax", True, 501, "hello"), "mail.hello"),
        (MailError("552 too big", True, 552, "data"), "mail.max_size"),
        (MailError("553 5.7.1 sender rejected", True, 553, "mail"), "mail.sender"),
        (MailError("534-5.7.9 Application-specific password required gsmtp", True, 534, "login"), "Gmail"),
        (MailError("535 5.7.139 Authentication unsuccessful outlook.com", True, 535, "login"), "Microsoft"),
        (MailError("it is what it is", False), ""),
    ],
)
def test_what_can_be_done(error: MailError, said: str) -> None:
    help = advice(account("mail.example.org:587"), error)
    assert said in help
    assert bool(said) == bool(help)


def test_user_and_password_come_from_files_the_environment_or_systemd(tmp_path: Path, secret: Path) -> None:
    given = MailSettings(server="localhost", user="${WHO}", password="${WORD}")
    made = open_account(given, environment={"WHO": "kim", "WORD": "sesame"})
    assert (made.user, made.password) == ("kim", "sesame")
    assert "sesame" not in repr(made)
    with pytest.raises(SettingError, match="no variable WHO") as missing:
        open_account(given, environment={})
    assert missing.value.key == ("user",)
    handed = tmp_path / "credentials"
    handed.mkdir()
    (handed / "word").write_text("from systemd\n")
    (handed / "word").chmod(0o440)
    given = MailSettings(user_file=str(secret), password_file="${CREDENTIALS_DIRECTORY}/word")
    made = open_account(given, environment={"CREDENTIALS_DIRECTORY": str(handed)})
    assert (made.user, made.password) == (PASSWORD, "from systemd")
    with pytest.raises(SettingError, match="credentials/word is not there") as none:
        open_account(given, environment={})
    assert none.value.key == ("password_file",)
    (handed / "word").chmod(0o444)
    with pytest.raises(SettingError, match="others can read"):
        open_account(given, environment={"CREDENTIALS_DIRECTORY": str(handed)})
    with pytest.raises(SettingError, match="no name of a credential"):
        away = MailSettings(user="kim", password_file="${CREDENTIALS_DIRECTORY}/../x")
        open_account(away, environment={"CREDENTIALS_DIRECTORY": str(handed)})


@pytest.mark.parametrize(
    ("given", "key", "said"),
    [
        ({"user": "kim"}, "password_file", "a user needs a password"),
        ({"user": "kim", "user_file": "x"}, "user", "not both"),
        ({"user": "kim", "password": "secret"}, "password", "a secret does not belong here"),
        ({"hello": "a b\r\nMAIL"}, "hello", "is no host name"),
        ({"server": ""}, "server", "is no server"),
        ({"to": ("kim",)}, "to", "is no mail address"),
        ({"timeout": 0.0}, "timeout", "above 0"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(given: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(SettingError, match=said) as refused:
        open_account(MailSettings(**given), environment={})
    assert refused.value.key == (key,)
