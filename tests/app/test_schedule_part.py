"""The schedule of a running Tidegate on a virtual clock: reports that work and fail; mail sent once."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from documents import report
from helpers import wait_for
from post import Post, office
from tidegate.app import schedule_part
from tidegate.app.schedule_part import Scheduler
from tidegate.app.timetable import Timetable, Wanted, wanted
from tidegate.model.config import Config, MailSettings, ReportTimeSettings, ScheduleSettings, StoreSettings
from tidegate.model.document import Document
from tidegate.model.errors import CaptureError, SettingError, StoreError, UsageError
from tidegate.schedule.planner import Due
from tidegate.schedule.plans import plans

MORNING = datetime(2026, 11, 20, 6, 30, tzinfo=UTC).timestamp()
DAY = 86_400.0
PINGS = ReportTimeSettings(report="pings", at="daily 06:30")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets it look often at a clock that jumps."""
    monkeypatch.setattr(schedule_part, "LOOK", 0.02)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = MORNING - 3600) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Maker:
    """Makes reports, or fails."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def __call__(self, due: Due, message_id: str) -> str:
        if self.error:
            raise self.error
        self.made.append((due.plan.name, message_id))
        return "well"


def scheduler(place: Path, make: Maker, clock: Clock, *reports: ReportTimeSettings) -> Scheduler:
    wanted = plans(ScheduleSettings(zone="UTC", reports=reports or (PINGS,)))
    return Scheduler(place / "schedule.json", wanted, make, clock)


def test_a_report_is_made_at_its_time_and_once(tmp_path: Path) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock, PINGS, replace(PINGS, report="web", at="daily 06:00"))
    for clock.now in (MORNING - 3600, MORNING - 1, MORNING, MORNING + 1, MORNING - 50, MORNING + 2):
        part.look()
    assert [name for name, _ in make.made] == ["web", "pings"]
    assert make.made[1][1].startswith("report.pings.20261120T063000Z.")
    assert part.facts() == {
        "name": "schedule",
        "error": "",
        "failures": 0,
        "said": "next at 2026-11-21 06:00 UTC",
    }
    assert [each["made"] for each in part.reports()] == [MORNING, MORNING - 1]
    part.close()


def test_what_becomes_due_while_another_is_made_is_made_next(tmp_path: Path) -> None:
    clock = Clock()
    made: list[str] = []

    def make(due: Due, _message_id: str) -> str:
        made.append(due.plan.name)
        clock.now += 600  # it takes so long
        return "well"

    wanted = plans(
        ScheduleSettings(zone="UTC", reports=(PINGS, replace(PINGS, report="web", at="daily 06:35")))
    )
    part = Scheduler(tmp_path / "schedule.json", wanted, make, clock)
    part.look()
    clock.now = MORNING
    part.look()
    part.look()
    assert made == ["pings", "web"]
    part.close()


def test_what_was_cut_short_is_made_again_under_the_same_name(tmp_path: Path) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock)
    part.look()
    clock.now = MORNING
    make.error = KeyboardInterrupt()  # as if the process died here
    with pytest.raises(KeyboardInterrupt):
        part.look()
    part.close()
    written = json.loads((tmp_path / "schedule.json").read_text())
    (run,) = written["entries"]["pings"]["runs"]
    assert run["state"] == "running"
    make.error = None
    again = scheduler(tmp_path, make, clock)
    again.look()
    again.look()
    assert [message_id for _, message_id in make.made] == [run["message_id"]]
    again.close()


@pytest.mark.parametrize(
    "error",
    [CaptureError("no"), OSError(28, "No space left on device"), MemoryError(), ValueError("\x1b[2J")],
)
def test_a_report_that_fails_is_said_and_made_again(error: Exception, tmp_path: Path) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock)
    part.look()
    clock.now, make.error = MORNING, error
    part.look()
    assert part.reports() == [{"name": "pings", "made": None, "failed": True}]
    (run,) = part._file.book.entries["pings"].runs
    assert run.said.isprintable()
    assert run.said
    part.look()
    assert part.failures == 1
    clock.now, make.error = MORNING + 60, None
    part.look()
    assert part.reports() == [{"name": "pings", "made": MORNING + 60, "failed": False}]
    part.close()


def test_what_cannot_be_written_down_is_not_made_and_stays_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock)
    part.look()
    clock.now = MORNING

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        for _ in range(20):
            with pytest.raises(StoreError):
                part.look()
            part._seen = None
    assert make.made == []
    part.look()
    assert len(make.made) == 1
    part.close()


def test_a_report_made_up_says_for_when(tmp_path: Path) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock)
    part.look()
    clock.now = MORNING + 5 * DAY + 7200
    part.look()
    assert len(make.made) == 1
    assert part._file.book.entries["pings"].runs[-1].said == "made up for 2026-11-25 06:30 UTC; well"
    part.close()


def test_two_processes_do_not_serve_one_schedule(tmp_path: Path) -> None:
    part = scheduler(tmp_path, Maker(), Clock())
    with pytest.raises(StoreError, match="another process serves this schedule"):
        scheduler(tmp_path, Maker(), Clock())
    part.close()
    scheduler(tmp_path, Maker(), Clock()).close()


def test_the_thread_looks_follows_other_plans_and_ends(tmp_path: Path) -> None:
    make, clock = Maker(), Clock()
    part = scheduler(tmp_path, make, clock)
    part.start()
    wait_for(lambda: part._seen)
    clock.now = MORNING
    wait_for(lambda: len(make.made) == 1)
    part.renew(plans(ScheduleSettings(zone="UTC", reports=(replace(PINGS, at="daily 06:45"),))), make)
    wait_for(lambda: "06:45" in part.facts()["said"])
    clock.now = MORNING + 900
    wait_for(lambda: len(make.made) == 2)
    part.close()
    assert not [each for each in threading.enumerate() if each.name == "tidegate-schedule"]


@pytest.fixture
def mail() -> Iterator[tuple[Post, str]]:
    with office() as given:
        yield given


def config(server: str, store: Path, *reports: ReportTimeSettings, **given: Any) -> Config:
    mail = MailSettings(server=server, sender="pi@example.org", to=("kim@example.org",), **given)
    schedule = ScheduleSettings(zone="UTC", reports=reports or (PINGS,))
    return Config(mail=mail, schedule=schedule, store=StoreSettings(path=str(store)))


def looked_at(server: str, store: Path, *reports: ReportTimeSettings) -> Wanted:
    return wanted(config(server, store, *reports), None)


class Builder:
    """Makes documents, and notes for which span; or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime, datetime]] = []
        self.wrong: dict[str, str] = {}
        self.faults: tuple[str, ...] = ()

    def build(self, name: str, begin: datetime, end: datetime) -> Document:
        if name in self.wrong:
            raise UsageError(self.wrong[name])
        self.asked.append((name, begin, end))
        return report(name, begin=begin, end=end, faults=self.faults)

    def covers(self, name: str, moment: datetime) -> None:
        return None

    def broken(self, config: Config) -> dict[str, str]:
        return self.wrong


