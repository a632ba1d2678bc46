"""A real helper process: what it answers, what it refuses, what it keeps, and when it ends."""

import array
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from helpers import wait_for
from nets import Net, status
from tidegate.helper import cleanup, launch
from tidegate.helper.client import GONE, Helper, HelperError
from tidegate.helper.messages import QUESTION
from tidegate.helper.records import Record
from tidegate.helper.steering import MAX_STEERINGS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a helper needs root")

PACKET = b'{"ask":"packet","kind":"raw"}'
STATE = b'{"ask":"state"}'


class Source:
    """Records of processes, one and no more."""

    method = "scan"
    refused: Sequence[tuple[str, str]] = (("bpf", "not here"),)
    stats: Mapping[str, int] = MappingProxyType({"events": 1})

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[Record]:
        return [("socket", proto, local_ip, local_port, remote_ip, remote_port)]

    def __init__(self) -> None:
        self._records: list[Record] = [("started", os.getpid())]

    def poll(self, timeout: float) -> Sequence[Record]:
        records, self._records = self._records, []
        return records

    def stop(self) -> None:
        """Nothing is open."""


@pytest.fixture
def helper() -> Iterator[Helper]:
    with launch._fork(Source) as started:
        # It looks for leftovers beside, which opens files for a while.
        ask(started, STATE)
        wait_for(lambda: status(started.pid)["Threads"] == "1")
        yield started
    assert not started.is_alive(), "it ends with the connection"


def open_files(helper: Helper) -> list[str]:
    """What the helper has open, by number."""
    folder = Path(f"/proc/{helper.pid}/fd")
    return [str(path.readlink()) for path in sorted(folder.iterdir(), key=lambda path: int(path.name))]


def resident(helper: Helper) -> int:
    """KiB of memory that the helper has; it begins with what was its maker's."""
    return int(status(helper.pid)["VmRSS"].split()[0])


def ask(helper: Helper, *messages: bytes) -> list[dict[str, object]]:
    """Sends bare messages one after the other; the answers, their descriptors closed."""
    answers = []
    for message in messages:
        helper._questions.send(message)
        answer, descriptors, _, _ = socket.recv_fds(helper._questions, 1 << 16, 4)
        for descriptor in descriptors:
            os.close(descriptor)
        answers.append(json.loads(answer) | {"descriptors": len(descriptors)})
    return answers


def test_it_opens_packet_sockets_that_take_nothing_yet(helper: Helper) -> None:
    for kind, form in (("raw", socket.SOCK_RAW), ("cooked", socket.SOCK_DGRAM)):
        fields, descriptors = helper._ask({"ask": "packet", "kind": kind})
        assert fields == {"ok": True}
        with socket.socket(fileno=descriptors[0]) as opened:
            assert (opened.family, opened.type) == (socket.AF_PACKET, form)
            assert opened.getsockname()[:2] == ("", 0)


@pytest.mark.parametrize(
    "message",
    [b"garbage", b"\x00" * 100, b"[" * 400, PACKET[:-1], b'{"ask":"packet","kind":"raw"}' * 2, b'{"ask":1}'],
)
def test_it_refuses_and_goes_on(helper: Helper, message: bytes) -> None:
    refused, opened = ask(helper, message, PACKET)
    assert refused["errno"] == 22
    assert str(refused["error"]).startswith("refused: ")
    assert refused["descriptors"] == 0
    assert (opened["ok"], opened["descriptors"]) == (True, 1)


def test_it_refuses_what_is_huge(helper: Helper) -> None:
    huge = PACKET + b" " * (QUESTION - len(PACKET) + 1)
    assert [answer.get("error") for answer in ask(helper, huge, b"x" * 100_000, PACKET)] == [
        "refused: too long",
        "refused: too long",
        None,
    ]


