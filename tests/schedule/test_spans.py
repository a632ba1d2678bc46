"""Spans of the day: over midnight, over days of the week, over the changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tidegate.model.errors import SettingError, UsageError
from tidegate.schedule.spans import parse_clock, parse_days, parse_span

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    night = parse_span("22:00", "06:00", "weekdays", BERLIN)
    friday = night.current(at("2026-11-21 05:59"))  # a Saturday
    assert friday is not None
    assert (friday.begin, friday.end) == (at("2026-11-20 22:00"), at("2026-11-21 06:00"))
    assert night.current(at("2026-11-21 06:00")) is None
    assert night.current(at("2026-11-21 23:00")) is None
    assert night.next(at("2026-11-21 06:00")).begin == at("2026-11-23 22:00")
    assert night.last(at("2026-11-23 21:00")) == friday
    assert night.last(at("2026-11-21 06:00")) == friday


@pytest.mark.parametrize(
    ("zone", "spring", "autumn"),
    [(BERLIN, "2026-03-28", "2026-10-24"), (BERLIN, "2027-03-27", "2027-10-30"),
     (NEW_YORK, "2026-03-07", "2026-10-31"), (NEW_YORK, "2027-03-13", "2027-11-06")],
)  # fmt: skip
def test_nights_of_a_change_are_an_hour_shorter_or_longer(zone: ZoneInfo, spring: str, autumn: str) -> None:
    night = parse_span("22:00", "06:00", "daily", zone)
    for day, hours in ((spring, 7), (autumn, 9)):
        found = night.current(at(f"{day} 23:00", zone))
        assert found is not None
        assert found.end - found.begin == timedelta(hours=hours)
        assert night.next(found.begin).begin == at(f"{day} 22:00", zone) + timedelta(hours=16 + hours)


def test_an_end_within_a_change_loses_nothing() -> None:
    early = parse_span("00:00", "02:30", "daily", BERLIN)
    autumn = early.current(at("2026-10-25 01:00"))
    assert autumn is not None
    assert autumn.end == at("2026-10-25 02:30", fold=1)
    assert early.current(at("2026-10-25 02:15", fold=1)) == autumn
    spring = early.current(at("2026-03-29 01:00"))
    assert spring is not None
    assert spring.end == at("2026-03-29 03:00")
    gap = parse_span("02:10", "02:50", "daily", BERLIN)
    assert gap.next(at("2026-03-28 12:00")).begin == at("2026-03-30 02:10")


def test_days_of_the_week() -> None:
    assert parse_days("daily") == frozenset(range(7))
    assert parse_days("weekdays") == {1, 2, 3, 4, 5}
    assert parse_days("mon, wed-fri") == {1, 3, 4, 5}
    assert parse_days("fri-mon") == {5, 6, 0, 1}
    assert parse_days("Sundays weekends") == {0, 6}
    for wrong in ("", "someday", "mon-", "-", "mon-x", "\x1b[31m"):
        with pytest.raises(UsageError, match="no day"):
            parse_days(wrong) if wrong != "mon-" else parse_days("x-mon")


def test_times_of_day() -> None:
    assert parse_clock("6:05") == time(6, 5)
    assert parse_clock(" 22:00:30 ") == time(22, 0, 30)
    for wrong in ("24:00", "6", "6:5", "22.00", "", "1320", "\u0662\u0662:\u0660\u0660"):
        with pytest.raises(UsageError, match="no time of day"):
            parse_clock(wrong)


@pytest.mark.parametrize(
    ("given", "key"),
    [(("x", "06:00", "daily"), "from"), (("22:00", "x", "daily"), "to"), (("22:00", "06:00", "x"), "days")],
)
def test_mistakes_have_their_key(given: tuple[str, str, str], key: str) -> None:
    with pytest.raises(SettingError) as refused:
        parse_span(*given, BERLIN)
    assert refused.value.key == (key,)
