"""The outbox: nothing is lost and nothing is sent twice, whatever ends, fills up or jumps in between."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import LIBRARIES, free_port, wait_for
from post import office, saying
from tidegate.mail import MailError, open_account
from tidegate.mail import outbox as outboxes
from tidegate.mail.outbox import Outbox, OutboxError
from tidegate.mail.postman import Postman
from tidegate.mail.sending import Sender
from tidegate.mail.server import Answer, Delivery
from tidegate.mail.slip import Slip, after_delivery, after_failure
from tidegate.model.config import MailSettings
from tidegate.model.retry import LONGEST_WAIT

NOON = 1_795_176_000.0
DAY = 86_400.0


def slip(name: str = "m1", *to: str, **given: Any) -> Slip:
    usual = {"report": "pings", "subject": f"subject {name}", "sender": "pi@example.org", "created": NOON}
    return Slip(**{"message_id": name, "to": to or ("kim@example.org",), "size": 100, **usual, **given})


def letter(name: str = "m1") -> bytes:
    return f"Message-ID: <{name}@example.org>\r\nSubject: subject {name}\r\n\r\nhello\r\n".encode()


def sender(outbox: Outbox, server: str, clock: Callable[[], float] = lambda: NOON) -> Sender:
    account = open_account(MailSettings(server=server, sender="pi@example.org", timeout=20.0))
    return Sender(outbox, account, 5 * DAY, clock)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox", 1_000_000)


def test_a_letter_is_taken_once_sent_once_and_remembered(outbox: Outbox) -> None:
    assert outbox.put(slip(), letter(), NOON)
    assert not outbox.put(slip(), letter(), NOON)
    with office() as (post, server):
        sends = sender(outbox, server)
        for _ in range(3):
            assert sends.send_due()
        assert not outbox.put(slip(), letter(), NOON + DAY)
        assert sends.send_due()
    assert post.subjects() == ["subject m1"]
    assert outbox.waiting() == []
    (done,) = outbox.done()
    assert (done.state, done.finished, dict(done.taken)) == ("sent", NOON, {"kim@example.org": NOON})
    assert list((outbox.folder / "waiting").iterdir()) == []


def test_each_address_gets_it_once_however_the_others_fare(outbox: Outbox) -> None:
    now = [NOON]
    outbox.put(slip("m1", "kim@example.org", "late@example.org", "nobody@example.org"), letter(), NOON)
    with office() as (post, server):
        post.grey["late@example.org"] = ["450 later", "451 later"]
        sends = sender(outbox, server, lambda: now[0])
        for _ in range(4):
            sends.send_due()
            now[0] += LONGEST_WAIT
    assert [each.rcpt_tos for each in post.letters] == [["kim@example.org"], ["late@example.org"]]
    (done,) = outbox.done()
    assert done.state == "partly sent"
    assert set(done.taken) == {"kim@example.org", "late@example.org"}
    assert done.refused == {"nobody@example.org": "550 no such person"}


def test_what_a_server_refuses_now_is_tried_again_and_what_it_refuses_for_good_is_not(outbox: Outbox) -> None:
    now = [NOON]
    for name in ("m1", "m2"):
        outbox.put(slip(name), letter(name), NOON)
    with office() as (post, server):
        post.refuse = ["451 later", "554 never"]
        sends = sender(outbox, server, lambda: now[0])
        sends.send_due()
        assert [each.said for each in outbox.waiting()] == ["the server answered 451 later"]
        assert sends.error == ""
        sends.send_due()
        assert post.letters == []
        now[0] += 61
        sends.send_due()
    assert post.subjects() == ["subject m1"]
    assert {each.message_id: each.state for each in outbox.done()} == {"m1": "sent", "m2": "refused"}


def test_a_connection_that_ends_before_the_last_answer_is_tried_again(outbox: Outbox) -> None:
    now = [NOON]
    outbox.put(slip(), letter(), NOON)
    ok = b"250 ok\r\n"
    with saying(b"220 hi\r\n", ok, ok, ok, b"354 go\r\n") as server:
        sender(outbox, server, lambda: now[0]).send_due()
    (waiting,) = outbox.waiting()
    assert (waiting.tries, waiting.again) == (1, NOON + 60)
    now[0] += 61
    with office() as (post, server):
        sender(outbox, server, lambda: now[0]).send_due()
    assert post.message()["Message-ID"] == "<m1@example.org>"


def test_waits_double_up_to_an_hour_and_end_after_days() -> None:
    known, now = slip(), NOON
    waits = []
    while known.finished is None and len(waits) < 500:
        known = after_failure(known, ConnectionRefusedError("refused"), 5 * DAY, now)
        waits.append(known.again - now)
        now = known.again
    assert waits[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert known.state == "given up"
    assert 5 * DAY < now - NOON < 5.2 * DAY


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MailError("535 wrong", True, 535, "login"), "waiting"),
        (MailError("no STARTTLS", True, 0, "starttls"), "waiting"),
        (MailError("550 no", True, 550, "mail"), "waiting"),
        (MailError("552 too large", True, 552, "mail"), "refused"),
        (MailError("554 spam", True, 554, "data"), "refused"),
        (MailError("451 later", False, 451, "data"), "waiting"),
        (TimeoutError("no answer"), "waiting"),
    ],
)
def test_only_what_is_said_of_the_letter_ends_it(error: Exception, state: str) -> None:
    assert after_failure(slip(), error, 5 * DAY, NOON).state == state


def test_a_clock_that_jumps_gives_nothing_up_and_holds_nothing_back() -> None:
    ahead = after_failure(slip(), TimeoutError("x"), 5 * DAY, NOON + 3650 * DAY)
    assert ahead.state == "waiting"
    assert ahead.is_due(NOON)
    assert not after_failure(slip(), TimeoutError("x"), 5 * DAY, NOON).is_due(NOON)


def test_what_is_known_after_some_took_it() -> None:
    delivery = Delivery(["a@x.org"], {"b@x.org": Answer(450, "grey"), "c@x.org": Answer(550, "no")})
    known = after_delivery(slip("m1", "a@x.org", "b@x.org", "c@x.org"), delivery, NOON)
    assert known.left == ["b@x.org"]
    assert known.said == "b@x.org: 450 grey"
    assert known.finished is None


def test_a_crash_after_the_record_sends_nothing_again(outbox: Outbox) -> None:
    outbox.put(slip(), letter(), NOON)
    kept = next((outbox.folder / "waiting").glob("*.letter"))
    copy = kept.read_bytes()
    outbox.update(replace(slip(), state="sent", taken={"kim@example.org": NOON}, finished=NOON))
    kept.write_bytes(copy)  # as if it had not been removed any more
    assert outbox.waiting() == []
    assert not kept.exists()
    assert [each.state for each in outbox.done()] == ["sent"]


def test_a_disk_that_is_full_when_it_was_sent_sends_nothing_again(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    outbox.put(slip(), letter(), NOON)
    outbox.put(slip("m2", "kim@example.org", "late@example.org"), letter("m2"), NOON + 1)
    with office() as (post, server):
        sends = sender(outbox, server)
        with monkeypatch.context() as patched:
            patched.setattr(outboxes, "write_whole", full)
            for _ in range(3):
                with pytest.raises(OutboxError, match="No space left"):
                    sends.send_due()
        assert post.subjects() == ["subject m1"]  # of the other it could not be written who has it
        sends.clock = lambda: NOON + DAY
        sends.send_due()
    assert [each.rcpt_tos for each in post.letters] == [
        ["kim@example.org"],
        ["kim@example.org", "late@example.org"],
    ]
    assert [each.state for each in outbox.done()] == ["sent", "sent"]
    with pytest.raises(OutboxError), monkeypatch.context() as patched:
        patched.setattr(outboxes, "write_whole", full)
        outbox.put(slip("m3"), letter("m3"), NOON)
    assert outbox.known("m3") is None


def test_what_was_half_written_when_a_process_was_killed_goes(outbox: Outbox) -> None:
    left = [outbox.folder / "waiting" / ".a.letter.1.tmp", outbox.folder / "done" / ".b.slip.2.tmp"]
    for path in left:
        path.write_bytes(b"x" * 1000)
    outbox.put(slip(), letter(), NOON)
    assert not any(path.exists() for path in left)
    assert len(outbox.waiting()) == 1


def test_where_there_is_no_room_the_oldest_goes_and_is_said(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o", 250)
    for number in range(3):
        outbox.put(slip(f"m{number}", created=NOON + number), b"x" * 100, NOON)
    assert [each.message_id for each in outbox.waiting()] == ["m1", "m2"]
    assert [(each.message_id, each.state) for each in outbox.done()] == [("m0", "no room")]
    with pytest.raises(OutboxError, match="larger than"):
        outbox.put(slip("m9"), b"x" * 251, NOON)


def test_what_became_of_letters_is_not_kept_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "MOST_DONE", 3)
    outbox = Outbox(tmp_path / "o", 10_000)
    for number in range(6):
        name = f"m{number}"
        outbox.put(slip(name), b"x", NOON)
        outbox.update(slip(name, state="sent", finished=NOON + number))
        os.utime(outbox._done_path(name), (number, number))
    assert [each.message_id for each in outbox.done()] == ["m3", "m4", "m5"]


def test_damaged_files_are_set_aside_and_the_others_go_on(outbox: Outbox) -> None:
    outbox.put(slip(), letter(), NOON)
    waiting = outbox.folder / "waiting"
    for number, text in enumerate((b"", b"\x00\xff", b"{}\n", b'{"to": 5}\n', b"[" * 5000 + b"\n")):
        (waiting / f"bad{number}.letter").write_bytes(text)
    assert [each.message_id for each in outbox.waiting()] == ["m1"]
    assert len(list(waiting.glob("*.broken"))) == 5


@pytest.mark.parametrize("damage", ["short", "long", "empty", "noise", "other", "link", "pipe"])
def test_a_damaged_letter_is_not_sent_but_kept_and_said(damage: str, outbox: Outbox, tmp_path: Path) -> None:
    """Also where what is known of it stands elsewhere, since an attempt; the others are sent."""
    outbox.put(slip(), letter(), NOON)
    outbox.put(slip("m2", created=NOON + 1), letter("m2"), NOON)
    before = replace(outbox.waiting()[0], tries=1, said="Connection refused")
    outbox.update(before)
    path = outbox._path("m1", "letter")
    whole = path.read_bytes()
    other = outbox._path("m2", "letter").read_bytes()
    path.unlink()
    if damage == "link":
        path.symlink_to("/etc/passwd")
    elif damage == "pipe":
        os.mkfifo(path)
    else:
        texts = {
            "short": whole[:-5],
            "long": whole + b"x",
            "empty": b"",
            "noise": b"\xff" * 500,
            "other": other,
        }
        path.write_bytes(texts[damage])
    with office() as (post, server):
        sender(outbox, server).send_due()
    assert post.subjects() == ["subject m2"]
    if damage in ("link", "pipe"):
        (stays,) = outbox.waiting()
        assert stays.tries == 2
    else:
        assert [path.suffix for path in outbox.damaged()] == [".broken"]
        known = outbox.known("m1")
        assert known
        assert known.state == "given up"
        assert "damaged on disk" in known.said
        assert outbox.waiting() == []


def test_whether_it_was_sent_cannot_be_read(outbox: Outbox) -> None:
    outbox.put(slip(), letter(), NOON)
    outbox._done_path("m1").write_bytes(b"\0" * 100)
    assert outbox.waiting() == []
    assert len(outbox.damaged()) == 1


def test_a_letter_that_cannot_be_read_now_stays(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of another user's, or with too many files open: that passes, and then it is sent."""
    outbox.put(slip(), letter(), NOON)

    def refused(*_: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(outboxes, "from_json", refused)
        for _ in range(3):
            assert outbox.waiting() == []
    assert caplog.text.count("Too many open files") == 1
    assert [each.message_id for each in outbox.waiting()] == ["m1"]
    known = outbox._path("m1", "slip")  # who has it already
    known.mkdir()
    assert outbox.waiting() == []
    known.rmdir()
    assert [each.message_id for each in outbox.waiting()] == ["m1"]


def test_who_has_a_letter_is_known_after_a_full_disk_and_a_new_start(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.put(slip("m1", "kim@example.org", "late@example.org"), letter(), NOON)
    real, full = outboxes.write_whole, []

    def write(path: Path, data: bytes, mode: int = 0o600) -> None:
        if full:
            raise OSError(28, "No space left on device")
        real(path, data, mode)

    monkeypatch.setattr(outboxes, "write_whole", write)
    with office() as (post, server):
        post.grey["late@example.org"] = ["450 " + "x" * 150]
        post.at_letter = lambda: full.append(True)
        sender(outbox, server).send_due()
        assert [list(each.taken) for each in outbox.waiting()] == [["kim@example.org"]]
        sender(Outbox(outbox.folder, 1_000_000), server, lambda: NOON + DAY).send_due()
    assert [each.rcpt_tos for each in post.letters] == [["kim@example.org"], ["late@example.org"]]


def test_on_a_disk_that_is_full_nothing_is_sent_that_could_not_be_written_down(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(28, "No space left on device")

    outbox.put(slip("m1", "kim@example.org", "lee@example.org"), letter(), NOON)
    monkeypatch.setattr(outboxes, "write_whole", write)
    with office() as (post, server), pytest.raises(OutboxError, match="No space left"):
        sender(outbox, server).send_due()
    assert post.letters == []


def test_two_processes_send_each_letter_once(outbox: Outbox) -> None:
    names = [f"m{number}" for number in range(20)]
    for name in names:
        outbox.put(slip(name), letter(name), NOON)
    with office() as (post, server):
        others = [_another(outbox, server) for _ in range(3)]
        for other in others:
            assert other.wait(60) == 0
    assert sorted(post.subjects()) == sorted(f"subject {name}" for name in names)
    assert outbox.waiting() == []


@pytest.mark.parametrize("moment", ["at_hello", "at_letter"])
def test_a_process_that_is_killed_loses_nothing_and_repeats_only_what_was_not_answered(
    moment: str, outbox: Outbox
) -> None:
    """Killed as the server hears the fourth letter it loses one it cannot know of; between letters none."""
    names = [f"m{number}" for number in range(8)]
    for number, name in enumerate(names):
        outbox.put(slip(name, created=NOON + number), letter(name), NOON)
    with office() as (post, server):
        started: list[subprocess.Popen[bytes]] = []

        def kill() -> None:
            if len(post.letters) == 4 and len(started) == 1:
                started[0].kill()

        setattr(post, moment, kill)
        while not started or started[-1].wait(60):
            started.append(_another(outbox, server))
            assert len(started) < 5
    assert len(started) == 2
    twice = ["subject m3"] if moment == "at_letter" else []
    assert sorted(post.subjects()) == sorted([*(f"subject {name}" for name in names), *twice])
    assert len({str(post.message(number)["Message-ID"]) for number in range(len(post.letters))}) == 8
    assert [each.state for each in outbox.done()] == ["sent"] * 8


def _another(outbox: Outbox, server: str) -> "subprocess.Popen[bytes]":
    """A process that empties the outbox."""
    ours = os.pathsep.join([LIBRARIES, str(Path(__file__).parents[1])])
    words = [sys.executable, __file__, str(outbox.folder), server]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": ours})


def test_the_postman_waits_for_a_server_that_is_away_and_a_new_password(outbox: Outbox) -> None:
    port = free_port()
    account = open_account(MailSettings(server=f"127.0.0.1:{port}", sender="pi@example.org"))
    postman = Postman(outbox, account, 5 * DAY, lambda: NOON, look=0.05)
    postman.start()
    try:
        outbox.put(slip(), letter(), NOON)
        postman.wake()
        wait_for(lambda: postman.facts()["error"])
        assert postman.facts()["waiting"] == 1
        assert "refused" in postman.facts()["error"]
        with office(port=port) as (post, _):
            postman.renew(outbox, account, 5 * DAY)  # as a reload does: the time of waiting is over
            wait_for(lambda: post.letters)
            wait_for(lambda: not postman.facts()["waiting"])
        assert postman.facts()["error"] == ""
    finally:
        postman.close()


def test_an_end_cuts_off_a_server_that_hangs_and_the_letter_stays(outbox: Outbox) -> None:
    outbox.put(slip(), letter(), NOON)
    with saying(b"220 hi\r\n", hang=True) as server:
        account = open_account(MailSettings(server=server, sender="pi@example.org", timeout=60.0))
        postman = Postman(outbox, account, 5 * DAY, lambda: NOON, look=0.05)
        postman.start()
        wait_for(lambda: postman._sender.line._socket is not None)
        postman.close(0.1)
    (left,) = outbox.waiting()
    assert left.tries == 0


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match="choose another mail.outbox"):
        Outbox(tmp_path / "file" / "x", 1000)


if __name__ == "__main__":
    while not sender(Outbox(Path(sys.argv[1]), 1_000_000), sys.argv[2]).send_due():
        pass