def test_it_refuses_descriptors_and_keeps_none(helper: Helper) -> None:
    before = open_files(helper)
    for _ in range(50):
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
        helper._questions.sendmsg([PACKET], [rights])
        answer, descriptors, _, _ = socket.recv_fds(helper._questions, 1 << 16, 4)
        assert json.loads(answer)["error"] == "refused: descriptors"
        assert not descriptors
    assert open_files(helper) == before


def test_many_questions_whose_answers_nobody_takes_do_it_no_harm(helper: Helper) -> None:
    before, memory = open_files(helper), resident(helper)
    helper._questions.setblocking(False)
    sent = 0
    while sent < 20_000:
        try:
            helper._questions.send(PACKET)
            sent += 1
        except BlockingIOError:
            wait_for(lambda: "sleeping" in status(helper.pid)["State"])
            break
    helper._questions.settimeout(5)
    for _ in range(sent):
        try:
            _, descriptors, _, _ = socket.recv_fds(helper._questions, 1 << 16, 4)
        except TimeoutError:
            break
        for descriptor in descriptors:
            os.close(descriptor)
        helper._questions.settimeout(0.3)
    assert ask(helper, STATE)[0]["errno"] == errno.ENOTCONN, "records were not asked for"
    assert open_files(helper) == before
    assert resident(helper) - memory < 20_000


def test_it_keeps_few_rights_and_no_files(helper: Helper) -> None:
    found = status(helper.pid)
    kept = {number for number in range(64) if int(found["CapPrm"], 16) >> number & 1}
    assert kept <= launch._kept()
    assert int(found["CapBnd"], 16) == int(found["CapPrm"], 16) == int(found["CapEff"], 16)
    assert found["CapInh"] == found["CapAmb"] == "0" * 16
    assert found["NoNewPrivs"] == "1"
    assert found["Name"] == "tidegate: helpe"
    cmdline = Path(f"/proc/{helper.pid}/cmdline").read_bytes()
    assert cmdline.rstrip(b"\0") == b"tidegate: helper"
    opened = open_files(helper)
    assert opened[:2] == ["/dev/null", "/dev/null"]
    assert {name.partition("[")[0] for name in opened[3:]} == {"socket:", "anon_inode:"}
    assert len(opened) == 3 + 3 + 1, "three connections, and what waits for them"


def test_signals_to_the_whole_group_do_not_end_it(helper: Helper) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(helper.pid, number)
    assert ask(helper, PACKET)[0]["ok"]


def test_a_low_port(helper: Helper) -> None:
    with helper.bind("tcp", "127.0.0.1", 91) as bound:
        assert bound.getsockname() == ("127.0.0.1", 91)
        bound.listen()
        with pytest.raises(OSError, match="in use"):
            helper.bind("tcp", "127.0.0.1", 91)
    with helper.bind("udp", "::1", 91) as bound:
        assert bound.getsockname()[:2] == ("::1", 91)
    with pytest.raises(OSError, match="refused"):
        helper.bind("tcp", "127.0.0.1", 8080)


def test_only_one_that_was_started_for_it_steers(helper: Helper) -> None:
    asked = {"by": "sk_lookup", "address": "127.255.255.254", "ports": [[9, 9]], "spared": [], "sockets": 1}
    for question in ({"ask": "steer"} | asked, {"ask": "release", "steering": 1}):
        (answer,) = ask(helper, json.dumps(question).encode())
        assert (answer["errno"], answer["descriptors"]) == (errno.EPERM, 0)
        assert "not started for a relay" in str(answer["error"])


def test_steering_that_is_not_there_is_neither_altered_nor_released() -> None:
    with launch._fork(None, steers=True) as helper:
        alter = b'{"ask":"alter","steering":9,"ports":[[1,2]],"spared":[]}'
        altered, released = ask(helper, alter, b'{"ask":"release","steering":9}')
        assert altered["error"] == "there is no such steering"
        assert released["ok"]


