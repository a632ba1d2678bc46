"""Windows: what counts, what is too old, and their edges."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.alerts.clock import MOST_AHEAD, SECOND, TOLERANCE, Clock
from tidegate.alerts.window import SLOTS, Distinct, Month, Sum, period_of

W = 120 * SECOND


def test_what_is_older_than_the_window_does_not_count() -> None:
    window = Sum(W)
    window.add(W, W, 5)
    assert window.value(W) == 5
    assert window.value(2 * W - 1) == 5
    assert window.value(2 * W) == 0


def test_what_comes_late_counts_as_long_as_the_window_has_its_time() -> None:
    window, now = Sum(W), 10 * W
    assert window.add(now, now - W + SECOND, 1)
    assert not window.add(now, now - W, 1)
    assert window.value(now) == 1
    assert window.value(now + SECOND) == 0


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 250), st.integers(0, 50)), min_size=1, max_size=80)
)
def test_the_sum_is_that_of_the_steps_within(events: list[tuple[int, int, int]]) -> None:
    """Against the plain sum over all events, in steps of a second."""
    window, now, kept = Sum(W), 1000 * SECOND, []
    for passed, ago, amount in events:
        now += passed * SECOND
        at = now - ago * SECOND
        window.add(now, at, amount)
        kept.append((at, amount))
        assert window.value(now) == sum(amount for at, amount in kept if at > now - SLOTS * SECOND)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=1, max_size=80))
def test_different_things_are_those_within(events: list[tuple[int, int]]) -> None:
    window, now, last = Distinct(W, 1000), 1000 * SECOND, {}
    for passed, item in events:
        now += passed * SECOND
        window.add(now, now, 1, item)
        last[item] = now
        assert window.value(now) == sum(at > now - W for at in last.values())


def test_a_set_is_bounded() -> None:
    window = Distinct(W, 100)
    for item in range(1000):
        window.add(W, W, 1, item)
    assert window.value(W) == 100
    assert len(window) == 100
    assert not window.add(3 * W, W, 1, 5)


def ns(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[misc]


@pytest.mark.parametrize(
    ("now", "day", "begun"),
    [
        (ns(2026, 11, 20), 1, ns(2026, 11, 1)),
        (ns(2026, 11, 20), 20, ns(2026, 11, 20)),
        (ns(2026, 11, 19, 23, 59, 59), 20, ns(2026, 10, 20)),
        (ns(2026, 1, 5), 10, ns(2025, 12, 10)),
        (ns(2026, 2, 28), 31, ns(2026, 2, 28)),
        (ns(2026, 2, 27), 31, ns(2026, 1, 31)),
        (ns(2028, 2, 28), 31, ns(2028, 1, 31)),
        (ns(2028, 2, 29), 30, ns(2028, 2, 29)),
        (ns(2026, 3, 30), 31, ns(2026, 2, 28)),
        (ns(1970, 1, 1), 1, 0),
    ],
)
def test_a_period_begins_on_its_day(now: int, day: int, begun: int) -> None:
    assert period_of(now, day) == begun


def test_a_month_begins_anew_once() -> None:
    month = Month(15)
    month.add(ns(2026, 11, 14), 0, 100)
    assert month.value(ns(2026, 11, 14, 23)) == 100
    assert month.value(ns(2026, 11, 15)) == 0
    month.add(ns(2026, 11, 15), 0, 5)
    assert month.value(ns(2026, 11, 14)) == 5, "a clock that goes back brings no month back"


def test_time_only_goes_forward() -> None:
    clock = Clock()
    assert clock.row(100 * SECOND) == 100 * SECOND
    assert clock.row(50 * SECOND) == 50 * SECOND
    assert clock.now == 100 * SECOND


def test_a_wall_clock_set_back_is_read_with_an_offset() -> None:
    clock = Clock()
    clock.tick(1000 * SECOND)
    clock.tick(400 * SECOND)
    assert clock.now == 1000 * SECOND
    assert clock.row(401 * SECOND) == 1001 * SECOND
    assert clock.shown(clock.now) == 401 * SECOND
    clock.tick(402 * SECOND)
    assert clock.now == 1002 * SECOND
    clock.tick(402 * SECOND - TOLERANCE)
    assert clock.now == 1002 * SECOND
    clock.tick(2000 * SECOND)
    assert clock.shown(clock.now) == 2000 * SECOND


def test_a_row_from_the_far_future_is_not_believed_where_there_is_a_clock() -> None:
    clock = Clock()
    clock.tick(1000 * SECOND)
    assert clock.row(10**18) == 1000 * SECOND + MOST_AHEAD
