"""A report mailed by hand: at once, by another process that sends just then, or later."""

import errno
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from documents import report
from helpers import wait_for
from post import office
from tidegate.app.posting import Outcome, mail_document, open_outbox, outcome
from tidegate.mail import open_account
from tidegate.mail.outbox import Outbox
from tidegate.mail.sending import Sender
from tidegate.mail.slip import Slip
from tidegate.model.config import Config, MailSettings, StoreSettings
from tidegate.model.errors import SettingError, UsageError


def config(server: str, store: Path) -> Config:
    mail = MailSettings(
        server=server, sender="pi@example.org", to=("kim@example.org",), text="Hi from {host}."
    )
    return Config(mail=mail, store=StoreSettings(path=str(store)))


def test_it_is_sent_at_once_to_all_or_to_whom_is_named(tmp_path: Path) -> None:
    with office() as (post, server):
        settings = config(server, tmp_path)
        first = mail_document(report(), settings)
        second = mail_document(report(), settings, to=("lee@example.org", "max@example.org"))
    assert first == Outcome("sent", "sent to kim@example.org")
    assert first.done
    assert second.said == "sent to lee@example.org, max@example.org"
    assert [each.rcpt_tos for each in post.letters] == [
        ["kim@example.org"],
        ["lee@example.org", "max@example.org"],
    ]
    names = {post.message(number)["Message-ID"] for number in range(2)}
    assert len(names) == 2


def test_what_another_process_is_sending_is_waited_for(tmp_path: Path) -> None:
    found: list[Outcome] = []
    with office() as (post, server):
        settings = config(server, tmp_path)
        outbox = open_outbox(settings)
        thread = threading.Thread(target=lambda: found.append(mail_document(report(), settings)))
        with outbox.sending() as ours:
            assert ours
            thread.start()
            wait_for(outbox.waiting)
            thread.join(0.5)  # it asks for the right to send, and must not get it
        sender = Sender(outbox, open_account(settings.mail), 1e6, time.time)
        wait_for(lambda: sender.send_due() and not outbox.waiting())
        thread.join(30)
    assert found == [Outcome("sent", "sent to kim@example.org")]
    assert len(post.letters) == 1


def test_several_at_once_send_each_its_own(tmp_path: Path) -> None:
    """As cron starts them: none of them sends what the others have, and nobody else does."""
    found: list[Outcome] = []
    with office() as (post, server):
        settings = config(server, tmp_path)
        post.at_letter = lambda: time.sleep(0.3)

        def mail() -> None:
            found.append(mail_document(report(), settings))

        threads = [threading.Thread(target=mail) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [each.state for each in found] == ["sent"] * 3
    assert len(post.letters) == 3


def test_a_server_that_is_away_leaves_it_in_the_outbox(tmp_path: Path) -> None:
    left = mail_document(report(), config("127.0.0.1:1", tmp_path))
    assert left.state == "waiting"
    assert not left.done
    assert left.said == "not sent yet to kim@example.org, after 1 try: Connection refused"
    assert len(open_outbox(config("127.0.0.1:1", tmp_path)).waiting()) == 1


def test_a_disk_that_took_the_letter_alone_has_it_sent_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was called not mailed: who mailed it again sent it twice."""
    people = ("kim@example.org", "lee@example.org")
    with office() as (post, server), monkeypatch.context() as full:
        settings = config(server, tmp_path)

        def refuse(path: Path, *_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        put = Outbox.put

        def put_and_fill(self: Outbox, *given: Any) -> bool:
            taken = put(self, *given)
            full.setattr("tidegate.mail.outbox.write_whole", refuse)
            return taken

        full.setattr(Outbox, "put", put_and_fill)
        left = mail_document(report(), settings, people)
        assert left.said == (
            f"not sent yet to kim@example.org, lee@example.org: {tmp_path}/outbox: No space left on device"
        )
        full.undo()
        assert (left.state, left.done, post.letters) == ("waiting", False, [])
        assert Sender(open_outbox(settings), open_account(settings.mail), 1e6, time.time).send_due()
    assert len(post.letters) == 1


def test_nobody_and_no_address_are_said_before_anything_is_kept(tmp_path: Path) -> None:
    settings = config("127.0.0.1:1", tmp_path / "s")
    with pytest.raises(UsageError, match="nobody to write to"):
        mail_document(report(), replace(settings, mail=replace(settings.mail, to=())))
    with pytest.raises(SettingError, match="is no mail address"):
        mail_document(report(), settings, to=("kim",))
    assert not (tmp_path / "s").exists()


def test_every_end_has_its_words() -> None:
    slip = Slip("m", "pings", "s", "pi@x.org", ("kim@x.org",), 0.0, 1, said="why")
    assert outcome(None).state == "lost"
    assert outcome(slip).said == "not sent yet to kim@x.org: why"
    assert outcome(replace(slip, state="given up", finished=1.0)).said == "given up: kim@x.org: why"
