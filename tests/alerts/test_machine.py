"""The machine of one value: raise, hold, flap, recover; and that they always pair up."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.alerts.machine import Limits, Machine


def steps(limits: Limits, *values: float) -> list[str | None]:
    """What happens when the value is this at 0, 1, 2 and so on."""
    machine = Machine()
    return [machine.step(now, value, limits) for now, value in enumerate(values)]


def test_above_is_raised_and_at_the_threshold_is_not() -> None:
    assert steps(Limits(5, 5, 0, 0), 5, 6, 7, 6, 5, 6) == [None, "raise", None, None, "recover", "raise"]


def test_between_clear_and_threshold_nothing_changes() -> None:
    assert steps(Limits(5, 3, 0, 0), 6, 5, 4, 6, 4, 3, 4, 5) == ["raise", *[None] * 4, "recover", None, None]


def test_what_does_not_hold_is_not_raised() -> None:
    assert steps(Limits(5, 5, 2, 0), 6, 6, 5, 6, 6, 6, 6) == [*[None] * 5, "raise", None]


def test_what_does_not_settle_has_not_recovered() -> None:
    assert steps(Limits(5, 5, 0, 2), 6, 5, 5, 6, 5, 5, 5) == ["raise", *[None] * 5, "recover"]


def test_the_moment_of_recovery_is_known_even_if_nobody_looked() -> None:
    machine = Machine()
    machine.step(0, 6, Limits(5, 5, 0, 10))
    machine.step(100, 5, Limits(5, 5, 0, 10))
    assert machine.step(1000, 0, Limits(5, 5, 0, 10)) == "recover"
    assert machine.over_at == 110


def test_what_may_not_be_raised_waits() -> None:
    machine, limits = Machine(), Limits(5, 5, 0, 0)
    assert machine.step(0, 6, limits, may_raise=False) is None
    assert not machine.quiet
    assert machine.step(1, 6, limits) == "raise"


def test_after_a_restart_it_waits_for_a_whole_window() -> None:
    machine, limits = Machine(True, 9.0, ready_at=10), Limits(5, 5, 0, 0)
    assert [machine.step(now, 0, limits) for now in (0, 9, 10)] == [None, None, "recover"]
    assert machine.peak == 9.0


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10), st.booleans()), max_size=200),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_raised_and_recovered_alternate(
    moves: list[tuple[int, int, bool]], threshold: int, below: int, hold: int, settle: int
) -> None:
    limits = Limits(threshold, min(below, threshold), hold, settle)
    machine, now, happened = Machine(), 0, []
    highest = -1.0
    for passed, value, may_raise in moves:
        now += passed
        if step := machine.step(now, value, limits, may_raise):
            happened.append(step)
            if step == "raise":
                assert value > limits.threshold
                highest = value
            else:
                assert value <= limits.clear
                assert machine.over_at <= now
                assert machine.peak == highest
        if machine.raised:
            highest = max(highest, value)
        assert machine.raised == (happened[-1:] == ["raise"])
    assert happened == ["raise", "recover"] * (len(happened) // 2) + ["raise"] * (len(happened) % 2)
