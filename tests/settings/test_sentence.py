"""Recordings that are written as a sentence."""

from pathlib import Path

import pytest

from tidegate.model.config import WindowSettings
from tidegate.model.errors import UsageError
from tidegate.settings.find import load


def recordings(place: Path, *sentences: str) -> tuple[WindowSettings, ...]:
    file = place / "t.yml"
    lines = "".join(f"\n    - {sentence}" for sentence in sentences)
    file.write_text(f"schedule:\n  windows:{lines}\n")
    return load(file, {}).schedule.windows


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [
        (
            "record icmp on wlan0 22:00-06:00",
            WindowSettings("icmp-wlan0", "22:00", "06:00", filter="icmp", interface=("wlan0",)),
        ),
        (
            "Record tcp port 80 or udp port 53 on eth0, wlan0 8:00 - 09:30 weekdays",
            WindowSettings(
                "tcp-port-80-or-udp-port-53-eth0-wlan0", "8:00", "09:30", "weekdays",
                "tcp port 80 or udp port 53", ("eth0", "wlan0"),
            ),
        ),
        ("record everything 12:00 to 13:00", WindowSettings("packets", "12:00", "13:00")),
        ("record 12:00 until 13:00", WindowSettings("packets", "12:00", "13:00")),
        (
            "record on lo 12:00-13:00 on mon, wed-fri",
            WindowSettings("packets-lo", "12:00", "13:00", "mon, wed-fri", interface=("lo",)),
        ),
    ],
)  # fmt: skip
def test_it_is_what_keys_would_say(tmp_path: Path, sentence: str, meant: WindowSettings) -> None:
    assert recordings(tmp_path, sentence) == (meant,)


def test_beside_others_and_alone(tmp_path: Path) -> None:
    both = recordings(tmp_path, "record icmp 1:00-2:00", '{name: udp, from: "2:00", to: "3:00"}')
    assert [each.name for each in both] == ["icmp", "udp"]
    (tmp_path / "t.yml").write_text("schedule: {windows: 'record icmp 1:00-2:00'}\n")
    assert load(tmp_path / "t.yml", {}).schedule.windows == both[:1]
    told = {"TIDEGATE_SCHEDULE__WINDOWS": '["record icmp 1:00-2:00"]'}
    (tmp_path / "t.yml").write_text("{}\n")
    assert load(tmp_path / "t.yml", told).schedule.windows == both[:1]


@pytest.mark.parametrize(
    "sentence", ["recrd icmp 1:00-2:00", "record icmp", "icmp 1:00-2:00", "record" * 9999]
)
def test_what_is_none_is_said_with_one(tmp_path: Path, sentence: str) -> None:
    with pytest.raises(UsageError, match=r't.yml:4: .*or "record icmp on wlan0 22:00-06:00" is expected'):
        recordings(tmp_path, "record udp 1:00-2:00", sentence)


def test_it_takes_no_time_to_refuse_a_hostile_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        recordings(tmp_path, "record " + "on a " * 20_000 + "x")
