"""The service under a real systemd: installed, started, watched over, and removed, with all its restrictions.

systemd runs as the first process of namespaces of its own, with its own /etc, /var, /run and network. Process
numbers are a container's there, so programs are named by tracepoints; test_bpf.py tries it with BPF.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from machine import Machine, possible

from helpers import LIBRARIES, wait_for
from nets import status
from tidegate.helper.launch import NAME

pytestmark = [
    pytest.mark.skipif(bool(possible()), reason=f"no systemd to try it under: {possible()}"),
    pytest.mark.timeout(300),
]

HELPER = NAME[:15]
"""The kernel keeps no more of it."""
TIDEGATE = ["env", f"PYTHONPATH={LIBRARIES}", sys.executable, "-m", "tidegate"]
SETTINGS = (
    "# ${CREDENTIALS_DIRECTORY}/smtp\nwatch: {interfaces: [lo, one], engine: {interim: 500ms}}\n"
    "logs: [{name: all, path: /srv/tidegate/all.log}]\n"
    "schedule: {reports: [{report: overnight, at: '* * * * *', last: 1h, folder: /srv/pages}]}\n"
    "relay: {services: [{name: low, listen: ':81', backend: '10.77.0.1:9'},"
    " {name: wide, listen: '0.0.0.0:5000-5999', steering: sk_lookup, backend: '10.77.0.1:9'}]}\n"
)
DROP_IN = f"""[Service]
Environment="PYTHONPATH={LIBRARIES}"
StandardError=append:/var/log/told
"""


class Service:
    """`tidegate service`, and what systemd knows, on that machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __call__(self, *words: str, code: int = 0) -> str:
        done = self.machine.run(*TIDEGATE, "service", *words)
        assert done.returncode == code, done.stdout + done.stderr + self.told()
        return str(done.stdout + done.stderr)

    def told(self) -> str:
        return self.shell("cat /var/log/told 2>/dev/null; true")

    def shell(self, line: str) -> str:
        done = self.machine.run("sh", "-c", line)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def show(self, name: str) -> str:
        return self.shell(f"systemctl show tidegate --property={name} --value").strip()

    def write(self, path: str, text: str) -> None:
        self.machine.run("sh", "-c", f"mkdir -p $(dirname {path}) && cat > {path}", input=text)

    def control(self) -> dict[str, Any]:
        done = self.machine.run(*TIDEGATE, "control", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def query(self, sql: str) -> str:
        return str(self.machine.run(*TIDEGATE, "query", sql, "--format", "csv").stdout)

    def processes(self) -> tuple[dict[str, str], dict[str, str]]:
        """The worker's and its helper's status; a report that is just being made is a third process."""
        group = self.machine.group / "system.slice" / "tidegate.service" / "cgroup.procs"
        every = [int(pid) for pid in group.read_text().split()]
        helper = next(pid for pid in every if _name(pid) == HELPER)
        worker = int(status(helper)["PPid"])
        assert worker in every
        return status(worker), status(helper)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Machine() as machine:
        made = Service(machine)
        made.write("/etc/systemd/system/tidegate.service.d/test.conf", DROP_IN)
        made.write("/etc/tidegate/tidegate.yml", SETTINGS)
        yield made


def test_its_whole_life(service: Service) -> None:
    assert "not installed" in service("status", code=4)
    assert "run: tidegate service install" in service("start", code=1)
    said = service("install", "--auto")
    assert "wrote /etc/systemd/system/tidegate.service" in said
    assert "note: it will not start without /etc/tidegate/credentials/smtp" in said
    assert "a password is missing in /etc/tidegate/credentials" in service("start", code=1)
    service("stop")
    service.write("/etc/tidegate/credentials/smtp", "hush\n")
    service.shell("chmod -R go= /etc/tidegate/credentials")
    assert "wrote" not in service("install", "--auto")

    assert re.fullmatch(r"started, pid \d+\n", service("start"))
    wait_for(lambda: service.show("StatusText") == "capturing lo, one")
    assert "runs already" in service("start")
    assert "and it runs; it starts with the machine" in service("install")
    assert "starts with the machine" in service("status")
    seen = service.shell("cd /run/credentials/tidegate.service && stat -c '%U %a' smtp && cat smtp")
    assert seen == "tidegate 400\nhush\n"

    _what_it_does(service)
    _what_it_may(service)
    # The report's process draws and writes within all restrictions.
    wait_for(lambda: service.shell("grep -l 'data:image/png' /srv/pages/*.html 2>/dev/null; true"), 150)
    _what_it_survives(service)

    assert service("stop") == "stopped\n"
    assert "not running" in service("status", code=3)
    assert service.told().count("tidegate: ended") == service.told().count("tidegate: watched") >= 1
    service("start")
    said = service("remove")
    assert "left as they are: /var/lib/tidegate" in said
    assert "left as it is: /srv/tidegate" in said
    assert "not installed" in service("status", code=4)
    assert service.shell("ls /var/lib/tidegate/conn") != ""
    assert "removed the user tidegate" in service("remove", "--purge")
    assert service("remove", "--purge") == "left as they are: /etc/tidegate\n"
    assert service.shell("ls -d /var/lib/tidegate 2>/dev/null; id tidegate 2>/dev/null; true") == ""
    assert service.shell("ls /etc/tidegate/tidegate.yml") != ""


def _what_it_does(service: Service) -> None:
    """Packets are seen, programs named, low ports opened, and nothing says that it does not work."""
    wait_for(lambda: service.control().get("relay"))
    service.shell("for port in 1 81 5432; do curl -s http://10.77.0.1:$port/; done; true")
    wait_for(lambda: service.control()["connections"] >= 2)
    facts = service.control()
    assert facts["user"] == "tidegate"
    assert not facts["warnings"]
    assert [part for part in facts["parts"] if part.get("error")] == []
    named = "SELECT DISTINCT process_name, process_path FROM conn WHERE dst_port IN (1, 81)"
    wait_for(lambda: "curl,/usr/bin/curl" in service.query(named))
    wait_for(lambda: "\tcurl\t" in service.shell("cat /srv/tidegate/all.log"))
    opened = "SELECT DISTINCT server_port FROM relay WHERE type = 'accept' ORDER BY 1"
    wait_for(lambda: service.query(opened).split() == ["server_port", "81", "5432"])


def _name(pid: int) -> str:
    """What a process calls itself; empty if it has ended."""
    with suppress(OSError):
        return status(pid)["Name"]
    return ""


def _what_it_may(service: Service) -> None:
    """The worker nothing, the helper what it needs."""
    none, some = service.processes()
    assert (none["CapEff"], none["CapPrm"], none["CapAmb"]) == ("0" * 16,) * 3
    assert int(some["CapEff"], 16) == int(some["CapBnd"], 16) == int(none["CapBnd"], 16) != 0
    assert (none["NoNewPrivs"], none["Seccomp"], some["Seccomp"]) == ("1", "2", "2")
    assert none["Uid"].split()[0] == some["Uid"].split()[0] != "0"


def _what_it_survives(service: Service) -> None:
    """Another one, a wrong configuration, being killed, and hanging."""
    second = service.machine.run(*TIDEGATE, "run")
    assert second.returncode == 2
    assert "a Tidegate runs here already" in second.stderr
    service.shell("echo 'sotre: 1' >> /etc/tidegate/tidegate.yml; systemctl reload tidegate")
    wait_for(lambda: 'unknown key "sotre"' in service.show("StatusText"))
    service.write("/etc/tidegate/tidegate.yml", SETTINGS)
    service.shell("systemctl reload tidegate")
    wait_for(lambda: service.show("StatusText") == "capturing lo, one")
    assert service.show("ActiveState") == "active"

    before = service.show("MainPID")
    service.shell("systemctl kill --kill-whom=main --signal=KILL tidegate")
    wait_for(lambda: service.show("MainPID") not in ("0", before) and service.show("ActiveState") == "active")
    assert "started again 1 times" in service("status")

    service.shell("systemctl service-watchdogs yes")
    service.write("/etc/systemd/system/tidegate.service.d/soon.conf", "[Service]\nWatchdogSec=3s\n")
    service.shell("systemctl daemon-reload")
    service("restart")
    pid = service.show("MainPID")
    service.shell("systemctl kill --kill-whom=main --signal=STOP tidegate")
    wait_for(
        lambda: service.show("MainPID") not in ("0", pid) and service.show("ActiveState") == "active", 60
    )
