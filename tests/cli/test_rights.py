"""`tidegate watch` as root: what parses has no rights, and still does all it should."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tidegate
from helpers import LIBRARIES, Run, ordinary_python, wait_for
from nets import Net, children, status

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="rights are given up by root")

NOBODY = 65534
NONE = "0" * 16

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def net() -> Iterator[Net]:
    with Net() as made:
        yield made


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path, net: Net) -> Iterator[Start]:
    """Starts `tidegate watch ...` in the namespace; killed at the end if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def start_watch(*words: object, python: str = sys.executable, **more: str) -> subprocess.Popen[str]:
        told = (tmp_path / "told").open("w")
        # `ip netns exec` becomes the program itself, so the pid is its own.
        watch = subprocess.Popen(
            net.inside(python, "-m", "tidegate", "watch", "--interim", "300ms", *words),
            text=True, env=environment | {"PYTHONPATH": LIBRARIES} | more, cwd="/",
            stdout=subprocess.DEVNULL, stderr=told,
        )  # fmt: skip
        told.close()
        running.append(watch)
        return watch

    yield start_watch
    for watch in running:
        watch.kill()
        watch.communicate()


@pytest.fixture
def told(tmp_path: Path) -> Callable[[], str]:
    """What was said on stderr so far."""
    return lambda: (tmp_path / "told").read_text()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that any user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="tidegate-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ports(store: Path) -> set[int]:
    """Ports of the connections that are stored."""
    if not (store / "VERSION").exists():
        return set()
    return {int(row[0]) for row in tidegate.query("SELECT dst_port FROM conn WHERE proto = 'udp'", store)}


def sent_until_stored(net: Net, interface: str, port: int, store: Path) -> None:
    def seen() -> bool:
        net.send(interface, port=port)
        return port in ports(store)

    wait_for(seen)


