"""Interfaces that are missing at the start are waited for; counters go on over several captures."""

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tidegate.model.batch import Batch, make
from tidegate.model.config import WatchSettings
from tidegate.model.errors import CaptureError
from tidegate.model.stats import Standing, Stats
from tidegate.sources.patient import Patient, Totals

ROW: dict[str, list[object]] = {
    **{name: ["x"] for name in ("alert_id", "sensor", "rule", "state", "severity", "metric", "message")},
    **{name: [1] for name in ("ts", "since", "value", "threshold", "clear")},
}


class Fake:
    """A capture of these interfaces, with a batch in it that only its end brings out."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.held = [make("alert", ROW)]
        self.stopped = False

    def poll(self, timeout: float) -> list[Batch] | None:
        if not self.stopped:
            return []
        held, self.held = self.held, []
        return held or None

    def stop(self) -> None:
        self.stopped = True

    def interfaces(self) -> list[str]:
        return list(self.names)

    def stats(self) -> Any:
        numbers = dict.fromkeys(
            ("bytes", "dropped_kernel", "dropped_queue", "dropped_table", "duplicates", "connections"), 2
        )
        return SimpleNamespace(
            **numbers,
            packets=10,
            flows=1,
            malformed={"ip": 1},
            not_ip={"arp": 2},
            warnings=[f"{self.names[0]}: slow"],
        )


class World:
    """Interfaces that come and go, and a clock that each wait and each look moves."""

    def __init__(self, *there: str) -> None:
        self.there = list(there)
        self.now = 0.0
        self.opened: list[Fake] = []
        self.totals = Totals()
        self.refuses = False

    def patient(self, *names: str) -> Patient:
        return Patient(
            WatchSettings(interfaces=names), self.open, lambda: self.there, lambda: self.now, self.wait
        )

    def open(self, settings: WatchSettings) -> Fake:
        if self.refuses:
            raise CaptureError("not permitted")
        self.opened.append(Fake(settings.interfaces))
        self.totals.begin(self.opened[-1])
        return self.opened[-1]

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_what_is_there_is_watched_at_once_and_nothing_is_looked_for() -> None:
    world = World("eth0", "lo")
    patient = world.patient("lo", "eth0")
    assert world.opened[0].names == ("lo", "eth0")
    assert (patient.missing, patient.warnings) == ([], [])
    everything = world.patient()
    assert world.opened[1].names == ()
    assert everything.missing == []


def test_all_are_waited_for_and_then_watched() -> None:
    world = World("lo")
    patient = world.patient("wg0")
    assert patient.warnings == ["wg0: no such interface; waiting for it"]
    assert [patient.poll(0.25) for _ in range(20)] == [[]] * 20
    assert world.opened == []
    world.there.append("wg0")
    for _ in range(6):
        patient.poll(0.25)
    assert [each.names for each in world.opened] == [("wg0",)]
    assert len(patient.warnings) == 1
    assert re.fullmatch(r"wg0: came up, watched since \d{4}-\d\d-\d\d \d\d:\d\d UTC", patient.warnings[0])


def test_one_that_comes_later_joins_and_no_row_of_the_others_is_lost() -> None:
    world = World("eth0")
    patient = world.patient("eth0", "wg0")
    assert world.opened[0].names == ("eth0",)
    assert patient.poll(0.1) == []
    world.there.append("wg0")
    world.now += 1
    seen = [patient.poll(0.1) for _ in range(4)]
    assert sum(len(batches or []) for batches in seen) == 1
    assert None not in seen
    assert [each.names for each in world.opened] == [("eth0",), ("eth0", "wg0")]
    sums = world.totals.counters()
    assert (sums.packets, sums.connections, sums.flows) == (20, 4, 1)
    assert (sums.malformed, sums.not_ip) == ({"ip": 2}, {"arp": 4})
    assert sums.warnings == ("eth0: slow",)
    assert world.totals.interfaces() == ["eth0", "wg0"]


def test_it_ends_while_it_waits_and_while_it_captures() -> None:
    for there in ([], ["eth0"]):
        patient = World(*there).patient("eth0", "wg0")
        patient.stop()
        batches: list[Batch] | None = []
        for _ in range(5):
            if batches is not None:
                batches = patient.poll(0.1)
        assert batches is None


def test_a_capture_that_ends_by_itself_ends() -> None:
    world = World("eth0")
    patient = world.patient("eth0", "wg0")
    world.opened[0].stopped = True
    assert patient.poll(0.1)
    assert patient.poll(0.1) is None


def test_one_that_is_refused_is_told() -> None:
    world = World("eth0")
    world.refuses = True
    with pytest.raises(CaptureError, match="not permitted"):
        world.patient("eth0", "wg0")
    world.there = []
    patient = world.patient("eth0")
    world.there, world.now = ["eth0"], 2.0
    with pytest.raises(CaptureError, match="not permitted"):
        patient.poll(0.1)


def test_what_is_gone_is_waited_for_where_it_was_named() -> None:
    world = World("eth0", "wg0")
    patient = world.patient("eth0", "wg0", "tun0")
    assert patient.waited(["wg0", "br0"]) == ["tun0", "wg0"]
    assert world.patient().waited(["wg0"]) == []
    there = [("eth0", True, True), ("wg0", False, False), ("br0", False, True)]
    figures = [SimpleNamespace(name=name, up=up, watched=watched) for name, up, watched in there]
    standing = Standing.of(["eth0", "wg0", "br0", "new0"], cast(Stats, SimpleNamespace(by_interface=figures)))
    assert standing == Standing(("eth0", "br0", "new0"), ("br0",), ("wg0",))
