"""`tidegate run` and `tidegate control` on the loopback interface: a worker that dies comes back."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import tidegate
from helpers import TIDEGATE, Run, free_port, wait_for
from hook import hooked
from nets import Net

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")

# Ours alone: other tests may talk on the loopback at the same time.
SETTINGS = "store: {path: s}\nwatch: {interfaces: lo, filter: icmp or tcp port 1, engine: {interim: 500ms}}\n"


class Running:
    """A `tidegate run` in an empty directory, and questions to it."""

    def __init__(
        self,
        place: Path,
        environment: dict[str, str],
        run: Run,
        settings: str = SETTINGS,
        before: Sequence[str] = (),
    ) -> None:
        """`before` are the words before the command, to run it elsewhere."""
        self.file = place / "t.yml"
        self.file.write_text(settings)
        self._run = run
        self.told = place / "told"
        with self.told.open("w") as told:
            words = [*before, *TIDEGATE, "run", "--config", "t.yml"]
            self.process = subprocess.Popen(words, env=environment, cwd=place, stderr=told)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run("control", "--config", "t.yml", *words)

    def status(self) -> dict[str, Any]:
        done = self.ask("--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.update(self.status())
            return bool(seen and holds(seen))

        wait_for(look)
        return seen


@contextmanager
def started(*given: Any) -> Iterator[Running]:
    made = Running(*given)
    try:
        yield made
        made.process.terminate()
        made.process.wait(20)
    finally:
        made.process.kill()
        made.process.wait()


@pytest.fixture
def running(tmp_path: Path, environment: dict[str, str], run: Run) -> Iterator[Running]:
    with started(tmp_path, environment, run) as made:
        yield made


def ping() -> None:
    subprocess.run(["ping", "-q", "-c", "2", "-i", "0.1", "127.0.0.1"], check=True, capture_output=True)


def test_it_answers_reloads_and_stops_with_everything_written(running: Running, tmp_path: Path) -> None:
    running.until(lambda status: status["capturing"])
    ping()
    running.until(lambda status: status["packets"] >= 4)
    assert "capture   lo" in running.ask().stdout
    running.file.write_text(SETTINGS + "sotre: 1\n")
    refused = running.ask("reload")
    assert refused.returncode == 2
    assert 't.yml:3: unknown key "sotre"; did you mean "store"?' in refused.stderr
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda status: "sotre" in status["reload_error"])
    running.file.write_text(SETTINGS + "alerts: {keys: 5}\n")
    assert running.ask("reload").returncode == 0
    running.until(lambda status: status["reloads"] == 1)
    assert running.ask("stop").returncode == 0
    assert running.process.wait(20) == 0
    assert list(tidegate.query("SELECT count(*) > 0 FROM icmp", tmp_path / "s")) == [(True,)]
    assert not (tmp_path / "s" / "control.sock").exists()


def test_a_reload_keeps_what_waits_for_a_webhook_and_what_was_lost(running: Running) -> None:
    rule = "{name: any, metric: packets, threshold: 0, window: 10s, settle: 0s, actions: [ops, deaf]}"
    with hooked(503, 200) as ops, hooked(404) as deaf:
        hooks = f"[{{name: ops, url: '{ops.url}'}}, {{name: deaf, url: '{deaf.url}'}}]"
        running.file.write_text(SETTINGS + f"alerts: {{rules: [{rule}], webhooks: {hooks}}}\n")
        running.until(lambda status: status["capturing"])
        assert running.ask("reload").returncode == 0
        running.until(lambda status: status["reloads"] == 1)
        ping()
        wait_for(lambda: ops.asked and deaf.asked)
        running.process.send_signal(signal.SIGHUP)
        after = running.until(lambda status: status["reloads"] == 2)
        assert {each["name"]: each["lost"] for each in after["notices"]} == {"ops": 0, "deaf": 1}
        wait_for(lambda: ops.bodies)
        running.until(lambda status: status["notices"][0]["waiting"] == 0)
        assert "ops was not told" not in running.told.read_text()


def test_a_worker_that_is_killed_comes_back(running: Running) -> None:
    first = running.until(lambda status: status["capturing"])["pid"]
    os.kill(first, signal.SIGKILL)
    running.until(lambda status: status["pid"] != first)
    assert "the worker ended with signal 9; next start in 1 s" in running.told.read_text()
    assert running.process.poll() is None


def test_a_second_one_is_refused(running: Running, run: Run) -> None:
    running.until(lambda status: status["capturing"])
    second = run("run", "--config", "t.yml")
    assert second.returncode == 2
    assert "a Tidegate runs here already" in second.stderr


def test_what_cannot_start_is_said_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(SETTINGS.replace("lo,", "eth 77,"))
    done = run("run", "--config", "t.yml")
    assert done.returncode == 2
    assert done.stderr.count('"eth 77" can be no interface') == 1
    (tmp_path / "t.yml").write_text("watch: 5\n")
    done = run("run", "--config", "t.yml")
    assert (done.returncode, done.stderr) == (
        2,
        "tidegate: t.yml:1: watch: a group of keys is expected, not 5\n",
    )


def test_an_interface_that_is_not_there_yet_is_waited_for(
    tmp_path: Path, environment: dict[str, str], run: Run
) -> None:
    settings = "store: {path: s}\nwatch: {interfaces: [lo, late0], engine: {interim: 500ms}}\n"
    with Net() as net, started(tmp_path, environment, run, settings, net.inside()) as running:
        running.until(lambda status: status["waiting_for"] == ["late0"] and status["capturing"])
        assert "capture   lo; waiting for late0, not there" in running.ask().stdout
        subprocess.run(net.inside("ping", "-q", "-c", "2", "-i", "0.1", "127.0.0.1"), check=True)
        before = running.until(lambda status: status["packets"] >= 4)["packets"]
        net.add_pair("late0")
        running.until(lambda status: status["waiting_for"] == [] and "late0" in status["interfaces"])
        net.send("late0", 3)
        running.until(lambda status: status["packets"] >= before + 3)
        assert running.ask("stop").returncode == 0
        assert running.process.wait(20) == 0
    told = running.told.read_text()
    assert "warning: late0: no such interface; waiting for it" in told
    assert "warning: late0: came up, watched since" in told
    assert "tidegate: watched lo, late0 for " in told
    assert "tidegate: dropped: nothing, by the kernel or later" in told
    rows = tidegate.query("SELECT count(*) > 0 FROM conn WHERE iface = 'late0'", tmp_path / "s")
    assert list(rows) == [(True,)]


def test_an_interface_that_goes_is_told_until_it_is_back(
    tmp_path: Path, environment: dict[str, str], run: Run
) -> None:
    settings = "store: {path: s}\nwatch: {interfaces: [lo, v0]}\n"
    with Net() as net:
        net.add_pair("v0")
        with started(tmp_path, environment, run, settings, net.inside()) as running:
            running.until(lambda status: status["capturing"] and status["interfaces"] == ["lo", "v0"])
            net.ip("link set v0 down")
            running.until(lambda status: status["interfaces_down"] == ["v0"])
            assert "capture   lo, v0; down: v0" in running.ask().stdout
            net.ip("link del v0")
            running.until(lambda status: status["waiting_for"] == ["v0"] and status["interfaces"] == ["lo"])
            assert "capture   lo; waiting for v0, not there" in running.ask().stdout
            net.add_pair("v0")
            running.until(lambda status: status["waiting_for"] == [] and not status["interfaces_down"])
            assert running.ask("stop").returncode == 0
            assert running.process.wait(20) == 0
    assert "tidegate: watched lo, v0 for " in running.told.read_text()


def test_a_reload_that_changes_the_capture_keeps_the_counters(running: Running) -> None:
    running.until(lambda status: status["capturing"])
    ping()
    before = running.until(lambda status: status["packets"] >= 4)["packets"]
    running.file.write_text(SETTINGS.replace("lo,", "lo, snaplen: 500,"))
    assert running.ask("reload").returncode == 0
    running.until(lambda status: status["reloads"] == 1 and status["capturing"])
    assert running.status()["packets"] >= before
    ping()
    running.until(lambda status: status["packets"] >= before + 4)
    assert running.ask("stop").returncode == 0
    assert running.process.wait(20) == 0
    assert re.search(
        r"tidegate: watched lo for .*: \d+ packets, .*, \d+ connections?", running.told.read_text()
    )


def figures(port: int) -> dict[str, float]:
    """What is served there, by names such as `tidegate_dropped_total{'place': 'kernel'}`."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            f"{one.name}{dict(one.labels) or ''}": one.value for family in families for one in family.samples
        }