def no_capture(_: object) -> Any:
    raise AssertionError("nothing is captured here")


def test_a_due_report_is_built_kept_and_mailed(mail: tuple[Post, str], tmp_path: Path) -> None:
    post, server = mail
    build, clock = Builder(), Clock()
    pages = replace(PINGS, from_="22:00", to="06:00", folder=str(tmp_path / "pages"), subject="{report}!")
    timetable = Timetable(no_capture, build, clock)
    timetable.follow(looked_at(server, tmp_path / "s", pages))
    wait_for(lambda: timetable._scheduler and timetable._scheduler._seen)
    clock.now = MORNING + 1
    wait_for(lambda: post.letters)
    wait_for(lambda: timetable.reports()[0]["made"])
    night = (datetime(2026, 11, 19, 22, tzinfo=UTC), datetime(2026, 11, 20, 6, tzinfo=UTC))
    assert build.asked == [("pings", *night)]
    assert post.subjects() == ["pings!"]
    assert (tmp_path / "pages" / "pings-20261120-0630.html").read_text().startswith("<!doctype html>")
    assert {part["name"] for part in timetable.parts()} == {"schedule", "mail"}
    timetable.close()


def _failed(part: Scheduler) -> int:
    """Tries of the report `web` whose end is written down."""
    runs = part._file.book.entries["web"].runs
    return runs[-1].tries if runs and runs[-1].state == "failed" else 0


