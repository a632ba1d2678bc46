"""Every connection gets its own program: real programs, real kernel, namespaces of our own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enrich.namespaces import Row, Watching, inside, pair

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="needs root (namespaces, tracing)"
    ),
    pytest.mark.skipif(shutil.which("nsenter") is None, reason="nsenter is missing"),
]

Watch = Callable[[str], Watching]
KERNEL = pytest.mark.parametrize("method", ["bpf", "tracepoint"])
SERVER = """
import socket, sys, threading
family, address = (socket.AF_INET6, "::") if "6" in sys.argv[1] else (socket.AF_INET, "0.0.0.0")
tcp, udp = socket.socket(family), socket.socket(family, socket.SOCK_DGRAM)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind((address, 8080)); tcp.listen(512); udp.bind((address, 5353))
print("ready", flush=True)
def answer():
    while True:
        udp.sendto(*udp.recvfrom(100))
threading.Thread(target=answer, daemon=True).start()
while True:
    tcp.accept()[0].close()
"""
CLIENT = """
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
    if len(sys.argv) > 4:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, int(sys.argv[4])))
    if kind == "send": s.sendto(b"x", (address, port))
    else:
        s.connect((address, port))
        if kind == "udp": s.send(b"x")
    s.settimeout(2)
    s.recv(10)
