"""A running `watch` is reached from another terminal: `tidegate alerts`, `control`, and `top` beside it."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers import LIBRARIES, TIDEGATE, Run, ordinary_python, wait_for
from nets import Net, status
from terminal import Terminal, until
from tidegate.alerts import NAME, read_state

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="watching needs root")

RULES = """
alerts:
  rules:
    - {name: packets, metric: packets, threshold: 1, window: 60s, actions: [log, screen]}
    - {name: ports, metric: distinct_ports, threshold: 1000, window: 60s}
"""
NOBODY = 65534
WATCH = [*TIDEGATE, "watch", "--interim", "300ms"]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def net() -> Iterator[Net]:
    with Net() as made:
        made.add_pair("one")
        yield made


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that any user can reach, with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="tg-"))
    folder.chmod(0o755)
    (folder / "t.yml").write_text(RULES)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(environment: dict[str, str], net: Net, place: Path) -> Iterator[Start]:
    """Starts `tidegate watch` in the namespace, lines to a file; killed at the end if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def start_watch(*words: object) -> subprocess.Popen[str]:
        with (place / f"told{len(running)}").open("w") as told:
            command = net.inside(
                *TIDEGATE, "watch", "--config", place / "t.yml", "--interim", "300ms", *words
            )
            streams = {"stdout": subprocess.DEVNULL, "stderr": told}
            watch = subprocess.Popen(command, text=True, env=environment, cwd=place, **streams)  # type: ignore[call-overload]
        running.append(watch)
        return watch  # type: ignore[no-any-return]

    yield start_watch
    for watch in running:
        watch.kill()
        watch.communicate()


def raised(net: Net, store: Path) -> str:
    """The name of the alert that packets raise, once they have."""

    def seen() -> bool:
        net.send("one")
        return bool(read_state(store / NAME).open)

    wait_for(seen)
    return next(iter(read_state(store / NAME).open))


def ended(watch: subprocess.Popen[str], place: Path, number: int = 0) -> str:
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 0, (place / f"told{number}").read_text()
    return (place / f"told{number}").read_text()


def test_alerts_of_a_running_watch_are_acted_on_from_elsewhere(
    start: Start, net: Net, place: Path, run: Run
) -> None:
    watch = start("--store", place / "s")
    name = raised(net, place / "s")
    door = place / "s" / "control.sock"
    assert stat.S_IMODE(door.stat().st_mode) == 0o600
    for words, said in (
        (["ack", name], f"acknowledged {name}"),
        (["mute", "1h", "packets"], "muted packets"),
        (["silence", "--source", "10.9.9.9"], "end it with: tidegate alerts unsilence"),
    ):
        done = run("alerts", "--store", place / "s", *words)
        assert (done.returncode, said in done.stdout) == (0, True), done.stderr
    state = read_state(place / "s" / NAME)
    assert state.open[name].acknowledged_by
    assert list(state.mutes) == ["packets"]
    assert [each.source for each in state.silences.values()] == ["10.9.9.9/32"]
    done = run("alerts", "--store", place / "s", "mute", "1h", "nothing")
    assert 'there is no rule "nothing"; there are packets, ports' in done.stderr
    answer = json.loads(run("control", "--socket", door, "--json").stdout)
    assert (answer["pid"], answer["alerts_open"], "one" in answer["interfaces"]) == (watch.pid, 1, True)
    assert f"store     {place}/s" in run("control", "--socket", door).stdout
    assert "a watch has nothing to read anew" in run("control", "--socket", door, "reload").stderr
    assert run("control", "--socket", door, "stop").returncode == 0
    assert watch.wait(30) == 0
    assert not door.exists()


def test_two_watches_of_two_stores_have_two_doors_whatever_is_configured(
    start: Start, net: Net, place: Path, run: Run
) -> None:
    settings = f"{RULES}store: {{path: {place}/a}}\nservice: {{control: {place}/door.sock}}\n"
    (place / "t.yml").write_text(settings)
    first, second = start(), start("--store", place / "b")
    raised(net, place / "a")
    raised(net, place / "b")
    assert (place / "door.sock").is_socket()
    assert run("alerts", "--config", place / "t.yml", "mute", "1h").returncode == 0
    for store, muted in ((place / "a", ["*"]), (place / "b", [])):
        assert list(read_state(store / NAME).mutes) == muted
    words = ["alerts", "--config", place / "t.yml", "--store", place / "b"]
    assert run(*words, "mute", "1h", "ports").returncode == 0
    assert list(read_state(place / "b" / NAME).mutes) == ["ports"]
    assert "no other terminal" not in ended(first, place, 0) + ended(second, place, 1)


