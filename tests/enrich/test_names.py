"""Names of local machines: learned from rows of host, none old, none of another machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tidegate
from made import made
from tidegate.enrich.names import LONGEST, SHARED, LocalNames, Names
from tidegate.model.batch import Batch
from tidegate.model.config import NameSettings

GOLDEN = Path(__file__).parent.parent / "golden"
SECOND = 10**9
TABLET, PHONE, SPOOFER = "02:00:00:00:00:01", "02:00:00:00:00:09", "02:00:00:00:00:66"
FOUR, SIX = "192.168.7.5", "fe80::5"


@pytest.fixture
def stage() -> Iterator[Names]:
    names = Names(NameSettings())
    yield names
    names.close()


def host(source: str, ip: str, mac: str | None = None, name: str | None = None, ts: int = 0) -> Batch:
    """A row of host."""
    return made("host", {"ts": ts, "iface": "net0", "ip": ip, "mac": mac, "name": name, "source": source})


def named(stage: Names, *dsts: str, **values: Any) -> list[tuple[Any, ...]]:
    """What connections to these addresses are called, by whom, how long ago."""
    rows = [{"ts": 100 * SECOND, "iface": "net0", "dst_ip": dst} | values for dst in dsts]
    (batch,) = stage.process(made("conn", *rows))
    return list(zip(*batch.columns(["name", "name_source", "name_age"]), strict=True))


def learn(stage: Names, *batches: Batch) -> None:
    for batch in batches:
        assert list(stage.process(batch)) == [batch]


@pytest.mark.parametrize("source", ["dhcp", "mdns", "llmnr"])
def test_a_name_that_was_said_of_the_address(stage: Names, source: str) -> None:
    learn(stage, host(source, FOUR, None, "tablet", 40 * SECOND))
    assert named(stage, FOUR, "192.168.7.6") == [("tablet", source, 60.0), (None, None, None)]


def test_what_the_connection_says_itself_counts_more(stage: Names) -> None:
    learn(stage, host("mdns", FOUR, None, "tablet.local"))
    assert named(stage, FOUR, name="x.example", name_source="sni", name_age=0.0) == [
        ("x.example", "sni", 0.0)
    ]


def test_dhcp_counts_more_than_mdns(stage: Names) -> None:
    learn(stage, host("dhcp", FOUR, TABLET, "tablet"), host("mdns", FOUR, None, "Tablet.local", 50 * SECOND))
    assert named(stage, FOUR) == [("tablet", "dhcp", 100.0)]


def test_another_address_of_the_same_hardware(stage: Names) -> None:
    learn(
        stage, host("dhcp", FOUR, TABLET, "tablet"), host("ndp", SIX, TABLET), host("arp", "10.0.0.5", TABLET)
    )
    assert named(stage, SIX, "10.0.0.5") == [("tablet", "ndp", 100.0), ("tablet", "arp", 100.0)]


def test_hardware_alone_is_no_name(stage: Names) -> None:
    learn(stage, host("arp", FOUR, TABLET), host("ndp", SIX, TABLET))
    assert named(stage, FOUR, SIX) == [(None, None, None)] * 2


def test_a_name_said_later_has_no_age(stage: Names) -> None:
    learn(stage, host("mdns", FOUR, None, "tablet.local", 200 * SECOND))
    assert named(stage, FOUR) == [("tablet.local", "mdns", 0.0)]


def test_a_name_does_not_stay_with_an_address_that_another_machine_has(stage: Names) -> None:
    learn(stage, host("dhcp", FOUR, TABLET, "tablet"), host("arp", FOUR, PHONE))
    assert named(stage, FOUR) == [(None, None, None)]
    learn(stage, host("arp", FOUR, TABLET))
    assert named(stage, FOUR) == [("tablet", "dhcp", 100.0)]
    learn(stage, host("dhcp", FOUR, PHONE, "phone"))
    assert named(stage, FOUR) == [("phone", "dhcp", 100.0)]


def test_a_name_said_before_its_hardware_was_known_goes_with_it(stage: Names) -> None:
    learn(stage, host("mdns", FOUR, None, "tablet.local"), host("arp", FOUR, TABLET))
    assert named(stage, FOUR) == [("tablet.local", "mdns", 100.0)]
    learn(stage, host("arp", FOUR, SPOOFER))
    assert named(stage, FOUR) == [(None, None, None)]


def test_two_networks_may_use_the_same_addresses(stage: Names) -> None:
    learn(stage, host("mdns", FOUR, None, "tablet.local"))
    assert named(stage, FOUR, iface="net1") == [(None, None, None)]


def test_old_names_do_not_count(stage: Names) -> None:
    learn(stage, host("dhcp", FOUR, TABLET, "tablet"))
    assert named(stage, FOUR, ts=LONGEST)[0][0] == "tablet"
    assert named(stage, FOUR, ts=LONGEST + 1) == [(None, None, None)]


def test_hardware_with_many_addresses_is_a_router() -> None:
    names = LocalNames()
    names.learn(0, "net0", "10.0.0.1", TABLET, "router", "dhcp")
    for number in range(2, SHARED):
        names.learn(0, "net0", f"10.0.0.{number}", TABLET, None, "arp")
    assert names.find("net0", "10.0.0.9", 0)
    names.learn(0, "net0", "10.0.0.200", TABLET, None, "arp")
    assert names.find("net0", "10.0.0.9", 0) is None
    assert names.find("net0", "10.0.0.1", 0)
    # Addresses of long ago make room.
    later = LONGEST + 2
    names.learn(later, "net0", "10.0.1.1", TABLET, "router", "dhcp")
    names.learn(later, "net0", "10.0.1.2", TABLET, None, "arp")
    assert names.find("net0", "10.0.1.2", later)


def test_what_is_remembered_has_a_bound() -> None:
    names = LocalNames(most=100)
    for number in range(1000):
        names.learn(0, "net0", f"10.0.{number >> 8}.{number & 255}", f"mac{number}", "x", "dhcp")
    assert (len(names._machines), len(names._of_mac)) == (100, 100)
    assert names.find("net0", "10.0.3.231", 0)


def test_switched_off_it_names_nothing() -> None:
    stage = Names(NameSettings(local=False))
    learn(stage, host("dhcp", FOUR, TABLET, "tablet"))
    assert named(stage, FOUR) == [(None, None, None)]
    stage.close()


def test_a_recorded_network(stage: Names) -> None:
    """Rows of host come before the connections that they name; a takeover by another machine is noticed."""
    rows = []
    for batch in tidegate.read(GOLDEN / "hosts.pcap", stages=[stage]):
        if batch.table == "conn":
            rows += list(zip(*batch.columns(["proto", "dst_ip", "name", "name_source"]), strict=True))
    pings = {row[1]: row[2:] for row in rows if row[0] in ("icmp", "icmp6") and row[2]}
    assert pings == {
        "192.168.77.111": ("phone", "dhcp"),
        "fd77::2": ("Tablet.local", "mdns"),
        "fe80::2": ("Tablet.local", "ndp"),
    }
    assert ("udp", "192.168.77.103", "tablet", "dhcp") in rows
