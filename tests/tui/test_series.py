"""Rings of seconds and sliding windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.tui.board.series import SECONDS, Series, Window


def test_a_rate_is_what_came_in_a_second_of_the_last_complete_ones() -> None:
    series = Series()
    series.add(100, 103, 4000, 400)
    assert series.rate(104) == (1000, 100)
    assert series.rate(106) == (500, 50)
    assert series.rate(110) == (0, 0)
    assert (series.total_down, series.total_up) == (4000, 400)


def test_what_is_older_than_the_ring_only_counts_in_the_sum() -> None:
    series = Series()
    series.add(1000, 1000, 10, 0)
    series.add(500, 501, 70, 0)
    assert series.total_down == 80
    assert sum(series.history(1001)[0]) == 10


def test_a_long_silence_empties_it() -> None:
    series = Series()
    series.add(10, 10, 5, 5)
    series.add(10 + 10 * SECONDS, 10 + 10 * SECONDS, 1, 1)
    assert sum(series.history(11 + 10 * SECONDS, 60)[0]) == 1


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5), st.integers(0, 10**9)), max_size=50))
def test_the_ring_holds_what_a_list_would(added: list[tuple[int, int, int]]) -> None:
    series, plain = Series(), dict.fromkeys(range(400), 0.0)
    for first, longer, count in sorted(added, key=lambda one: one[0] + one[1]):
        series.add(first, first + longer, count, 0)
        for second in range(first, first + longer + 1):
            plain[second] += count / (longer + 1)
    edge = series.newest + 1
    wanted = [plain.get(second, 0.0) for second in range(edge - 50, edge)]
    assert series.history(edge, 50)[0] == pytest.approx(wanted, abs=1e-3)
    assert series.recent(edge) == pytest.approx(sum(series.down), abs=1e-2)


def test_a_window_forgets_what_lies_before_it() -> None:
    window: Window[str] = Window(60)
    window.add("a", 100)
    window.add("a", 130)
    window.add("b", 159, 5)
    assert window.sums == {"a": 2, "b": 5}
    window.roll(165)
    assert window.sums == {"a": 1, "b": 5}
    window.add("a", 90)
    assert window.get("a") == 1
    window.roll(1000)
    assert window.sums == {}
