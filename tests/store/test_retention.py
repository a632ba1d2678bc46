"""What is removed, so that size, age and free room hold."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.config import StoreSettings
from tidegate.store.layout import Layout, Segment, new_segment_id
from tidegate.store.retention import SLACK, TRUST, Removed, Today, enforce, surplus

NOW = 1_700_000_000.0
PLENTY = 1 << 40


def segment(age: float, size: int, table: str = "conn") -> Segment:
    return Segment(table, new_segment_id(NOW - age), Path("/nowhere"), size)


def total(segments: list[Segment]) -> int:
    return sum(segment.size for segment in segments)


def test_within_the_limits_all_stays() -> None:
    segments = [segment(100, 10), segment(50, 10)]
    assert surplus(segments, 20, PLENTY, NOW, StoreSettings()) == []


def test_too_large_the_oldest_go() -> None:
    segments = [segment(100, 10), segment(50, 10), segment(10, 10)]
    keep = StoreSettings(keep_bytes=15)
    assert surplus(segments, 30, PLENTY, NOW, keep) == segments[:2]


def test_too_old_goes_even_the_last() -> None:
    segments = [segment(100, 10)]
    assert surplus(segments, 10, PLENTY, NOW, StoreSettings(keep_age=99)) == segments


def test_a_crowded_disk_is_given_room_but_the_newest_stay() -> None:
    segments = [segment(100, 10), segment(90, 10, "health"), segment(10, 10)]
    assert surplus(segments, 30, 5, NOW, StoreSettings(keep_free=12)) == segments[:1]
    assert surplus(segments, 30, 0, NOW, StoreSettings(keep_free=PLENTY)) == segments[:1]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 1000)), max_size=30),
    st.integers(1, 10_000),
    st.integers(1, 10**6),
)
def test_the_oldest_go_first_and_the_limits_hold(
    given_segments: list[tuple[int, int]], size: int, age: int
) -> None:
    segments = sorted((segment(a, s) for a, s in given_segments), key=lambda one: one.id)
    keep = StoreSettings(keep_bytes=size, keep_age=age)
    gone = surplus(segments, total(segments), PLENTY, NOW, keep)
    kept = segments[len(gone) :]
    assert gone == segments[: len(gone)]
    assert all(NOW - one.opened <= age for one in kept)
    assert total(kept) <= size or len(kept) == 1


@given(st.lists(st.tuples(st.floats(0, 10_000), st.floats(-1e9, 1e9)), max_size=40))
def test_what_time_it_is_is_what_the_clock_was_ahead_by_for_an_hour(steps: list[tuple[float, float]]) -> None:
    wall, steady, held = NOW, 5.0, NOW
    told = Today(wall, steady)
    seen = [(steady, wall - steady)]
    for seconds, jump in steps:
        steady += seconds
        wall += seconds + jump
        seen.append((steady, wall - steady))
        before, held = held, told.at(wall, steady)
        assert held <= max(wall, before + seconds + 1e-3)
        first = max(at for at, (when, _) in enumerate(seen) if not at or steady - when >= TRUST)
        least = min(ahead for _, ahead in seen[first:])
        assert least - 1e-3 <= held - steady <= least + SLACK * len(steps) + 1e-3


def test_a_clock_that_jumps_twice_is_not_believed_for_its_first_jump() -> None:
    told = Today(NOW, 0.0)
    day = 86400.0
    assert told.at(NOW + day, 0.0) == NOW
    assert told.at(NOW + 3650 * day + 3500, 3500.0) == NOW + 3500
    assert told.at(NOW + 3650 * day + 3700, 3700.0) == NOW + day + 3700
    assert told.at(NOW + day + 3800, 3800.0) == NOW + day + 3800
    assert told.at(NOW + 4000, 4000.0) == NOW + 4000


def test_files_and_empty_days_are_removed_and_counted(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for age in (3 * 86400, 10):
        path = layout.closed_path("conn", new_segment_id(NOW - age))
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100)
    removed = Removed()
    enforce(layout, StoreSettings(keep_age=86400, keep_free=0), NOW, removed)
    assert removed == Removed(segments=1, bytes=100)
    assert len(list((tmp_path / "conn").iterdir())) == 1


def test_a_table_may_have_an_age_of_its_own_but_none_that_is_longer() -> None:
    segments = [segment(100, 10), segment(90, 10, "packet"), segment(40, 10, "packet"), segment(10, 10)]
    keep = StoreSettings(keep_age=95)
    assert surplus(segments, 40, PLENTY, NOW, keep, {"packet": 50}) == segments[:2]
    assert surplus(segments, 40, PLENTY, NOW, keep, {"packet": 1000}) == segments[:1]