def test_a_store_with_a_long_path_is_watched_without_a_door(
    start: Start, net: Net, place: Path, run: Run
) -> None:
    store = place / ("long" * 30)
    watch = start("--store", store)
    raised(net, store)
    done = run("alerts", "--store", store, "mute", "1h")
    assert done.returncode == 1
    assert f"process {watch.pid} is watching over its alerts, and takes no commands" in done.stderr
    told = ended(watch, place)
    assert "no other terminal reaches this watch" in told
    assert "107 bytes at most; name a shorter one (service: control), or a store with a shorter path" in told


def test_what_a_killed_watch_left_is_replaced(start: Start, net: Net, place: Path, run: Run) -> None:
    watch = start("--store", place / "s")
    raised(net, place / "s")
    watch.kill()
    watch.wait()
    assert (place / "s" / "control.sock").is_socket()
    assert (
        run("alerts", "--store", place / "s", "mute", "1h").returncode == 0
    )  # in the state beside the store
    again = start("--store", place / "s")
    wait_for(lambda: run("control", "--socket", place / "s" / "control.sock").returncode == 0)
    assert "muted: everything" in run("alerts", "--store", place / "s").stdout
    assert "no other terminal" not in ended(again, place, 1)


def test_without_a_store_there_is_no_door(start: Start, place: Path) -> None:
    watch = start("--no-store", "--for", "1s")
    assert watch.wait(30) == 0
    assert "no other terminal" not in (place / "told0").read_text()
    assert not list(place.rglob("*.sock"))


def test_the_unprivileged_worker_answers_its_user_and_root(
    environment: dict[str, str], net: Net, place: Path, run: Run
) -> None:
    words = [ordinary_python(NOBODY), *WATCH[1:], "--config", place / "t.yml", "--store", place / "s"]
    who = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY), "PYTHONPATH": LIBRARIES}
    with (place / "told0").open("w") as told:
        watch = subprocess.Popen(
            net.inside(*words), env=environment | who, cwd="/",
            stdout=subprocess.DEVNULL, stderr=told, text=True,
        )  # fmt: skip
    try:
        name = raised(net, place / "s")
        assert status(watch.pid)["Uid"].split() == [str(NOBODY)] * 4
        assert (place / "s" / "control.sock").stat().st_uid == NOBODY
        assert run("alerts", "--store", place / "s", "ack", name).returncode == 0
        assert read_state(place / "s" / NAME).open[name].acknowledged_by
        ended(watch, place)
    finally:
        watch.kill()
        watch.wait()


def test_top_beside_a_watch_acknowledges_mutes_silences_and_sees_what_others_did(
    start: Start, net: Net, place: Path, run: Run
) -> None:
    watch = start("--store", place / "s")
    name = raised(net, place / "s")
    terminal = Terminal([*TIDEGATE, "top", "--store", str(place / "s")], place, 150)
    try:
        wait_for(lambda: terminal.shows(b"packets"))
        terminal.press("7")
        until(terminal, "7", b"WARNING")
        terminal.press("a")
        until(terminal, "a", b"acknowledged")
        assert read_state(place / "s" / NAME).open[name].acknowledged_by
        terminal.press("m")
        until(terminal, "m", b"muted for an hour")
        terminal.press("w")
        until(terminal, "w", b"rule:packets for:1d")
        terminal.press("\r")
        until(terminal, "Enter", b"rule packets: silenced")
        state = read_state(place / "s" / NAME)
        assert (list(state.mutes), len(state.silences)) == (["packets"], 1)
        assert run("alerts", "--store", place / "s", "mute", "2h", "ports").returncode == 0
        until(terminal, "mute elsewhere", b"ports")
        terminal.press("x")
        until(terminal, "x", b"told again")
        wait_for(lambda: list(read_state(place / "s" / NAME).mutes) == ["ports"])
        ended(watch, place)
        # Nobody runs now: the state beside the store is what is acted on.
        deadline = time.monotonic() + 30
        while list(read_state(place / "s" / NAME).silences):
            assert time.monotonic() < deadline
            terminal.press("x")
            wait_for(lambda: terminal.shows(b"no longer silenced"))
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.kill()
