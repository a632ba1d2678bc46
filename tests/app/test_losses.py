"""What parts lost goes on counting over a reload and a second opening of the same parts."""

from pathlib import Path

from log_rows import conns
from tidegate.app.assembly import Assembly
from tidegate.app.losses import Losses
from tidegate.model.config import Config, LogSettings, ProgramSettings


def config(tmp_path: Path) -> Config:
    log = LogSettings("away", str(tmp_path / "gone" / "log"), buffer=100)
    return Config(programs=ProgramSettings(method="none"), logs=(log,))


def lost(assembly: Assembly) -> int:
    return int(next(part["lost"] for part in assembly.facts()["parts"] if part["name"] == "log away"))


def test_rows_lost_are_counted_on(tmp_path: Path) -> None:
    losses = Losses()
    total = 0
    first, second = (Assembly(config(tmp_path), None, losses=losses) for _ in range(2))
    for assembly in (first, second, second):
        sinks = assembly.sinks()
        assert lost(assembly) == total
        for first_row in range(0, 50, 10):
            sinks[0].write(conns(10, first_row))
        assert lost(assembly) > total
        for sink in sinks:
            sink.close()  # what waited is lost as well
        total = lost(assembly)
    assert total == 150


def test_without_losses_of_somebody_else_each_begins_anew(tmp_path: Path) -> None:
    for _ in range(2):
        assembly = Assembly(config(tmp_path), None)
        sinks = assembly.sinks()
        assert lost(assembly) == 0
        sinks[0].write(conns(50))
        sinks[0].close()


def test_failures_of_a_part_go_on() -> None:
    losses = Losses()
    losses.add("failures of x", lambda: 2)
    losses.begin()
    losses.add("failures of x", lambda: 1)
    assert (losses.of("failures of x"), losses.of("x")) == (3, 0)
