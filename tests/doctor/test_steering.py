"""What the doctor says of wide ports: with rights, without, and where a way is missing."""

import os
import subprocess
import sys

import pytest

from tidegate.doctor.steering import check_steering
from tidegate.helper.own import OwnRights
from tidegate.relay.steering import choose

PLAIN = """
import os
from tidegate.doctor.steering import check_steering
os.setresuid(65534, 65534, 65534)
print(next(check_steering()))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="steering needs root")
def test_it_says_what_works_and_leaves_nothing() -> None:
    method = choose(OwnRights()).method
    (finding,) = check_steering()
    assert finding.what == "wide ports"
    assert finding.verdict == ("ok" if method == "sk_lookup" else "limited")
    assert method in finding.text or "a socket for each port" in finding.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_is_told_to_ask_root() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN], capture_output=True, text=True, check=True
    )
    assert "a socket for each port: steering them takes root" in done.stdout
    assert "sudo tidegate doctor" in done.stdout