def test_figures_follow_the_configuration(running: Running) -> None:
    running.until(lambda status: status["capturing"])
    first, second = free_port(), free_port()
    for number, port in enumerate((first, second), 1):
        running.file.write_text(f"{SETTINGS}service: {{metrics: '127.0.0.1:{port}'}}\n")
        assert running.ask("reload").returncode == 0
        running.until(lambda status, number=number: status["reloads"] == number)
        subprocess.run(["bash", "-c", ": </dev/tcp/127.0.0.1/1"], capture_output=True, check=False)
        wait_for(
            lambda port=port: figures(port).get("tidegate_connections_closed_total{'conn_state': 'REJ'}")
        )
        found = figures(port)
        assert found["tidegate_up"] == 1
        assert found["tidegate_dropped_total{'place': 'kernel'}"] == 0
        assert not any("127.0.0.1" in name for name in found)
    with pytest.raises(urllib.error.URLError):
        figures(first)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running.file.write_text(f"{SETTINGS}service: {{metrics: '127.0.0.1:{port}'}}\n")
        assert running.ask("reload").returncode == 0
        running.until(lambda status: "Address already in use" in status["reload_error"])
        assert figures(second)["tidegate_up"] == 1


def test_a_port_that_is_taken_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "t.yml").write_text(f"{SETTINGS}service: {{metrics: '127.0.0.1:{port}'}}\n")
        done = run("run", "--config", "t.yml")
    assert done.returncode == 2
    assert f"tidegate: t.yml:3: service.metrics: 127.0.0.1:{port}: Address already in use\n" in done.stderr
    assert "running;" not in done.stderr
    assert "watched" not in done.stderr


def test_a_helper_that_is_killed_comes_back_with_a_new_worker(running: Running) -> None:
    first = running.until(lambda status: status["capturing"])["pid"]
    helper = int(Path(f"/proc/{first}/task/{first}/children").read_text().split()[0])
    os.kill(helper, signal.SIGKILL)
    running.until(lambda status: status["pid"] != first)
    assert "the privileged helper has ended; a new worker brings a new one" in running.told.read_text()


def test_a_worker_ends_when_who_watches_over_it_is_killed(running: Running) -> None:
    worker = running.until(lambda status: status["capturing"])["pid"]
    running.process.kill()
    running.process.wait(20)
    wait_for(lambda: not Path(f"/proc/{worker}").exists())
    assert "tidegate: ended" in running.told.read_text()
