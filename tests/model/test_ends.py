"""Ports, doors and targets as people write them, and what is said of those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.ends import (
    Listen,
    Target,
    parse_address,
    parse_listen,
    parse_network,
    parse_ports,
    parse_target,
)
from tidegate.model.errors import UsageError
from tidegate.model.ports import Ranges, count_ports, overlap, say_ports


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("80", ((80, 80),)),
        ("443,80", ((80, 80), (443, 443))),
        ("1-65535 except 22,5000-5010", ((1, 21), (23, 4999), (5011, 65535))),
        ("1-10,5-20,21", ((1, 21),)),
        (" 1 - 3 , 7 ", ((1, 3), (7, 7))),
        ("1-3 except 1,3", ((2, 2),)),
    ],
)
def test_ports_are_read(text: str, ranges: Ranges) -> None:
    assert parse_ports(text) == ranges


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "5-3", "a", "1-", "-1", "1,,2", "1 except 1", "٣", "1-2-3", "1 except x", "+1"]
)
def test_what_is_no_ports_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ports(text)


def expand(ranges: Ranges) -> set[int]:
    return {port for first, last in ranges for port in range(first, last + 1)}


SPANS = st.lists(
    st.tuples(st.integers(1, 300), st.integers(0, 40)).map(lambda span: (span[0], span[0] + span[1])),
    min_size=1,
    max_size=6,
)


@given(SPANS, SPANS)
def test_ranges_are_the_sets_that_they_stand_for(
    wanted: list[tuple[int, int]], unwanted: list[tuple[int, int]]
) -> None:
    text = ",".join(f"{first}-{last}" for first, last in wanted)
    but = ",".join(f"{first}-{last}" for first, last in unwanted)
    left = expand(tuple(wanted)) - expand(tuple(unwanted))
    assert expand(parse_ports(text)) == expand(tuple(wanted))
    if not left:
        with pytest.raises(UsageError):
            parse_ports(f"{text} except {but}")
        return
    found = parse_ports(f"{text} except {but}")
    assert expand(found) == left
    assert count_ports(found) == len(left)
    assert parse_ports(say_ports(found)) == found
    assert overlap(found, parse_ports(but)) is None


@pytest.mark.parametrize(
    ("text", "door"),
    [
        ("22", Listen("", ((22, 22),))),
        (":22", Listen("", ((22, 22),))),
        ("*:22", Listen("", ((22, 22),))),
        ("0.0.0.0:80,443", Listen("0.0.0.0", ((80, 80), (443, 443)))),
        ("[::]:80", Listen("::", ((80, 80),))),
        ("[2001:db8::1]:1-9 except 5", Listen("2001:db8::1", ((1, 4), (6, 9)))),
        ("localhost:8080", Listen("localhost", ((8080, 8080),))),
    ],
)
def test_doors_are_read(text: str, door: Listen) -> None:
    assert parse_listen(text) == door


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("::1:80", "[IPV6]:PORTS"),
        ("unix:/x", "can only be gone to"),
        ("1.2.3.400:80", "neither an address nor a name"),
        ("a b:80", "neither an address nor a name"),
        ("x:0", "ports are 1 to 65535"),
        ("", "ADDRESS:PORTS"),
        ("[::1]", "ADDRESS:PORTS"),
        ("[host]:80", "ADDRESS:PORTS"),
    ],
)
def test_what_is_no_door_is_refused_with_what_is_expected(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_listen(text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:2222", Target("127.0.0.1", 2222)),
        (":2222", Target("127.0.0.1", 2222)),
        ("2222", Target("127.0.0.1", 2222)),
        ("name:8080", Target("name", 8080)),
        ("web.example.org.:8080", Target("web.example.org.", 8080)),
        ("[::1]:80", Target("::1", 80)),
        ("unix:/run/x.sock", Target(path="/run/x.sock")),
        ("10.0.0.1:80 weight 3", Target("10.0.0.1", 80, weight=3)),
    ],
)
def test_targets_are_read_and_written(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(f"{target} weight {target.weight}") == target


@pytest.mark.parametrize(
    "text",
    ["", "x", "x:", "::1:80", "[::1]", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.300:1", "unix:x", "a:1 weight 0",
     "a:1 weight 1000", "a:1 wait 3", "unix:/" + "x" * 107, "unix:/a\0b", "a" * 64 + ":1", "-a:1"],
)  # fmt: skip
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        (" 2001:DB8::1 ", "2001:db8::1/128"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_networks_are_read_in_their_usual_form(text: str, network: str) -> None:
    assert parse_network(text) == network


@pytest.mark.parametrize("text", ["", "x", "192.0.2.0/33", "192.0.2", "1.2.3.4/0.0.0.x"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "said"), [("nobody", "is no address: write 192.0.2.7"), ("10.0.0.0/8", "is a network")]
)
def test_what_is_no_address_is_told_what_one_is(text: str, said: str) -> None:
    assert parse_address(" 2001:DB8::7 ") == "2001:db8::7"
    with pytest.raises(UsageError, match=said):
        parse_address(text)
