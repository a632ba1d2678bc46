"""Durations, sizes and counts as people write and read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.errors import UsageError
from tidegate.model.units import (
    counted,
    human_bytes,
    human_count,
    human_duration,
    human_rate,
    parse_duration,
    parse_moment,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("200s", 200), ("5m", 300), ("2h", 7200), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *(("1000", 1000), ("7b", 7), ("64K", 64_000), ("100MB", 10**8), ("1.5k", 1500), ("2t", 2 * 10**12)),
        *(("64Ki", 65536), ("10GiB", 10 << 30), ("1.5 mib", 3 << 19), ("1T", 10**12), ("4.35K", 4350)),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "5 parsecs", "-5s", "1e9", "٣s"])
def test_nonsense_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="write"):
        parse_duration(text)
    with pytest.raises(UsageError, match="write"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 ms"),
        (0.0000352, "35 µs"),
        (0.0012, "1.2 ms"),
        (3.4, "3.40 s"),
        (307, "5m 07s"),
        (7500, "2h 05m"),
        (273_600, "3d 04h"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_960, "1.0 MB"), (2.5e9, "2.5 GB")]
)
def test_bytes_for_people(count: float, text: str) -> None:
    assert human_bytes(count) == text


def test_counts_and_rates() -> None:
    assert human_count(1234567) == "1,234,567"
    assert [counted(number, "row") for number in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert human_rate(812) == "812"
    assert human_rate(2_500_000) == "2.5 M"


@pytest.mark.parametrize(("text", "told"), [("20M", "20.0 MB"), ("1.5 GB", "1.5 GB"), ("64K", "64.0 kB")])
def test_sizes_are_told_as_they_are_written(text: str, told: str) -> None:
    assert human_bytes(parse_size(text)) == told
    assert parse_size(told) == parse_size(text)


@pytest.mark.parametrize("text", ["1i", "5Kib/s", "5ib", "5P", "5bb", "5Mbi"])
def test_what_is_no_size_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="write 1000, 64K, 100M or 10G"):
        parse_size(text)


@given(st.integers(0, 2**63))
def test_sizes_fit_their_column(count: int) -> None:
    assert len(human_bytes(count)) <= 9


@pytest.mark.parametrize("text", ["9" * 400, "99999999999999h", "99999999999T"])
def test_what_no_machine_can_count_is_refused(text: str) -> None:
    parse = parse_size if text.endswith("T") else parse_duration
    with pytest.raises(UsageError, match="at most"):
        parse(text)


NOW = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2026, 11, 20, 10, 0, 5)),
        ("90", datetime(2026, 11, 20, 11, 58, 35)),
        ("2026-11-20", datetime(2026, 11, 20)),
        (" 2026-11-20 14:00 ", datetime(2026, 11, 20, 14)),
        ("2026-11-20T14:00:05Z", datetime(2026, 11, 20, 14, 0, 5)),
        ("2026-11-20T14:00:05+01:00", datetime(2026, 11, 20, 13, 0, 5)),
        ("1700-01-01", datetime(1700, 1, 1)),
    ],
)
def test_moments_are_utc(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "now", "-2h", "2026-02-30", "14:00", "1699-12-31", "9999-12-31", "-" * 500]
)
def test_what_is_no_moment_is_said_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="write") as refusal:
        parse_moment(text, NOW)
    assert len(str(refusal.value)) < 120