def test_what_it_steers_has_a_bound_and_leaves_no_files() -> None:
    asked = b'{"ask":"steer","by":"%s","address":"127.255.255.254","ports":[[9,9]],"spared":[],"sockets":2}'
    with launch._fork(None, steers=True) as helper:
        ask(helper, STATE)
        wait_for(lambda: status(helper.pid)["Threads"] == "1")
        before = open_files(helper)
        for method in (b"sk_lookup", b"tproxy", b"redirect"):
            answers = ask(helper, *[asked % method] * (MAX_STEERINGS + 1))
            if "errno" in answers[0]:
                continue  # tests/relay/test_steering.py says that it does not work here
            assert [answer["descriptors"] for answer in answers] == [2] * MAX_STEERINGS + [0]
            numbers = [answer["steering"] for answer in answers[:-1]]
            ask(helper, *(b'{"ask":"release","steering":%d}' % number for number in numbers))
            assert open_files(helper) == before


def test_records_go_through_it(helper: Helper) -> None:
    records = helper.records()
    assert records.method == "scan"
    assert records.poll(10) == [("started", helper.pid)]
    assert records.refused == [("bpf", "not here")]
    assert records.stats == {"events": 1, "helper_dropped": 0}
    assert records.lookup("tcp", "::1", 80) == [("socket", "tcp", "::1", 80, None, 0)]
    with pytest.raises(HelperError, match="already"):
        helper.records()


def test_without_records_it_says_so() -> None:
    with launch._fork(None) as helper, pytest.raises(HelperError, match="no records"):
        helper.records()


def test_it_is_missed_when_it_is_gone(helper: Helper) -> None:
    assert helper.warnings() == []
    records = helper.records()
    os.kill(helper.pid, signal.SIGKILL)
    wait_for(lambda: helper.warnings() == [GONE])
    for _ in range(2):
        with pytest.raises(HelperError):
            helper.bind("tcp", "127.0.0.1", 91)
    assert records.lookup("tcp", "::1", 80) == []
    assert records.poll(10) is None or records.poll(10) is None


def test_it_ends_with_a_worker_that_is_killed() -> None:
    program = (
        "import time; from tidegate.helper import launch; h = launch._fork(None); h.state();"
        "print(h.pid, flush=True); time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    pid = int(worker.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    worker.kill()
    worker.communicate()
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or "Z" in status(pid)["State"], 1.0)


def test_what_killed_ones_left_is_known_by_its_name(helper: Helper) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = [f"tidegate-{gone.pid}", f"tidegate-{gone.pid}-2"]
    others = [f"tidegate-{helper.pid}", f"tidegate-{helper.pid}-1", "tidegate", "tidegate-x", "other"]
    assert all(cleanup.is_leftover(name, None) for name in left)
    assert not any(cleanup.is_leftover(name, None) for name in others)
    assert cleanup.is_leftover(f"tidegate-{helper.pid}", helper.pid)


def test_a_table_of_nft_that_a_killed_one_left_is_removed_and_no_other() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    with Net() as net:
        for name in (f"tidegate-{gone.pid}", f"tidegate-{gone.pid}-3", "other"):
            made = subprocess.run(net.inside("nft", "add", "table", "inet", name), capture_output=True)
            if made.returncode:
                pytest.skip(f"no nft tables here: {made.stderr.decode()}")
        program = "from tidegate.helper import launch; launch._fork(None).close()"
        subprocess.run(net.inside(sys.executable, "-c", program), check=True, capture_output=True)
        left = subprocess.run(net.inside("nft", "list", "tables"), capture_output=True, text=True).stdout
        assert left.split() == ["table", "inet", "other"]


def test_a_tracing_instance_that_a_killed_one_left_is_removed() -> None:
    if not cleanup.TRACING.is_dir():
        pytest.skip("no tracing here")
    gone = subprocess.Popen(["true"])
    gone.wait()
    instance = cleanup.TRACING / f"tidegate-{gone.pid}"
    instance.mkdir()
    with launch._fork(None):
        wait_for(lambda: not instance.exists())
