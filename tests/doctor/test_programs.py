"""What the doctor says of finding programs."""

import os
import sys

import pytest

from tidegate.doctor.programs import check_programs
from tidegate.model.config import Config, ProgramSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has methods to choose from")


def test_what_is_not_wanted_is_not_tried() -> None:
    (finding,) = check_programs(Config(programs=ProgramSettings(method="none")))
    assert (finding.verdict, "not wanted" in finding.text) == ("ok", True)


def test_a_method_that_misses_short_programs_is_limited() -> None:
    (finding,) = check_programs(Config(programs=ProgramSettings(method="scan")))
    assert finding.verdict == "limited"
    assert finding.text.startswith("by scan: only what lives long enough")
    assert finding.fix == "programs: method: best"


@pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root")
def test_the_best_method_is_named() -> None:
    (finding,) = check_programs(Config())
    assert finding.verdict in ("ok", "limited")
    assert finding.text.startswith("by ")
    assert "sudo" not in finding.fix
