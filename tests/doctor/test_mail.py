"""What the doctor says of the mail server."""

from pathlib import Path
from typing import Any

from post import office, saying
from tidegate.doctor.finding import Finding
from tidegate.doctor.mail import check_mail
from tidegate.model.config import AlertMailSettings, AlertSettings, Config, MailSettings


def findings(server: str, **given: Any) -> list[Finding]:
    mail = MailSettings(**{"server": server, "to": ("kim@example.org",), "sender": "pi@example.org", **given})
    return list(check_mail(Config(mail=mail)))


def test_a_server_that_answers_and_one_that_is_away() -> None:
    with office() as (post, server):
        (here,) = findings(server)
    (away,) = findings("127.0.0.1:1")
    assert (here.verdict, here.text) == ("ok", f"{server.replace(':', ' port ')} answers")
    assert post.letters == []
    assert away.verdict == "broken"
    assert "Connection refused" in away.text
    assert "wait on disk" in away.fix


def test_a_login_that_is_refused_and_a_password_that_is_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    secret.chmod(0o600)
    given = {"user": "kim", "password_file": str(secret)}
    with office(None, "y", auth_require_tls=False) as (_, server):
        (found,) = findings(server, **given)
    assert "535" in found.text
    assert "app password" in found.fix
    with office(None, "x", auth_require_tls=False) as (_, server):
        (found,) = findings(server, **given)
    assert found.text.endswith("answers and takes the login")
    (found,) = findings("localhost", user="kim", password_file="/not/there")
    assert (found.verdict, "No such file" in found.text) == ("broken", True)


def test_nothing_is_asked_where_nothing_is_sent() -> None:
    assert list(check_mail(Config(mail=MailSettings(server="127.0.0.1:1")))) == []
    own = AlertSettings(mails=(AlertMailSettings("a", ("a@b.c",), server="127.0.0.1:1"),))
    assert list(check_mail(Config(alerts=own))) == []
    with saying(b"421 busy\r\n") as server:
        shared = AlertSettings(mails=(AlertMailSettings("a", ("a@b.c",)),))
        (found,) = check_mail(Config(mail=MailSettings(server=server), alerts=shared))
    assert "421 busy" in found.text
