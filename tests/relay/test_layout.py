"""Doors beside each other: what is steered, what is left alone, what is warned of. Nothing is opened."""

import pytest

from tidegate.helper.ports import Ephemeral, unused
from tidegate.model.errors import UsageError
from tidegate.model.ports import within, without
from tidegate.relay.layout import check_sockets, own_backends, shadowed, steerings
from tidegate.relay.plan import Address, Backend, Door, Service

ALL = ((1, 65_535),)
LINUX = Ephemeral(((32_768, 60_999),))


def local(ip: str) -> bool:
    return ip in ("127.0.0.1", "::1", "192.0.2.1")


def service(*doors: Door, to: tuple[Address, ...] = ()) -> Service:
    return Service("web", doors, (Backend("b", tuple((one, 1) for one in to)),), None)


def wide(ip: str, ports: tuple[tuple[int, int], ...] = ALL) -> Door:
    return Door(ip, ports, "sk_lookup")


def plain(ip: str, *ports: int) -> Door:
    return Door(ip, tuple((port, port) for port in ports))


def test_backends_of_this_machine_are_left_alone() -> None:
    to = (Address("127.0.0.1", 8080), Address("::1", 80), Address("198.51.100.1", 80), Address("0.0.0.0", 81),
          Address(path="/run/x"))  # fmt: skip
    four, six = steerings([service(wide("0.0.0.0"), wide("::"), to=to)], local)
    assert four.spared == (("127.0.0.1", 8080), ("127.0.0.1", 81))
    assert six.spared == (("::1", 80),)
    assert four.ports == ALL


@pytest.mark.parametrize(
    ("beside", "ports", "spared"),
    [
        (plain("0.0.0.0", 22, 80), ((1, 21), (23, 79), (81, 65_535)), ()),
        (plain("127.0.0.1", 22), ALL, (("127.0.0.1", 22),)),
        (plain("::", 22), ALL, ()),
    ],
)
def test_a_plain_door_goes_before_a_wide_one(
    beside: Door, ports: tuple[tuple[int, int], ...], spared: tuple[tuple[str, int], ...]
) -> None:
    (steering,) = steerings([service(wide("0.0.0.0")), service(beside)], local)
    assert (steering.ports, steering.spared) == (ports, spared)


def test_a_plain_door_of_another_address_takes_nothing() -> None:
    one = steerings([service(wide("192.0.2.1")), service(plain("192.0.2.2", 22))], local)
    other = steerings([service(wide("192.0.2.1")), service(plain("192.0.2.1", 22))], local)
    assert (one[0].ports, one[0].spared) == (ALL, ())
    assert not within(22, other[0].ports)


def test_a_backend_behind_its_own_door_is_told() -> None:
    behind = (Address("127.0.0.1", 8080), Address("198.51.100.1", 8080), Address("::1", 8080))
    (told,) = own_backends([service(wide("127.0.0.1"), to=behind)], local)
    assert told == (
        'service "web": its backend 127.0.0.1:8080 lies within its own ports: '
        "connections to 127.0.0.1:8080 go to the backend itself, without the relay"
    )
    # Nobody from outside reaches 127.0.0.0/8.
    assert not list(own_backends([service(wide("0.0.0.0"), to=behind)], local))
    (told,) = own_backends([service(plain("::", 8080), to=behind)], local)
    assert told.endswith('and only one of them can have it: leave it out ("... except 8080")')
    assert not list(own_backends([service(wide("192.0.2.1"), plain("0.0.0.0", 80), to=behind)], local))


def test_who_listens_there_is_told() -> None:
    (steering,) = steerings([service(wide("0.0.0.0", ((1, 9000),)), to=(Address("127.0.0.1", 8080),))], local)
    others = [("0.0.0.0", 22), ("::", 23), ("127.0.0.1", 631), ("127.0.0.1", 8080), ("0.0.0.0", 9999)]
    assert shadowed(steering, others) == (
        'service "web": somebody else listens on port 22,23,631 and gets no new connections to 0.0.0.0 '
        'while the relay runs: leave it to them by "... except 22,23,631"'
    )
    (steering,) = steerings([service(wide("192.0.2.1"))], local)
    assert "port 22,23,9999 and" in (shadowed(steering, others) or "")
    assert shadowed(steering, [("127.0.0.1", 22), ("192.0.2.2", 22)]) is None


def test_sockets_need_files_and_leave_ports_for_what_goes_out() -> None:
    with pytest.raises(UsageError, match=r"131,070 ports .* 20,000 are the limit: raise it"):
        check_sockets([service(Door("0.0.0.0", ALL), Door("::", ALL))], LINUX, 20_000)
    with pytest.raises(
        UsageError, match=r'leaves 0 of 28,232 .*"... except 32768-60999"\), or have them steered'
    ):
        check_sockets([service(Door("0.0.0.0", ALL))], LINUX, 1 << 20)
    with pytest.raises(UsageError, match=r"mend what keeps them from being steered \(sk_lookup: no\)"):
        check_sockets([service(Door("0.0.0.0", ALL))], LINUX, 1 << 20, "sk_lookup: no")
    check_sockets([service(Door("0.0.0.0", without(ALL, LINUX.ranges)))], LINUX, 1 << 20)
    check_sockets([service(wide("0.0.0.0"))], LINUX, 100)
    reserved = Ephemeral(LINUX.ranges, ((32_768, 50_000),))
    check_sockets([service(Door("0.0.0.0", ((1, 50_000),)))], reserved, 1 << 20)


def test_a_small_range_of_outgoing_ports_is_its_owners_choice() -> None:
    check_sockets([service(plain("0.0.0.0", 50_000, 50_001))], Ephemeral(((50_000, 51_000),)), 100)
    with pytest.raises(UsageError):
        check_sockets([service(Door("0.0.0.0", ((50_000, 50_900),)))], Ephemeral(((50_000, 51_000),)), 9999)


def test_ports_of_outgoing_connections_are_counted() -> None:
    assert Ephemeral(((10, 19),), ((12, 13),)).free(((13, 14),)) == 7


def test_a_port_of_ones_own_is_looked_for_where_nobody_is() -> None:
    for asked in (((1, 1000),), ((61_000, 65_535),), ALL):
        found = list(unused(asked))
        assert found[-1] == 0
        assert len(found) < 200
        if asked != ALL:
            assert not within(found[0], asked)
        assert all(port == 0 or port >= 1024 for port in found)
