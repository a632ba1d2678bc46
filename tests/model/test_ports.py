"""Ranges of ports: joined, taken away from each other, counted, said."""

from tidegate.model.ports import count_ports, overlap, say_ports, union, within, without


def test_ranges() -> None:
    assert union(((5, 6), (1, 2), (3, 3), (10, 20), (12, 14))) == ((1, 3), (5, 6), (10, 20))
    assert without(((1, 10), (20, 30)), ((5, 22), (30, 40))) == ((1, 4), (23, 29))
    assert without(((1, 10),), ((1, 10),)) == ()
    assert count_ports(((1, 10), (20, 20))) == 11
    assert say_ports(((1, 10), (20, 20))) == "1-10,20"


def test_which_ports_are_in_them() -> None:
    assert [port for port in range(25) if within(port, ((1, 3), (20, 20)))] == [1, 2, 3, 20]
    assert overlap(((1, 3), (10, 20)), ((4, 9), (15, 30))) == 15
    assert overlap(((1, 3),), ((4, 9),)) is None