def assert_without_rights(pid: int, user: int) -> None:
    found = status(pid)
    assert [found[key] for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == [NONE] * 5
    assert found["NoNewPrivs"] == "1"
    assert found["Uid"].split() == [str(user)] * 4
    for task in Path(f"/proc/{pid}/task").iterdir():
        assert f"CapEff:\t{NONE}" in (task / "status").read_text(), task


def helper_of(watch: subprocess.Popen[str]) -> int:
    wait_for(lambda: children(watch.pid))
    return children(watch.pid)[0]


def test_the_worker_has_no_rights_and_captures_stores_records_and_hot_plugs(
    start: Start, net: Net, tmp_path: Path, told: Callable[[], str], run: Run
) -> None:
    net.add_pair("one")
    watch = start(
        "--store", tmp_path / "s", "-w", tmp_path / "new" / "r.pcapng", "udp port 7001 or udp port 7002"
    )
    sent_until_stored(net, "one", 7001, tmp_path / "s")
    assert_without_rights(watch.pid, 0)
    assert "runs as root, without any of its capabilities: " in told()
    assert "neither --user nor service.user nor sudo names a user" in told()
    helper = status(helper_of(watch))
    assert helper["Name"] == "tidegate: helpe"
    net.add_pair("two")
    sent_until_stored(net, "two", 7002, tmp_path / "s")
    wait_for(lambda: "two: came up, watched since " in told())
    net.ip("link del one")
    wait_for(lambda: "one: the interface is gone since " in told())
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 0, told()
    watched = told().partition("tidegate: watched ")[2].partition(" for ")[0]
    assert set(watched.split(", ")) == {"lo", "one", "onex", "two", "twox"}
    assert ports(tmp_path / "s") == {7001, 7002}
    rows = run("read", tmp_path / "new" / "r.pcapng", "--table", "packet", "--format", "tsv").stdout
    assert len(rows.splitlines()) > 6


def test_who_called_sudo_is_who_the_worker_is(
    start: Start, net: Net, open_folder: Path, told: Callable[[], str]
) -> None:
    net.add_pair("one")
    store, record = open_folder / "deep" / "s", open_folder / "records" / "r.pcapng"
    words = ("--store", store, "-w", record, "--format", "tsv", "-o", open_folder / "records" / "conn.tsv")
    who = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    watch = start(*words, "-i", "one", python=ordinary_python(NOBODY), **who)
    sent_until_stored(net, "one", 7001, store)
    assert_without_rights(watch.pid, NOBODY)
    assert status(watch.pid)["Groups"].split() == [str(NOBODY)]
    assert status(helper_of(watch))["Uid"].split()[0] == "0"
    net.ip("link del one")
    wait_for(lambda: "one: the interface is gone since " in told())
    net.add_pair("one")
    sent_until_stored(net, "one", 7002, store)
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 0, told()
    assert "runs as" not in told()
    assert {path.stat().st_uid for path in store.parent.rglob("*")} == {NOBODY}
    assert {path.stat().st_uid for path in record.parent.iterdir()} == {NOBODY}
    assert "tidegate: kept in" in told()


def test_a_store_that_was_root_s_is_handed_over_and_back(
    start: Start, net: Net, open_folder: Path, told: Callable[[], str]
) -> None:
    net.add_pair("one")
    store = open_folder / "s"
    for port, user in ((7001, "root"), (7002, str(NOBODY)), (7003, "root")):
        watch = start("--store", store, "--user", user, "udp port 7001 or udp port 7002 or udp port 7003",
                      python=ordinary_python(NOBODY))  # fmt: skip
        sent_until_stored(net, "one", port, store)
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(30) == 0, told()
    assert ports(store) == {7001, 7002, 7003}
    assert {path.stat().st_uid for path in store.rglob("*")} == {0}


def test_a_helper_that_is_killed_is_missed_and_the_watch_goes_on(
    start: Start, net: Net, tmp_path: Path, told: Callable[[], str]
) -> None:
    net.add_pair("one")
    watch = start("--store", tmp_path / "s")
    sent_until_stored(net, "one", 7001, tmp_path / "s")
    os.kill(helper_of(watch), signal.SIGKILL)
    wait_for(lambda: "the privileged helper has ended" in told())
    sent_until_stored(net, "one", 7002, tmp_path / "s")
    net.add_pair("two")
    wait_for(lambda: "two: not watched: the privileged helper is gone" in told())
    sent_until_stored(net, "one", 7003, tmp_path / "s")
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 0, told()
    assert told().count("the privileged helper has ended") == 1


def test_a_worker_that_is_killed_takes_its_helper_along(start: Start, net: Net, tmp_path: Path) -> None:
    net.add_pair("one")
    watch = start("--store", tmp_path / "s")
    sent_until_stored(net, "one", 7001, tmp_path / "s")
    helper = helper_of(watch)
    watch.kill()
    wait_for(lambda: not Path(f"/proc/{helper}").exists() or "Z" in status(helper)["State"], 1.0)


def test_ctrl_c_goes_to_all_and_everything_is_written(
    start: Start, net: Net, tmp_path: Path, told: Callable[[], str]
) -> None:
    net.add_pair("one")
    watch = start("--store", tmp_path / "s")
    sent_until_stored(net, "one", 7001, tmp_path / "s")
    for pid in (helper_of(watch), watch.pid):  # as a terminal does it, to each of the group
        os.kill(pid, signal.SIGINT)
    assert watch.wait(30) == 0, told()
    assert not list((tmp_path / "s").glob("open/*/*"))


def test_a_place_that_the_user_cannot_write_to_is_told(
    start: Start, tmp_path: Path, open_folder: Path, told: Callable[[], str]
) -> None:
    python = ordinary_python(NOBODY)
    watch = start("--no-store", "-w", open_folder / "r.pcapng", "--user", "nobody", python=python)
    assert watch.wait(30) == 2
    assert told() == (
        f"tidegate: {open_folder}: not writable for nobody, as whom tidegate runs; choose another place, "
        "or --user NAME\n"
    )
    watch = start("--store", tmp_path / "deep" / "s", "--user", "nobody", python=python)
    assert watch.wait(30) == 1
    assert told().startswith(f"tidegate: {tmp_path}/deep/s: Permission denied; choose another directory")
    assert len(told().splitlines()) == 1


def test_without_the_helper_it_keeps_its_rights(start: Start, net: Net, tmp_path: Path) -> None:
    net.add_pair("one")
    watch = start("--no-helper", "--store", tmp_path / "s")
    sent_until_stored(net, "one", 7001, tmp_path / "s")
    assert not children(watch.pid)
    assert status(watch.pid)["CapEff"] != NONE


def test_a_user_that_there_is_not(start: Start, told: Callable[[], str]) -> None:
    watch = start("--no-store", "--user", "nobody-at-all")
    assert watch.wait(30) == 2
    assert told() == 'tidegate: there is no user "nobody-at-all"\n'


def test_a_user_with_the_right_to_capture_keeps_no_more_than_that(
    start: Start, net: Net, open_folder: Path, told: Callable[[], str]
) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here")
    net.add_pair("one")
    store = open_folder / "s"
    store.mkdir()
    os.chown(store, NOBODY, NOBODY)
    given = "-all,+net_raw"
    words = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    python = ordinary_python(NOBODY)
    watch = subprocess.Popen(
        net.inside(*words, "--inh-caps", given, "--ambient-caps", given, python, "-m", "tidegate", "watch",
                   "--interim", "300ms", "--store", store),
        env={"PYTHONPATH": LIBRARIES, "PYTHONWARNINGS": "ignore"}, cwd="/", stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        sent_until_stored(net, "one", 7001, store)
        assert status(watch.pid)["CapPrm"] == status(watch.pid)["CapEff"] == NONE
        assert int(status(children(watch.pid)[0])["CapPrm"], 16) == 1 << 13
        net.add_pair("two")
        sent_until_stored(net, "two", 7002, store)
    finally:
        watch.send_signal(signal.SIGINT)
        assert watch.wait(30) == 0


def test_without_any_right_it_says_what_to_do(environment: dict[str, str], net: Net) -> None:
    python = ordinary_python(NOBODY)
    words = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", python, "-m", "tidegate"]
    done = subprocess.run(
        net.inside(*words, "watch", "--no-store"), capture_output=True, text=True, cwd="/",
        env=environment | {"PYTHONPATH": LIBRARIES, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "not permitted; run as root (sudo tidegate watch)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_service_s_worker_has_no_rights_either(
    net: Net, open_folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    net.add_pair("one")
    settings = open_folder / "t.yml"
    lines = (
        f"store: {{path: {open_folder / 's'}}}",
        "watch: {engine: {interim: 300ms}}",
        "service: {user: nobody}",
    )
    settings.write_text("\n".join(lines))
    with (tmp_path / "told").open("w") as told:
        running = subprocess.Popen(
            net.inside(ordinary_python(NOBODY), "-m", "tidegate", "run", "--config", settings),
            env=environment | {"PYTHONPATH": LIBRARIES}, cwd="/", stderr=told,
        )  # fmt: skip
    try:
        sent_until_stored(net, "one", 7001, open_folder / "s")
        worker = children(running.pid)[0]
        assert_without_rights(worker, NOBODY)
        assert status(children(worker)[0])["Name"] == "tidegate: helpe"
        net.add_pair("two")
        sent_until_stored(net, "two", 7002, open_folder / "s")
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: children(running.pid) not in ([], [worker]))
        sent_until_stored(net, "two", 7003, open_folder / "s")
    finally:
        running.terminate()
        assert running.wait(30) == 0, (tmp_path / "told").read_text()
    assert {path.stat().st_uid for path in (open_folder / "s").rglob("*")} == {NOBODY}


def test_counters_of_each_interface(net: Net) -> None:
    net.add_pair("one")
    program = """
import time, tidegate
with tidegate.watch(filter="udp port 7001") as watch:
    print("ready", flush=True)
    seen = {}
    while not ("one" in seen and seen["one"].packets + seen["onex"].packets == 5 and not seen["one"].watched):
        time.sleep(0.02)
        seen = {one.name: one for one in watch.stats.by_interface}
every = seen.values()
print(sorted(seen), sum(one.bytes for one in every), sum(one.dropped for one in every), flush=True)
print(seen["lo"].up, seen["lo"].watched, seen["one"].up, sum(one.duplicates for one in every))
"""
    watch = subprocess.Popen(net.inside(sys.executable, "-c", program), stdout=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    try:
        assert watch.stdout.readline() == "ready\n"
        net.send("one", count=5, port=7001)
        net.ip("link del one")
        assert watch.stdout.readline() == "['lo', 'one', 'onex'] 235 0\n"
        assert watch.stdout.readline() == "True True False 5\n"
    finally:
        watch.kill()
        watch.communicate()
