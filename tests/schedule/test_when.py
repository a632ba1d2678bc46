"""Times of plain words and of cron, through the changes of the clock in 2026 and 2027."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.model.errors import UsageError
from tidegate.schedule.when import When, parse_when

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SPRING = {BERLIN: ("2026-03-29", "2027-03-28"), NEW_YORK: ("2026-03-08", "2027-03-14")}
AUTUMN = {BERLIN: ("2026-10-25", "2027-10-31"), NEW_YORK: ("2026-11-01", "2027-11-07")}
CHANGES = [(zone, day) for kind in (SPRING, AUTUMN) for zone, days in kind.items() for day in days]
ANYWHERE = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"]
EXPRESSIONS = [
    "daily 00:00", "daily 01:30", "daily 02:00", "daily 02:30", "daily 03:00", "daily 06:30", "hourly",
    "hourly :30", "every 15m", "every 6h", "weekends 02:30", "monthly 1st 02:30", "monthly last",
    "*/30 1-3 * * *", "30 2 * * 0",
]  # fmt: skip


def at(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def times(when: When, begin: datetime, end: datetime) -> list[datetime]:
    found = []
    for each in when.after(begin):
        if each > end:
            return found
        found.append(each)
    return found


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("daily 06:30", "30 6 * * *"),
        ("daily", "0 0 * * *"),
        ("every day at 6:30", "30 6 * * *"),
        ("weekdays 07:00", "0 7 * * 1-5"),
        ("weekends at 09:15", "15 9 * * 0,6"),
        ("monthly 1st", "0 0 1 * *"),
        ("monthly on the 15th at 06:00", "0 6 15 * *"),
        ("monthly last 23:00", "0 23 L * *"),
        ("monthly", "0 0 1 * *"),
        ("weekly", "0 0 * * 1"),
        ("weekly sunday 05:00", "0 5 * * 0"),
        ("Mondays, Thursdays 08:00", "0 8 * * 1,4"),
        ("mon, wed and fri 08:00", "0 8 * * 1,3,5"),
        ("hourly", "0 * * * *"),
        ("hourly :20", "20 * * * *"),
        ("every 15m", "*/15 * * * *"),
        ("every 6h", "0 */6 * * *"),
        ("30 6 * * 1-5", "30 6 * * 1-5"),
        ("0,30 6 1,15 * 1,3,5", "0,30 6 1,15 * 1,3,5"),
        ("mon-fri 08:00", "0 8 * * 1,2,3,4,5"),
        ("fri-mon, wed 8:00", "0 8 * * 0,1,3,5,6"),
        ("every hour", "0 * * * *"),
        ("every 15 minutes", "*/15 * * * *"),
        ("every 6 hours", "0 */6 * * *"),
        ("  0  6  1  *  * ", "0 6 1 * *"),
    ],
)
def test_plain_words_and_cron(text: str, cron: str) -> None:
    assert parse_when(text, BERLIN).cron == cron


@pytest.mark.parametrize(
    ("text", "said"),
    [("every 7m", "every 5m"), ("every 90 minutes", "part of an hour"), ("every 7h", "part of a day"),
     ("Every 0h", "every 2h")],
)  # fmt: skip
def test_what_would_come_at_other_times_each_day_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="is no time: it has to be part of") as refused:
        parse_when(text, BERLIN)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", " ", "06:30", "daily 25:00", "daily 6", "never", "monthly 32nd", "monthly 0",
     "0 0 30 2 *", "99 * * * *", "* * * *", "* * * * * *", "0 0 * * 9", "mon fun 08:00",
     "weekly weekly", "hourly 06:30",
     "\x1b]52;c;x\x07", "a" * 5000, "1,,2 * * * *", "*/0 * * * *", "5-1 * * * *"],
)  # fmt: skip
def test_what_is_no_time_is_said_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="is no time") as refused:
        parse_when(text, BERLIN)
    assert "daily 06:30" in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_a_daily_time_comes_once_a_day_over_every_change(zone: ZoneInfo, day: str) -> None:
    noon = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=zone)  # whose days are those of the calendar
    begin, end = noon - timedelta(days=3), noon + timedelta(days=4)
    for text in ("daily 00:00", "daily 01:30", "daily 02:00", "daily 02:30", "daily 03:00", "daily 06:30"):
        found = times(parse_when(text, zone), begin.astimezone(UTC), end.astimezone(UTC))
        days = [each.astimezone(zone).date() for each in found]
        assert days == sorted(set(days))
        assert len(days) == 7
        clock = text.split()[1]
        shown = {f"{each.astimezone(zone):%H:%M}" for each in found}
        assert shown <= {clock, "03:00"}
        if clock in ("00:00", "06:30"):
            assert shown == {clock}


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in SPRING.items() for day in days])
def test_a_time_that_spring_leaves_out_comes_right_after_the_gap(zone: ZoneInfo, day: str) -> None:
    found = parse_when("daily 02:30", zone).next(at(day, zone))
    assert found == at(f"{day} 03:00", zone)


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in AUTUMN.items() for day in days])
def test_a_time_that_autumn_shows_twice_comes_the_first_time(zone: ZoneInfo, day: str) -> None:
    shown = f"{day} 02:30" if zone is BERLIN else f"{day} 01:30"
    when = parse_when(f"daily {shown[-5:]}", zone)
    first, second = at(shown, zone), at(shown, zone, fold=1)
    assert second - first == timedelta(hours=1)
    tomorrow = when.next(first)
    assert tomorrow - first == timedelta(hours=25)
    for minutes in range(0, 180, 10):
        now = first + timedelta(minutes=minutes)
        assert when.latest(now) == first
        assert when.next(now) == tomorrow


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_hour_comes_every_hour(zone: ZoneInfo, day: str) -> None:
    begin = at(day, zone) - timedelta(hours=3)
    found = times(parse_when("hourly :30", zone), begin, begin + timedelta(hours=48))
    assert [each - found[0] for each in found] == [timedelta(hours=number) for number in range(48)]


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_latest_and_next_agree_at_every_moment_of_a_change(text: str, zone: ZoneInfo, day: str) -> None:
    """Both are held against one walk over days that knows nothing of the moment that is asked about."""
    when, begin = parse_when(text, zone), at(day, zone) - timedelta(days=40)
    walked = times(when, begin, at(day, zone) + timedelta(days=40))
    for minutes in range(-60, 300, 30):
        now = at(day, zone) + timedelta(minutes=minutes, seconds=7)
        assert when.latest(now) == max(each for each in walked if each <= now)
        assert when.next(now) == min(each for each in walked if each > now)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"]
    ),
    st.integers(1_767_225_600, 1_900_000_000),
)
def test_anywhere_and_at_any_time_nothing_lies_between_latest_and_next(
    text: str, zone: str, second: int
) -> None:
    when, now = parse_when(text, ZoneInfo(zone)), datetime.fromtimestamp(second, UTC)
    latest, following = when.latest(now), when.next(now)
    assert latest is not None
    assert latest <= now < following
    assert when.next(latest) == following
    assert when.latest(following) == following
