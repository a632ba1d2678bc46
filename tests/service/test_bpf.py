"""Under all restrictions of the unit programs are named by BPF, where the kernel has it."""

import re
import sys

import pytest
from first import Manager
from machine import possible

from helpers import LIBRARIES, Run, wait_for
from tidegate.service.description import describe
from tidegate.service.unit import unit

TIDEGATE = ["env", f"PYTHONPATH={LIBRARIES}", sys.executable, "-m", "tidegate"]

# What a user's manager has no say in, or has elsewhere.
_NOT_HERE = re.compile(r"^(User|StateDirectory|LogsDirectory|CacheDirectory)\w*=.*\n", re.M)
_INSTEAD = f"""
Environment="PYTHONPATH={LIBRARIES}"
ReadWritePaths=/var/lib/tidegate
StandardError=append:/var/lib/tidegate/told
"""


@pytest.mark.skipif(bool(possible()), reason=f"no systemd to try it under: {possible()}")
@pytest.mark.timeout(200)
def test_programs_are_named_by_bpf(run: Run) -> None:
    if "by bpf" not in run("doctor").stdout:
        pytest.skip("the kernel has no BPF for programs; see tidegate doctor")
    text = _NOT_HERE.sub("", unit(describe(None))).replace("\n[Install]", f"{_INSTEAD}\n[Install]")
    with Manager() as manager:
        manager.run("tee", "/run/units/tidegate.service", input=text)
        manager.run("systemctl", "--user", "daemon-reload")
        done = manager.run("systemctl", "--user", "start", "tidegate")
        assert done.returncode == 0, manager.run("cat", "/var/lib/tidegate/told").stdout
        assert "programs  by bpf" in manager.run(*TIDEGATE, "control", "status").stdout
        manager.run("curl", "-s", "http://127.0.0.1:1/")
        asked = "SELECT DISTINCT process_name, process_path, process_method FROM conn WHERE dst_port = 1"

        def named() -> bool:
            return (
                "curl,/usr/bin/curl,bpf" in manager.run(*TIDEGATE, "query", asked, "--format", "csv").stdout
            )

        wait_for(named)
