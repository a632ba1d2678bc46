"""Tests of the zone that people here live in."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tidegate.model.errors import UsageError
from tidegate.model.zone import find_zone, local_zone, zone_name, zone_of

NOWHERE = Path("/nowhere/localtime")


def test_tz_counts_more_than_the_machine(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    if not link.exists():
        pytest.skip("no zone files in /usr/share/zoneinfo here")
    assert local_zone({"TZ": ":America/New_York"}, link).key == "America/New_York"
    assert local_zone({"TZ": "CET-1CEST"}, link).key == "Europe/Berlin"
    assert local_zone({"TZ": "/usr/share/zoneinfo/posix/Asia/Kolkata"}, link).key == "Asia/Kolkata"
    assert local_zone({}, link).key == "Europe/Berlin"


def test_a_machine_that_says_nothing_is_in_utc() -> None:
    assert local_zone({}, NOWHERE) == ZoneInfo("UTC")
    assert local_zone({"TZ": ""}, NOWHERE) == ZoneInfo("UTC")
    assert zone_name(local_zone({}, NOWHERE)) == "UTC"


def test_a_setting_names_a_zone_or_leaves_it_to_the_machine() -> None:
    assert zone_of("Asia/Kolkata").key == "Asia/Kolkata"
    assert zone_of("") == local_zone()


def test_a_file_without_a_name_is_read(tmp_path: Path) -> None:
    source = Path("/usr/share/zoneinfo/Asia/Kolkata")
    if not source.exists():
        pytest.skip("no zone files in /usr/share/zoneinfo here")
    file = tmp_path / "localtime"
    file.write_bytes(source.read_bytes())
    zone = local_zone({}, file)
    from datetime import datetime

    assert datetime(2026, 11, 20, tzinfo=zone).strftime("%z") == "+0530"


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000, "\udcff"]
)
def test_what_is_no_zone_is_said(name: str) -> None:
    with pytest.raises(UsageError, match="is no time zone"):
        find_zone(name)
