"""What is said on stderr while a watch runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from tidegate.cli.closing import Warnings, watched
from tidegate.model.stats import Counters


def test_a_warning_is_said_at_once_and_its_count_again_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    stats: Any = SimpleNamespace(warnings=[])
    warnings = Warnings(lambda: stats.warnings)
    warnings.flush()
    stats.warnings = ["eth1: the interface is gone", "recording: disk full; 3 packets are missing in it"]
    warnings.flush()
    stats.warnings[1] = "recording: disk full; 9 packets are missing in it"
    warnings.flush()
    warnings.close()
    assert capsys.readouterr().err.splitlines() == [
        "tidegate: warning: eth1: the interface is gone",
        "tidegate: warning: recording: disk full; 3 packets are missing in it",
        "tidegate: warning: recording: disk full; 9 packets are missing in it",
    ]


def test_at_the_end_it_is_said_what_was_lost_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    watched(Counters(packets=5, dropped_kernel=2), ["eth0"], 1.0, relay_dropped=1234)
    watched(Counters(packets=5), ["eth0"], 1.0)
    said = capsys.readouterr().err.splitlines()
    assert sum("watch.buffer" in line for line in said) == 1
    assert [line for line in said if "dropped" in line] == [
        "tidegate: dropped: 2 by the kernel, 1,234 by the relay",
        "tidegate: dropped: nothing, by the kernel or later",
    ]
