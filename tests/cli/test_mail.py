"""`tidegate mail` and `tidegate report list` as a user runs them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from documents import report
from helpers import Run
from post import office, saying
from tidegate.app.posting import mail_document, open_outbox, outcome
from tidegate.cli.report_list import list_reports
from tidegate.mail.server import Answer, Delivery
from tidegate.mail.slip import Slip, after_delivery, after_failure
from tidegate.model.config import Config
from tidegate.settings import find

Written = Callable[[str], Path]
NOON = 1_795_176_000.0


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a configuration that sends to a server."""

    def write(server: str, more: str = "") -> Path:
        path = tmp_path / "t.yml"
        path.write_text(
            f"store: {{path: {tmp_path}/s}}\n"
            f"mail: {{server: '{server}', to: kim@example.org, sender: pi@example.org{more}}}\n"
        )
        return path

    return write


def test_the_dialogue_is_shown_and_the_mail_arrives(run: Run, written: Written) -> None:
    with office() as (post, server):
        done = run("mail", "test", "--config", str(written(server)))
        other = run("mail", "test", "lee@example.org", "--config", str(written(server)))
    assert done.returncode == other.returncode == 0
    assert "> mail FROM:<pi@example.org>" in done.stdout
    assert "the server took it for kim@example.org" in done.stdout
    assert [each.rcpt_tos for each in post.letters] == [["kim@example.org"], ["lee@example.org"]]
    assert "a test" in post.subjects()[0]


def test_a_login_that_is_refused_says_what_to_do(run: Run, written: Written, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    more = f", user: kim, password_file: {secret}"
    said = (
        b"220 hi\r\n",
        b"250-hi\r\n250 AUTH PLAIN\r\n",
        b"534-5.7.9 Please log in gsmtp\r\n534 5.7.9 so\r\n",
    )
    with saying(*said) as server:
        done = run("mail", "test", "--config", str(written(server, more)))
    assert done.returncode == 1
    assert "> AUTH PLAIN ****" in done.stdout
    assert "sesame" not in done.stdout + done.stderr
    assert "https://myaccount.google.com/apppasswords" in done.stderr
    assert "Traceback" not in done.stderr
    secret.chmod(0o644)
    done = run("mail", "test", "--config", str(written("localhost", more)))
    assert done.returncode == 2
    assert f"t.yml:2: mail.password_file: others can read {secret}; run: chmod 600 {secret}" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["not an address"], 2, "is no mail address"), (["kim@example.org"], 1, "does it listen on port 1")],
)
def test_what_is_wrong_is_one_line(
    words: list[str], code: int, said: str, run: Run, written: Written
) -> None:
    done = run("mail", "test", *words, "--config", str(written("127.0.0.1:1")))
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def listing(file: Path, *words: str) -> str:
    done = CliRunner().invoke(list_reports, ["--config", str(file), *words])
    assert done.exception is None, done.exception
    return done.output


def test_what_waits_is_listed_tried_again_and_remembered(run: Run, written: Written) -> None:
    def loaded(file: Path) -> Config:
        return find.load(file)

    file = written("127.0.0.1:1")
    assert listing(file) == "no report was mailed yet\n"
    first = mail_document(report(title="one"), loaded(file))
    assert first.state == "waiting"
    assert "after 1 try: Connection refused" in first.said
    assert "still to kim@example.org; 1 try, next at" in listing(file)
    done = run("mail", "retry", "--config", str(file))
    assert done.returncode == 1
    assert "after 2 tries" in done.stdout
    with office() as (post, server):
        file = written(server)
        done = run("mail", "retry", "--config", str(file))
        assert (done.returncode, "sent to kim@example.org" in done.stdout) == (0, True)
        done = run("mail", "retry", "--config", str(file))
        assert done.stdout == "nothing waits\n"
        people = ("kim@example.org", "nobody@example.org")
        second = mail_document(report(title="\x1b[2Jtwo"), loaded(file), to=people)
    assert second.state == "partly sent"
    said = listing(file)
    assert "\x1b" not in said
    assert "sent        pings" in said
    assert "not to nobody@example.org: 550 no such person" in said
    assert '"state": "sent"' in listing(file, "--json")
    assert len(listing(file, "-n", "1").splitlines()) == 4  # zone, title, who has it, who has it not
    assert len(post.letters) == 2


@pytest.mark.parametrize("words", ["mail retry", "report list", "schedule"])
def test_a_store_that_is_not_there_is_said_and_not_made(
    run: Run, written: Written, tmp_path: Path, words: str
) -> None:
    done = run(*words.split(), "--config", written("127.0.0.1:1"), "--store", tmp_path / "typo")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"tidegate: {tmp_path}/typo: no store here yet; start one with: tidegate watch\n"
    assert not (tmp_path / "typo").exists()


def test_who_never_got_it_is_told_beside_who_did(written: Written) -> None:
    file = written("127.0.0.1:1")
    outbox = open_outbox(find.load(file))
    slip = Slip("m", "pings", "s", "pi@example.org", ("kim@example.org", "lee@example.org"), NOON, 1)
    outbox.put(slip, b"x", NOON)
    slip = after_delivery(
        slip, Delivery(["kim@example.org"], {"lee@example.org": Answer(450, "later")}), NOON
    )
    while slip.finished is None:
        slip = after_failure(slip, OSError(111, "Connection refused"), 60.0, NOON + 86400.0)
    outbox.update(slip)
    assert slip.state == "partly sent"
    said = listing(file)
    assert "to kim@example.org\n" in said
    assert "not to lee@example.org: Connection refused\n" in said


def test_why_somebody_has_it_not_is_told_when_the_others_have_it() -> None:
    slip = Slip("m", "pings", "s", "pi@example.org", ("kim@example.org", "lee@example.org"), NOON, 1)
    refused = {"lee@example.org": Answer(550, "no such person")}
    slip = after_delivery(slip, Delivery([], {**refused, "kim@example.org": Answer(450, "later")}), NOON)
    slip = after_delivery(slip, Delivery(["kim@example.org"]), NOON)
    assert outcome(slip).said == "partly sent: to kim@example.org; not to lee@example.org: 550 no such person"


def test_a_running_sender_is_left_to_do_it(run: Run, written: Written) -> None:
    with office() as (post, server):
        file = written(server)
        outbox = open_outbox(find.load(file))
        with outbox.sending() as ours:
            assert ours
            done = run("mail", "retry", "--config", str(file))
    assert (done.returncode, "a running Tidegate is sending" in done.stdout) == (0, True)
    assert post.letters == []
