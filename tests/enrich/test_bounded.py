"""The bounded dictionary."""

from tidegate.enrich.bounded import Bounded


def test_what_was_longest_not_asked_for_goes() -> None:
    kept: Bounded[int, str] = Bounded(3)
    for number in (1, 2, 3):
        kept.put(number, str(number))
    assert kept.get(1) == "1"
    kept.put(4, "4")
    assert [kept.get(number) for number in (1, 2, 3, 4)] == ["1", None, "3", "4"]
    kept.put(4, "four")
    assert (kept.get(4), len(kept)) == ("four", 3)
