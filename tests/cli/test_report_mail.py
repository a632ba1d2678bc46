"""Reports by mail, whole: made of a real capture or by the schedule, sent to a real server, and listed."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import talk
from helpers import TIDEGATE, Run, wait_for
from post import office
from tidegate.store.layout import Layout

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return talk.store(tmp_path / "store")


def configured(folder: Path, server: str, store: Path, more: str = "") -> Path:
    file = folder / "tidegate.yml"
    file.write_text(
        f"store: {{path: {store}}}\n"
        f"mail: {{server: '{server}', security: none, to: [me@example.org], sender: t@example.org}}\n{more}"
    )
    return file


def test_a_report_of_a_capture_is_mailed_and_listed(run: Run, store: Path, tmp_path: Path) -> None:
    with office() as (post, server):
        file = configured(tmp_path, server, store)
        done = run("report", "pings", "-r", GOLDEN / "pings.pcap", "-o", "out", "--mail", "--config", file)
        assert done.returncode == 0, done.stderr
        assert "sent to me@example.org" in done.stderr
        message = post.message()
    parts = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert {"pings-by-source.csv", "who-was-pinged.csv"} <= parts.keys()
    page = next(part for part in message.walk() if part.get_content_type() == "text/html").get_content()
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == 1
    assert f"cid:{pictures[0]['Content-ID'].strip('<>')}" in page
    listed = run("report", "list", "--config", file)
    assert "sent" in listed.stdout
    assert "to me@example.org" in listed.stdout
    assert listed.stdout.startswith("times are of ")


def test_what_cannot_be_sent_waits_and_says_so(run: Run, store: Path, tmp_path: Path) -> None:
    file = configured(tmp_path, "127.0.0.1:1", store, "schedule: {zone: Asia/Tokyo}\n")
    done = run("report", "web", "--day", "2026-11-20", "-o", "out", "--mail", "--config", file)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()  # once, though the log would say it, too
    assert first == "tidegate: not sent yet to me@example.org, after 1 try: Connection refused"
    assert second.startswith("tidegate: it is kept in the outbox: tidegate run tries again from ")
    assert second.endswith(" Asia/Tokyo on, tidegate mail retry at once")
    listed = run("report", "list", "--config", file).stdout
    assert listed.startswith("times are of Asia/Tokyo\n")
    assert "waiting" in listed
    again = second.partition(" from ")[2].partition(" Asia/Tokyo")[0]
    assert f"next at {again}" in listed


def test_another_store_has_another_outbox(run: Run, store: Path, tmp_path: Path) -> None:
    file = configured(tmp_path, "127.0.0.1:1", store)
    run("report", "web", "--day", "2026-11-20", "-o", "out", "--mail", "--config", file)
    Layout(tmp_path / "other").create()
    other = ("--store", tmp_path / "other", "--config", file)
    assert run("report", "list", *other).stdout == "no report was mailed yet\n"
    assert run("mail", "retry", *other).stdout == "nothing waits\n"
    file.write_text(file.read_text().partition("\n")[2])
    assert "Connection refused" in run("mail", "retry", "--store", store, "--config", file).stdout


def test_a_running_tidegate_makes_and_mails_it(
    store: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Every minute: by the real clock, so that it takes a minute at most."""
    if os.geteuid():
        pytest.skip("capturing takes root")
    more = (
        "watch: {interfaces: lo}\nprograms: {method: none}\n"
        "schedule: {zone: Europe/Berlin, reports: [{report: pings, at: '* * * * *'}]}\n"
    )
    with office() as (post, server):
        file = configured(tmp_path, server, tmp_path / "live", more)
        words = [*TIDEGATE, "run", "--config", str(file)]
        with subprocess.Popen(
            words, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
        ) as program:
            try:
                wait_for(lambda: post.letters or program.poll() is not None, 110)
            finally:
                program.send_signal(signal.SIGTERM)
                said = program.communicate(timeout=60)[1]
        assert post.letters, said
        message = post.message()
    assert "Pings" in str(message["Subject"])
    assert any(part.get_content_type() == "text/html" for part in message.walk())


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ("to: kim@example.org, text: '{'", "mail.text: "),
        ("to: kim@example.org, subject: '{begin:%Q}'", "mail.subject: write {begin} alone"),
        ("to: kim@example.org, hello: 'a b'", "mail.hello: "),
        ("to: kim@example.org, max_size: 1", "mail.max_size: "),
    ],
)
def test_what_keeps_it_from_being_mailed_is_said_before_it_is_made(
    mail: str, said: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "t.yml"
    file.write_text(f"mail: {{{mail}}}\n")
    done = run("report", "pings", "-r", GOLDEN / "pings.pcap", "-o", "out", "--mail", "--config", file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tidegate: {file}:1: {said}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_outbox_that_takes_nothing_is_told_beside_the_page(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "waiting").symlink_to("/nonexistent/place")
    file.write_text(f"mail: {{to: kim@example.org, outbox: {tmp_path}/box}}\n")
    done = run("report", "pings", "-r", GOLDEN / "pings.pcap", "-o", "out", "--mail", "--config", file)
    assert done.returncode == 1
    assert "tidegate: not mailed: " in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out" / "report.html").exists()
