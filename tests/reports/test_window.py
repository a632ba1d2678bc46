"""Windows by the clock on the wall, over all four changes of two years."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.errors import UsageError
from tidegate.reports.window import Window, between, last, made_at, month, of_day, parse_window, spanned

BERLIN, NEW_YORK, UTC_ = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def utc(window: Window) -> tuple[str, str]:
    return (f"{window.begin.astimezone(UTC):%m-%d %H:%M}", f"{window.end.astimezone(UTC):%m-%d %H:%M}")


def earlier(window: Window) -> tuple[str, str]:
    return (
        f"{window.before.astimezone(UTC):%m-%d %H:%M}",
        f"{window.before_end.astimezone(UTC):%m-%d %H:%M}",
    )


def test_the_latest_night_that_is_over() -> None:
    night = parse_window("22:00-06:00", NOW, BERLIN)
    assert utc(night) == ("11-19 21:00", "11-20 05:00")
    assert earlier(night) == ("11-18 21:00", "11-19 05:00")
    at_night = datetime(2026, 11, 20, 2, tzinfo=BERLIN)
    assert utc(parse_window("22:00 to 06:00", at_night, BERLIN)) == ("11-18 21:00", "11-19 05:00")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, "2026-03-29", 7),
        (BERLIN, "2026-10-25", 9),
        (BERLIN, "2027-03-28", 7),
        (BERLIN, "2027-10-31", 9),
        (NEW_YORK, "2026-03-08", 7),
        (NEW_YORK, "2026-11-01", 9),
        (NEW_YORK, "2027-03-14", 7),
        (NEW_YORK, "2027-11-07", 9),
    ],
)
def test_nights_and_days_in_which_clocks_are_changed(zone: ZoneInfo, day: str, hours: int) -> None:
    morning = datetime.fromisoformat(f"{day} 08:00").replace(tzinfo=zone)
    night = between("22:00", "06:00", morning, zone)
    assert night.seconds == hours * 3600
    assert (night.before_end.timestamp() - night.before.timestamp()) == 8 * 3600
    assert (night.begin.hour, night.end.hour, night.before.hour, night.before_end.hour) == (22, 6, 22, 6)
    evening = morning + timedelta(days=2)
    assert of_day(day, evening, zone).seconds == (hours + 16) * 3600
    assert last("24h", morning, zone).seconds == 86400


def test_an_hour_that_is_there_twice_or_not_at_all() -> None:
    noon = datetime(2026, 10, 25, 12, tzinfo=BERLIN)
    assert utc(between("02:30", "02:45", noon, BERLIN)) == ("10-25 00:30", "10-25 01:45")
    noon = datetime(2026, 3, 29, 12, tzinfo=BERLIN)
    assert utc(between("01:00", "02:30", noon, BERLIN)) == ("03-29 00:00", "03-29 01:30")


def test_days() -> None:
    assert utc(of_day("yesterday", NOW, BERLIN)) == ("11-18 23:00", "11-19 23:00")
    today = of_day("today", NOW, BERLIN)
    assert utc(today) == ("11-19 23:00", "11-20 09:30")
    assert earlier(today) == ("11-18 23:00", "11-19 09:30")
    assert utc(parse_window("2026-11-01", NOW, NEW_YORK)) == ("11-01 04:00", "11-02 05:00")


def test_a_month_so_far_against_the_one_before() -> None:
    window = month(datetime(2026, 3, 30, 12, tzinfo=BERLIN), BERLIN, 31)
    assert f"{window.begin:%m-%d %H:%M}" == "02-28 00:00"
    assert window.whole_end is not None
    assert f"{window.whole_end:%m-%d %H:%M}" == "03-31 00:00"
    assert f"{window.before:%m-%d}" == "01-31"
    assert window.before_end.timestamp() == window.begin.timestamp()  # that month was shorter
    first = month(NOW, UTC_, 1)
    assert (first.begin.day, earlier(first)) == (1, ("10-01 00:00", "10-20 09:30"))


def test_the_moment_in_which_a_month_begins_belongs_to_the_one_before() -> None:
    first = month(datetime(2026, 12, 1, tzinfo=BERLIN), BERLIN, 1)
    assert (f"{first.begin:%m-%d %H:%M}", f"{first.end:%m-%d %H:%M}") == ("11-01 00:00", "12-01 00:00")
    assert first.whole_end == first.end
    assert earlier(first) == ("09-30 22:00", "10-31 23:00")
    assert month(datetime(2026, 12, 1, 0, 0, 1, tzinfo=BERLIN), BERLIN, 1).seconds == 1


def test_a_report_made_on_the_reset_day_is_of_the_month_that_is_over() -> None:
    for hour in (0, 6, 23):
        made = made_at("month", datetime(2026, 12, 1, hour, 30, tzinfo=BERLIN), BERLIN)
        assert (f"{made.begin:%m-%d %H:%M}", f"{made.end:%m-%d %H:%M}") == ("11-01 00:00", "12-01 00:00")
        assert spanned(made.begin, made.end, "month", BERLIN) == made
    late = made_at("month", datetime(2026, 12, 2, 0, 30, tzinfo=BERLIN), BERLIN)
    assert f"{late.begin:%m-%d}" == "12-01"
    night = datetime(2026, 12, 1, 6, 30, tzinfo=BERLIN)
    assert made_at("22:00-06:00", night, BERLIN) == parse_window("22:00-06:00", night, BERLIN)


def test_moments_with_a_date() -> None:
    window = between("2026-11-19 22:00", "06:00", NOW, BERLIN)
    assert utc(window) == ("11-19 21:00", "11-20 05:00")
    assert utc(between("2026-11-19T22:00+00:00", None, NOW, BERLIN)) == ("11-19 22:00", "11-20 09:30")
    assert utc(between(None, "2026-11-19", NOW, UTC_)) == ("11-18 00:00", "11-19 00:00")
    week = between("2026-11-12", "2026-11-19", NOW, BERLIN)
    assert earlier(week) == ("11-04 23:00", "11-11 23:00")


@pytest.mark.parametrize(
    "words",
    ["", "tonight", "25:00-06:00", "22:00-06:61", "last", "last 0s", "last 500d", "last -2h", "2026-13-01",
     "9999-12-31", "0001-01-01", "2027-01-01", "22:00-", "last \u0661h"],
)  # fmt: skip
def test_what_is_no_window_is_said(words: str) -> None:
    with pytest.raises(UsageError):
        parse_window(words, NOW, BERLIN)


@pytest.mark.parametrize(
    ("begin", "end"),
    [("2026-11-20", "2026-11-19"), ("2020-01-01", None), ("x", None), (None, "y"), ("2027-01-01", None),
     ("9999-12-31 23:59", None), ("0001-01-01", "0001-01-02")],
)  # fmt: skip
def test_what_is_no_stretch_is_said(begin: str | None, end: str | None) -> None:
    with pytest.raises(UsageError):
        between(begin, end, NOW, BERLIN)


@given(
    moment=st.datetimes(datetime(2026, 1, 2), datetime(2028, 1, 1)),
    begin=st.times(),
    end=st.times(),
    zone=st.sampled_from([BERLIN, NEW_YORK, UTC_, ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_a_window_is_over_and_no_longer_than_a_day(moment, begin, end, zone) -> None:  # type: ignore[no-untyped-def]
    now = moment.replace(tzinfo=UTC)
    window = between(f"{begin:%H:%M}", f"{end:%H:%M}", now, zone)
    assert window.end.timestamp() <= now.timestamp() + 1
    assert now.timestamp() - window.end.timestamp() <= 26 * 3600
    assert 0 < window.seconds <= 25 * 3600
    assert window.before.timestamp() < window.before_end.timestamp() <= window.end.timestamp()


def test_a_day_that_a_zone_left_out_is_none() -> None:
    apia = ZoneInfo("Pacific/Apia")
    with pytest.raises(UsageError, match="no day: Pacific/Apia had none of that date"):
        of_day("2011-12-30", datetime(2026, 1, 1, tzinfo=apia), apia)
    assert of_day("2011-12-31", datetime(2026, 1, 1, tzinfo=apia), apia).seconds == 86400