"""


@pytest.fixture(scope="module")
def spaces() -> Iterator[tuple[str, str]]:
    with pair() as names:
        yield names


@pytest.fixture
def watch(spaces: tuple[str, str]) -> Iterator[Watch]:
    started: list[Watching] = []

    def start(method: str) -> Watching:
        started.append(Watching(spaces[0], method))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[str], Path]:
    """Copies of the shell under other names."""

    def named(name: str) -> Path:
        return Path(shutil.copy("/bin/bash", tmp_path / name))

    return named


@pytest.fixture
def server(spaces: tuple[str, str]) -> Iterator[Callable[..., int]]:
    """Starts a server that accepts and hangs up, and echoes datagrams; its process number."""
    running: list[subprocess.Popen[str]] = []

    def start(space: int = 0, version: str = "4") -> int:
        words = [*inside(spaces[space]), sys.executable, "-c", SERVER, version]
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        stdout = running[-1].stdout
        assert stdout is not None
        assert stdout.readline() == "ready\n"
        return running[-1].pid

    yield start
    for one in running:
        one.kill()
        one.communicate()


def to(rows: list[Row], port: int, proto: str = "tcp") -> list[Row]:
    return [row for row in rows if row["dst_port"] == port and row["proto"] == proto]


@KERNEL
@pytest.mark.parametrize(("version", "address"), [("4", "127.0.0.1"), ("6", "::1")])
def test_short_programs_are_all_named_at_both_ends(
    watch: Watch,
    server: Callable[..., int],
    programs: Callable[[str], Path],
    method: str,
    version: str,
    address: str,
) -> None:
    there = server(version=version)
    here = watch(method)
    names = [f"brief{number}" for number in range(20)]
    for name in names:
        here.run(programs(name), "-c", f"exec 3<>/dev/tcp/{address}/8080")
    rows = to(here.rows(), 8080)
    assert sorted(str(row["process_name"]) for row in rows) == sorted(names)
    assert {(row["process_method"], row["process_confidence"]) for row in rows} == {(method, "event")}
    assert {row["process_user"] for row in rows} <= {"root", None}
    assert {(row["peer_process_pid"], row["peer_process_confidence"]) for row in rows} == {
        (there, "listener")
    }


@KERNEL
@pytest.mark.parametrize("kind", ["udp", "send"])
@pytest.mark.parametrize(("version", "address"), [("4", "127.0.0.1"), ("6", "::1")])
def test_datagrams_are_named_connected_or_not(
    watch: Watch, server: Callable[..., int], method: str, kind: str, version: str, address: str
) -> None:
    there = server(version=version)
    here = watch(method)
    here.run(sys.executable, "-c", CLIENT, kind, address, "5353")
    (row,) = to(here.rows(), 5353, "udp")
    assert "recv(10)" in row["process_cmdline"]
    assert row["process_confidence"] == "event"
    assert row["peer_process_pid"] == there


@KERNEL
def test_real_clients_are_named(watch: Watch, server: Callable[..., int], method: str) -> None:
    commands = {
        "curl": ["curl", "-s", "-m", "2", "http://127.0.0.1:8080/"],
        "socat": ["socat", "-u", "TCP6:[::1]:8081", "-"],
        "nc": ["nc", "-w", "1", "127.0.0.1", "8080"],
    }
    server()
    here = watch(method)
    found = [name for name in commands if shutil.which(name)]
    assert found, "neither curl nor socat nor nc is there"
    for name in found:
        here.run(*commands[name], stdin=subprocess.DEVNULL)
    rows = [row for row in here.rows() if row["dst_port"] in (8080, 8081)]
    assert sorted(str(row["process_name"]) for row in rows) == sorted(found)
    assert all(row["process_confidence"] == "event" for row in rows)


@KERNEL
@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["10.9.0.1", "fd09::1"])
def test_inbound_is_the_listener_s(
    watch: Watch, server: Callable[..., int], spaces: tuple[str, str], method: str, kind: str, address: str
) -> None:
    pid = server(version="6" if ":" in address else "4")
    here = watch(method)
    port = "8080" if kind == "tcp" else "5353"
    client = [*inside(spaces[1]), sys.executable, "-c", CLIENT, kind, address, port]
    subprocess.run(client, check=True, timeout=30)
    (row,) = to(here.rows(), int(port), kind)
    assert (row["process_pid"], row["peer_process_confidence"]) == (pid, "none")
    assert row["process_confidence"] in ("listener", "event")


@KERNEL
def test_listeners_and_connections_from_before_are_found(
    watch: Watch, server: Callable[..., int], spaces: tuple[str, str], method: str
) -> None:
    server(space=1)
    talk = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 4444)); s.connect(("10.9.0.2", 5353)); print(flush=True)
sys.stdin.readline(); s.send(b"x"); s.recv(9); sys.stdin.readline()
"""
    words = [*inside(spaces[0]), sys.executable, "-c", talk]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as before:
        assert before.stdout is not None
        assert before.stdin is not None
        before.stdout.readline()
        here = watch(method)
        before.stdin.write("go\n")
        before.stdin.flush()
        rows = here.rows(named=5353)
        before.communicate("end\n", timeout=30)
    (row,) = to(rows, 5353, "udp")
    assert (row["process_pid"], row["src_port"]) == (before.pid, 4444)


