"""The schedule on a time that only exists here: sleep, jumps, crashes, failures; each time is served once."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tidegate.model.config import ReportTimeSettings, ScheduleSettings, WindowSettings
from tidegate.model.errors import StoreError
from tidegate.schedule.book import Book, BookFile, BrokenBookError, Run, from_json, read_book
from tidegate.schedule.planner import EARLIEST, MOST_TRIES, Plan, begun, due, ended, follow, upcoming
from tidegate.schedule.plans import mistakes, plans
from tidegate.schedule.spans import Interval

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def report(at: str = "daily 06:30", zone: str = "Europe/Berlin", **given: Any) -> list[Plan]:
    settings = ReportTimeSettings(report="pings", at=at, mail=("kim@example.org",), **given)
    return plans(ScheduleSettings(zone=zone, reports=(settings,)))


class World:
    """A book, and what was made by it."""

    def __init__(self, wanted: list[Plan], now: datetime) -> None:
        self.plans = wanted
        self.book = Book("me")
        self.made: list[datetime] = []
        self.look(now)

    def look(self, now: datetime, failing: bool = False) -> list[datetime]:
        """What was made at this moment."""
        follow(self.book, self.plans, now)
        found = due(self.book, self.plans, now)
        for each in found:
            begun(self.book, each, "m", now)
            ended(self.book, each, failing, "", now)
        self.made += [each.slot for each in found]
        return [each.slot for each in found]

    def restart(self) -> None:
        self.book = from_json(json.loads(json.dumps(self.book.to_json())))

    def days(self) -> list[str]:
        return [f"{slot.astimezone(BERLIN):%m-%d %H:%M}" for slot in self.made]


def test_nothing_is_made_up_for_the_time_before_it_was_written_down() -> None:
    world = World(report(), at("2026-11-20 12:00"))
    assert world.look(at("2026-11-20 12:01")) == []
    assert world.look(at("2026-11-21 06:29")) == []
    assert world.look(at("2026-11-21 06:30")) == [at("2026-11-21 06:30")]
    assert world.look(at("2026-11-21 06:31")) == []


@pytest.mark.parametrize("begin", ["2026-03-20", "2026-10-18", "2027-03-20", "2027-10-25"])
def test_two_weeks_of_looks_make_one_a_day(begin: str) -> None:
    for text in ("daily 06:30", "daily 02:30", "daily 00:00"):
        now = at(f"{begin} 12:00")
        world = World(report(text), now)
        for _ in range(14 * 24 * 12):
            now += timedelta(minutes=5)
            world.look(now)
        assert len(world.made) == 14
        assert len({day.split()[0] for day in world.days()}) == 14


def test_of_several_missed_times_the_latest_is_made_up_once() -> None:
    world = World(report(), at("2026-11-20 05:00"))
    world.restart()
    assert world.look(at("2026-11-25 13:00")) == [at("2026-11-25 06:30")]
    world.restart()
    assert world.look(at("2026-11-25 13:01")) == []
    assert world.look(at("2026-11-26 06:30")) == [at("2026-11-26 06:30")]


@pytest.mark.parametrize("back", [timedelta(minutes=5), HOUR, DAY, 30 * DAY])
def test_a_clock_that_is_set_back_repeats_nothing_and_loses_nothing(back: timedelta) -> None:
    now = at("2026-10-01 12:00")
    world = World(report(), now)
    end = at("2026-11-20 07:00")
    while now < end:
        world.look(now)
        now += HOUR / 2
    before = list(world.made)
    assert len(before) == 50
    now = end - back
    while now <= end + 2 * DAY:
        world.look(now)
        now += HOUR / 2
    assert world.made == [*before, end - timedelta(minutes=30) + DAY, end - timedelta(minutes=30) + 2 * DAY]


def test_a_clock_that_jumps_ahead_and_back_loses_nothing() -> None:
    world = World(report(), at("2026-11-20 05:00"))
    assert world.look(at("2036-11-20 12:00")) == [at("2036-11-20 06:30")]
    assert world.look(at("2026-11-20 05:01")) == []
    assert world.look(at("2026-11-20 06:30")) == [at("2026-11-20 06:30")]
    assert world.look(at("2026-11-21 06:30")) == [at("2026-11-21 06:30")]


def test_a_book_begun_by_a_clock_that_was_far_ahead_is_put_right() -> None:
    world = World(report(), at("2036-01-01 00:00"))
    assert world.look(at("2026-11-20 05:00")) == []
    assert world.look(at("2026-11-20 06:30")) == [at("2026-11-20 06:30")]


def test_a_clock_that_is_not_set_yet_is_not_believed() -> None:
    world = World(report(), datetime(1970, 1, 1, tzinfo=UTC))
    assert world.look(datetime(1970, 1, 3, tzinfo=UTC)) == []
    assert world.look(EARLIEST - DAY) == []


def test_what_was_cut_short_is_made_again_but_not_for_ever() -> None:
    now = at("2026-11-20 06:30")
    world = World(report(), at("2026-11-20 05:00"))
    for number in range(MOST_TRIES):
        (found,) = due(world.book, world.plans, now)
        assert found.tries == number
        begun(world.book, found, "m", now)
        world.restart()  # it died in the middle of it
    assert due(world.book, world.plans, now) == []
    assert world.look(now + DAY) == [now + DAY]


def test_a_failure_is_tried_again_with_growing_waits() -> None:
    now = at("2026-11-20 06:30")
    world = World(report(), at("2026-11-20 05:00"))
    tried = []
    for minute in range(12 * 60):
        moment = now + timedelta(minutes=minute)
        tried += [minute for _ in world.look(moment, failing=True)]
    assert tried == [0, 1, 3, 7, 15]
    assert upcoming(world.plans, world.book, now + HOUR) == now + DAY
    world.look(now + DAY, failing=True)
    assert upcoming(world.plans, world.book, now + DAY) == now + DAY + timedelta(minutes=1)
    assert world.look(now + DAY + timedelta(minutes=2)) == [now + DAY]
    assert world.look(now + DAY + HOUR) == []


def test_a_time_that_is_changed_makes_nothing_up() -> None:
    world = World(report("daily 09:00"), at("2026-11-20 06:00"))
    world.plans = report("daily 06:30")
    assert world.look(at("2026-11-20 08:00")) == []
    assert world.look(at("2026-11-21 06:30")) == [at("2026-11-21 06:30")]


def test_what_a_report_covers() -> None:
    slot = at("2026-11-20 06:30")
    (plan,) = report()
    assert (plan.period(slot).begin, plan.period(slot).end) == (slot - DAY, slot)
    (plan,) = report("monthly 1st")
    assert plan.period(at("2026-12-01 00:00")).begin == at("2026-11-01 00:00")
    (plan,) = report(last=3600.0)
    assert plan.period(slot).begin == slot - HOUR
    (plan,) = report(from_="22:00", to="06:00")
    assert (plan.period(slot).begin, plan.period(slot).end) == (
        at("2026-11-19 22:00"),
        at("2026-11-20 06:00"),
    )
    (plan,) = report("weekdays 06:30")
    assert plan.period(at("2026-11-23 06:30")).begin == slot  # Monday's goes back to Friday
    autumn = report()[0].period(at("2026-10-25 06:30"))
    assert autumn.end - autumn.begin == 25 * HOUR


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    ("words", "last"), [("daily 06:30", DAY), ("daily 02:30", DAY), ("0 */6 * * *", 6 * HOUR)]
)
def test_no_hour_is_left_out_when_clocks_change(words: str, last: timedelta, zone: str) -> None:
    (plan,) = report(words, zone=zone, last=last.total_seconds())
    slot, end, changed = plan.when.next(at("2026-01-01 00:00")), at("2028-01-01 00:00"), 0
    while (coming := plan.when.next(slot)) < end:
        begin = plan.period(coming).begin
        assert slot - HOUR <= begin <= slot  # what is before it was in the report before
        assert begin == slot or words == "daily 02:30"  # which is at 03:00 on one day
        changed += coming - begin != last
        slot = coming
    assert changed


def test_what_a_report_says_of_itself_goes_on_from_the_time_before() -> None:
    (plan,) = report()
    slot = at("2026-10-25 06:30")
    assert plan.joined(Interval(slot - DAY, slot)).begin == at("2026-10-24 06:30")
    for other in (Interval(slot - 2 * DAY, slot), Interval(at("2026-10-24 22:00"), at("2026-10-25 06:00"))):
        assert plan.joined(other) == other


def test_a_span_that_is_meant_to_be_short_stays_so() -> None:
    (plan,) = report("every 2h", last=3600.0)
    assert {plan.period(at("2026-10-25 00:00") + 2 * number * HOUR).begin for number in range(4)} == {
        at("2026-10-25 00:00") + (2 * number - 1) * HOUR for number in range(4)
    }


def test_the_book_is_held_by_one_and_outlives_damage(tmp_path: Path) -> None:
    path = tmp_path / "s" / "schedule.json"
    first = BookFile(path)
    with pytest.raises(StoreError, match="another process"):
        BookFile(path)
    follow(first.book, report(), at("2026-11-20 05:00"))
    first.book.entries["pings"].put(Run(1.0, "made", 1, 2.0, 3.0, said="ä\x00", message_id="m"))
    first.save()
    first.close()
    again = BookFile(path)
    assert again.book == first.book
    again.close()
    for text in (
        "",
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 9, "identity": "x", "entries": {}}',
        '{"version": 1, "identity": "x\\r\\nBcc: y", "entries": {}}',
        "[" * 10_000,
        '{"version": 1, "identity": "x", "entries": {"a": {"at": "", "since": 1%s, "runs": []}}}'
        % ("0" * 400),
    ):
        path.write_text(text)
        with pytest.raises(BrokenBookError):
            read_book(path)
        broken = BookFile(path)
        assert broken.book.entries == {}
        broken.close()
        assert path.with_name("schedule.json.broken").read_text() == text


def test_a_pipe_in_its_place_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "schedule.json")
    with pytest.raises(StoreError, match="it is no file"):
        BookFile(tmp_path / "schedule.json")


def test_a_disk_that_is_full_leaves_what_stood_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = BookFile(tmp_path / "schedule.json")
    file.save()
    before = (tmp_path / "schedule.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    follow(file.book, report(), at("2026-11-20 05:00"))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            file.save()
    file.close()
    assert (tmp_path / "schedule.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_every_mistake_has_its_key() -> None:
    good = ReportTimeSettings("pings", "daily 06:30")
    wrong = ScheduleSettings(
        zone="Europe/Berln",
        reports=(
            good,
            ReportTimeSettings("pings", "never"),
            ReportTimeSettings("../x", "daily"),
            ReportTimeSettings("web", "daily", from_="22:00"),
            ReportTimeSettings("web", "daily", name="b", from_="22:00", to="6:00", last=60.0),
        ),
        windows=(WindowSettings("w", "22:00", "26:00"), WindowSettings("w", "1:00", "2:00", days="x")),
    )
    assert [each.key for each in mistakes(wrong)] == [
        ("zone",),
        ("reports", 1, "at"),
        ("reports", 2, "report"),
        ("reports", 3, "to"),
        ("reports", 4, "last"),
        ("windows", 0, "to"),
        ("windows", 1, "days"),
        ("reports", 1, "name"),
        ("windows", 1, "name"),
    ]
    assert list(mistakes(ScheduleSettings(reports=(good,)))) == []