def test_a_broken_file_of_a_report_is_told_in_log_status_and_mail(
    mail: tuple[Post, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    post, server = mail
    build, clock = Builder(), Clock()
    build.wrong = {"web": 'web.yml:3: unknown key "titel"'}
    timetable = Timetable(no_capture, build, clock)
    timetable.follow(looked_at(server, tmp_path / "s", PINGS, replace(PINGS, report="web")))
    part = timetable._scheduler
    assert part is not None
    assert "web cannot be made as its file is: web.yml:3" in caplog.text
    assert 'web: web.yml:3: unknown key "titel"' in part.facts()["error"]
    wait_for(lambda: part._seen)
    for tries, minute in enumerate((0, 2, 5, 12, 25), 1):
        clock.now = MORNING + 60 * minute + 1
        wait_for(lambda: _failed(part) == tries)  # noqa: B023
    wait_for(lambda: len(post.letters) == 2)
    assert len(build.asked) == 1  # the other one came all the same
    told = post.message(1)
    assert str(told["Subject"]).endswith("] web could not be made")
    text = told.get_body(("plain",)).get_content()
    assert 'web.yml:3: unknown key "titel"' in text
    assert "tidegate report web --mail" in text
    build.wrong = {}
    clock.now = MORNING + DAY + 1
    wait_for(lambda: len(post.letters) == 4)
    wait_for(lambda: not part.facts()["error"])
    timetable.close()


def test_what_of_a_report_could_not_be_made_is_told(
    mail: tuple[Post, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    post, server = mail
    build, clock = Builder(), Clock()
    build.faults = ('section "Mine": SQL: nope',)
    timetable = Timetable(no_capture, build, clock)
    timetable.follow(looked_at(server, tmp_path / "s"))
    part = timetable._scheduler
    assert part is not None
    wait_for(lambda: part._seen)
    clock.now = MORNING + 1
    wait_for(lambda: post.letters)
    wait_for(lambda: part.reports()[0]["made"])
    assert part._file.book.entries["pings"].runs[-1].said.endswith('; section "Mine": SQL: nope')
    assert 'schedule: pings: section "Mine": SQL: nope' in caplog.text
    timetable.close()


def test_over_crashes_and_a_clock_that_is_set_back_each_report_arrives_once(
    mail: tuple[Post, str], tmp_path: Path
) -> None:
    post, server = mail
    build, clock = Builder(), Clock()
    asked = looked_at(server, tmp_path / "s")
    book = tmp_path / "s" / "schedule.json"

    def live(*moments: float) -> None:
        """A life of the program: it looks at these moments, and the postman empties the outbox."""
        timetable = Timetable(no_capture, build, clock)
        clock.now = moments[0]
        timetable.follow(asked)
        assert timetable._scheduler is not None
        for clock.now in moments:
            moment = clock.now
            wait_for(lambda: timetable._scheduler and timetable._scheduler._seen, 30)
            timetable._scheduler.renew(asked.plans, timetable._scheduler._make)
            seen = timetable._scheduler
            wait_for(lambda: seen._seen is not None and seen._seen.timestamp() == moment)  # noqa: B023
        wait_for(lambda: timetable._postman and not timetable._postman.facts()["waiting"])
        timetable.close()

    live(MORNING - 60, MORNING)
    before = book.read_text()
    live(MORNING + 60, MORNING - 60, MORNING + 1)  # set back by two minutes
    assert len(post.letters) == 1
    data = json.loads(before)
    data["entries"]["pings"]["runs"][-1]["state"] = "running"  # as if it had died after the letter was put in
    book.write_text(json.dumps(data))
    live(MORNING + 120)
    assert len(build.asked) == 1
    live(MORNING + DAY, MORNING, MORNING + DAY + 1)
    wait_for(lambda: len(post.letters) == 2)
    names = [post.message(number)["Message-ID"] for number in range(2)]
    assert len(set(names)) == 2
    assert len(build.asked) == 2


def test_what_keeps_mail_from_being_sent_is_found_before_anything_begins(tmp_path: Path) -> None:
    good = config("localhost:25", tmp_path)
    for wrong, key in (
        (
            replace(good, mail=replace(good.mail, user="kim", password_file="/not/there")),
            ("mail", "password_file"),
        ),
        (replace(good, schedule=ScheduleSettings(zone="x")), ("schedule", "zone")),
    ):
        with pytest.raises(SettingError) as refused:
            wanted(wrong, None)
        assert refused.value.key == key
    assert wanted(Config(), tmp_path).account is None


def test_nothing_runs_where_nothing_is_asked_for(tmp_path: Path) -> None:
    timetable = Timetable(no_capture, Builder())
    timetable.follow(wanted(Config(), tmp_path / "s"))
    assert timetable.parts() == timetable.reports() == []
    timetable.close()
    assert not (tmp_path / "s").exists()