@KERNEL
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_the_same_ends_in_another_namespace_give_no_wrong_name(
    watch: Watch, server: Callable[..., int], spaces: tuple[str, str], tmp_path: Path, method: str, kind: str
) -> None:
    here = watch(method)
    server(space=0)
    server(space=1)
    port = "8080" if kind == "tcp" else "5353"
    for number, name in enumerate(["mine", "theirs", "theirs", "mine"]):
        script = tmp_path / name
        script.write_text(f"#!{sys.executable}\n{CLIENT}")
        script.chmod(0o755)
        space = spaces[0 if name == "mine" else 1]
        ends = [kind, "127.0.0.1", port, str(47000 + number // 2)]
        subprocess.run([*inside(space), script, *ends], check=True, timeout=30)
    rows = to(here.rows(), int(port), kind)
    assert [row["process_name"] for row in rows] == ["mine", "mine"]


@KERNEL
def test_a_child_that_inherits_a_connection_does_not_take_its_name(
    watch: Watch, server: Callable[..., int], programs: Callable[[str], Path], method: str
) -> None:
    server()
    here = watch(method)
    child = programs("inheritor")
    here.run(programs("opener"), "-c", f"exec 3<>/dev/tcp/127.0.0.1/8080; {child} -c 'echo hello >&3'; :")
    (row,) = to(here.rows(), 8080)
    assert row["process_name"] == "opener"


@KERNEL
def test_a_program_that_becomes_another_keeps_what_it_opened_before(
    watch: Watch, server: Callable[..., int], programs: Callable[[str], Path], method: str
) -> None:
    server()
    here = watch(method)
    after = programs("after")
    script = f"exec 3<>/dev/tcp/127.0.0.1/8080; exec {after} -c 'exec 4<>/dev/tcp/127.0.0.1/8080'"
    here.run(programs("before"), "-c", script)
    rows = sorted(to(here.rows(), 8080), key=lambda row: int(row["ts"]))
    assert [row["process_name"] for row in rows] == ["before", "after"]
    assert len({row["process_pid"] for row in rows}) == 1


@KERNEL
def test_a_process_number_used_again_is_another_program(
    watch: Watch, server: Callable[..., int], programs: Callable[[str], Path], method: str
) -> None:
    last = Path("/proc/sys/kernel/ns_last_pid")
    server()
    here = watch(method)
    first, second = programs("first"), programs("second")
    command = f"{first} -c 'echo $$; exec 3<>/dev/tcp/127.0.0.1/8080'"
    pid = int(here.run("/bin/bash", "-c", f"{command}; :").stdout)
    for _ in range(200):
        # Others start processes as well: until it is its turn.
        talk = f"[ $$ = {pid} ] && exec 3<>/dev/tcp/127.0.0.1/8080 && echo $$"
        again = f"echo {pid - 1} >{last}; {second} -c '{talk}'; :"
        if here.run("/bin/bash", "-c", again).stdout:
            break
    else:
        pytest.skip("no process number could be had twice here")
    rows = sorted(to(here.rows(), 8080), key=lambda row: int(row["ts"]))
    assert [(row["process_pid"], row["process_name"]) for row in rows] == [(pid, "first"), (pid, "second")]


@KERNEL
def test_hostile_names_are_only_names(
    watch: Watch, server: Callable[..., int], programs: Callable[[str], Path], method: str
) -> None:
    server()
    here = watch(method)
    names = ["[red]foo", "\x1b[31m", "a) R 1 (b", "new\nline", os.fsdecode(b"\xff\xfe"), "x" * 200]
    for name in names:
        here.run(programs(name), "-c", "exec 3<>/dev/tcp/127.0.0.1/8080")
    rows = to(here.rows(), 8080)
    shown = [str(row["process_name"]) for row in rows]
    assert len(shown) == len(names)
    assert all(name.isprintable() or "\ufffd" in name for name in shown)
    assert "a) R 1 (b" in shown
    assert "[red]foo" in shown


@KERNEL
def test_an_attempt_that_nobody_answers_has_its_program(watch: Watch, method: str) -> None:
    here = watch(method)
    here.run(sys.executable, "-c", CLIENT, "tcp", "127.0.0.1", "9")
    (row,) = to(here.rows(), 9)
    assert (row["conn_state"], row["process_confidence"]) == ("REJ", "event")


@pytest.mark.parametrize("method", ["sock_diag", "scan"])
def test_without_tracing_what_lives_long_enough_is_looked_up(
    watch: Watch, server: Callable[..., int], spaces: tuple[str, str], method: str
) -> None:
    server(space=1)
    here = watch(method)
    hold = """
import socket, sys
s = socket.create_connection(("10.9.0.2", 8080)); print(flush=True); sys.stdin.readline()
"""
    words = [*inside(spaces[0]), sys.executable, "-c", hold]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        rows = here.rows(named=8080)
        holder.communicate("go\n", timeout=30)
    (row,) = to(rows, 8080)
    assert (row["process_pid"], row["process_confidence"]) == (holder.pid, "lookup")
