"""The data plane where it is seldom tried: IPv6, countries, two threads, cut cables, no files left."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doors import answering, carrying, one, said

import mmdb
from bystander import LOCAL, PAGE, Bystander, answer
from helpers import free_port, receive, wait_for
from relays import Running, server, service
from streets import LOOPBACK, THERE, Street
from tidegate.model.config import BackendSettings, RelayServiceSettings, RelaySettings
from tidegate.relay.plan import Address, Backend, Door, Limits, Plan, Rule, Timeouts

SIX = "::1"


def echo(connection: socket.socket) -> None:
    connection.sendall(b"heard " + receive(connection))


def ask(host: str, port: int, text: bytes = b"me", source: str = "") -> bytes:
    """What comes back for this."""
    with socket.create_connection((host, port), 20, source_address=(source, 0) if source else None) as client:
        try:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            return receive(client)
        except OSError:  # ended before all was said
            return b""


@pytest.mark.parametrize(("outside", "behind"), [(SIX, SIX), (SIX, LOCAL), (LOCAL, SIX)])
@pytest.mark.parametrize("header", [None, "v1", "v2"])
def test_both_families_on_both_sides(outside: str, behind: str, header: str | None) -> None:
    with server(echo, host=behind) as backend:
        inner, outer = free_port(), free_port()
        last = Backend("backend", ((Address(behind, backend), 1),))
        trusting = replace(
            service(inner, backend, "inner"),
            doors=(Door(behind, ((inner, inner),)),), backends=(last,), proxy_from=("127.0.0.1", SIX),
        )  # fmt: skip
        passing = replace(
            service(outer, backend, "outer"),
            doors=(Door(outside, ((outer, outer),)),),
            backends=(Backend("backend", ((Address(behind, inner), 1),), header) if header else last,),  # type: ignore[arg-type]
        )
        with Running(Plan((trusting, passing) if header else (passing,))) as relay:
            assert ask(outside, outer) == b"heard me"
            relay.causes(2 if header else 1)
            accepts = relay.events("accept")
            # Whatever lies between, the client and what it called are known at the end.
            assert {(row["client_ip"], row["server_ip"], row["server_port"]) for row in accepts} == {
                (outside, outside, outer)
            }
            connects = [row for row in relay.events("connect") if row["service"] == "outer"]
            assert [(row["remote_ip"], row["local_ip"]) for row in connects] == [(behind, behind)]
            wait_for(lambda: len(relay.table("conn")) == len(accepts))
            assert {row["src_ip"] for row in relay.table("conn")} == {outside}


def test_lists_limits_and_rejection_know_ipv6() -> None:
    with server(echo, host=SIX) as backend:
        made = replace(
            service(door := free_port(), backend),
            doors=(Door(SIX, ((door, door),)),),
            backends=(Backend("backend", ((Address(SIX, backend), 1),)),),
        )
        with Running(Plan((made,))) as relay:
            with socket.create_connection((SIX, door), 20) as client:
                wait_for(lambda: relay.relay.stats()["connections"] == 1)
                assert relay.relay.reject(SIX)
                assert receive(client) == b""
            assert ask(SIX, door) == b""
            assert relay.relay.release(SIX) and ask(SIX, door) == b"heard me"
            relay.relay.reload(Plan((replace(made, deny=("::/64",)),)))
            assert ask(SIX, door) == b""
            relay.relay.reload(Plan((replace(made, limits=Limits(per_network=1)),)))
            with socket.create_connection((SIX, door), 20):
                wait_for(lambda: relay.relay.stats()["connections"] == 1)
                assert ask(SIX, door) == b""
            assert relay.causes(3, "refused") == ["rejected", "denied", "per_network"]


LAYOUTS = {
    "nested": ({"country": {"iso_code": "DE"}}, {"country": {"iso_code": "JP"}}),
    "column": ({"country_code": "DE"}, {"country_code": "JP"}),
    "plain": ({"country": "DE"}, {"country": "JP"}),
    "registered": ({"registered_country": {"iso_code": "DE"}}, {"registered_country": {"iso_code": "JP"}}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rules_by_country(tmp_path: Path, layout: str) -> None:
    here, there = LAYOUTS[layout]
    database = mmdb.write(tmp_path / "places.mmdb", {"127.0.1.0/24": here, "127.0.2.0/24": there})
    with answering(b"1") as first, answering(b"2") as second, answering(b"3") as rest:
        backends = tuple(
            Backend(name, ((Address(LOCAL, port), 1),))
            for name, port in (("first", first), ("second", second), ("rest", rest))
        )
        rules = (Rule("german", "first", countries=("DE",)), Rule("asian", "second", countries=("JP", "CN")))
        made = replace(service(door := free_port(), rest), backends=backends, rules=rules, default="rest")
        with Running(Plan((made,), countries=str(database))) as relay:
            found = [ask(LOCAL, door, b"", source) for source in ("127.0.1.9", "127.0.2.9", "127.0.3.9")]
            assert found == [b"1", b"2", b"3"]
            relay.causes(3)
            assert [row["relay_rule"] for row in relay.table("conn")] == ["german", "asian", None]
            mmdb.write(database, {"127.0.1.0/24": there})
            relay.relay.reload(Plan((made,), countries=str(database)))
            assert ask(LOCAL, door, b"", "127.0.1.9") == b"2"


def test_who_is_rejected_is_ended_on_its_way_between_threads() -> None:
    """Others go on, and of the rejected one nothing is left, however fast it calls."""
    bad = "127.0.0.66"
    with server(answer) as backend:
        plan = Plan((service(door := free_port(), backend, listen_backlog=4096),), threads=2)
        with Running(plan) as relay, Bystander(door) as bystander:
            for _ in range(15):
                stop = threading.Event()
                clients: list[socket.socket] = []

                def knock(stop: threading.Event, clients: list[socket.socket]) -> None:
                    while not stop.is_set():
                        with contextlib.suppress(OSError):
                            clients.append(
                                socket.create_connection((LOCAL, door), 20, source_address=(bad, 0))
                            )

                knocking = [threading.Thread(target=knock, args=(stop, clients)) for _ in range(2)]
                for thread in knocking:
                    thread.start()
                wait_for(lambda clients=clients: len(clients) > 20)  # type: ignore[misc]
                relay.relay.reject(bad)
                stop.set()
                for thread in knocking:
                    thread.join()
                wait_for(
                    lambda: not any(each["client_ip"] == bad for each in relay.relay.connections(10_000))
                )
                for client in clients:
                    client.close()
                relay.relay.release(bad)
            bystander.goes_on()


def test_a_reload_that_changes_threads_says_that_it_takes_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    with answering() as backend, carrying(settings := one(port := free_port(), backend)) as carried:
        carried.relay.reload(replace(settings, threads=2))
        assert said(port) == b"hello"
        (problem,) = carried.relay.status()["problems"]
        assert problem == "relay.threads is 2 now, but 1 run: restart to change that"
        assert problem in caplog.text
        carried.relay.reload(settings)
        assert carried.relay.status()["problems"] == []


def test_a_target_that_hangs_is_found_out_before_anybody_calls_it() -> None:
    with (
        answering(b"1") as steady,
        socket.create_server((LOCAL, 0), backlog=0) as hanging,
        contextlib.ExitStack() as ended,
    ):
        port = hanging.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for each in fillers:
            ended.enter_context(each)
            each.setblocking(False)
            each.connect_ex((LOCAL, port))
        targets = (f":{steady}", f":{port} weight 9")
        checked = BackendSettings("web", targets, check=0.1, check_timeout=1.0, check_fall=2, check_rise=1)
        front = RelayServiceSettings("front", (f"{LOCAL}:{(door := free_port())}",), "web")
        with carrying(RelaySettings((front,), (checked,))) as carried:

            def up() -> list[bool]:
                return [each["up"] for each in carried.relay.status()["targets"]]

            wait_for(lambda: up() == [True, False])
            # The core hears of it with the next look; until then nine of ten go to who hangs.
            first = len(carried.of("connect"))
            wait_for(lambda: {said(door, b"") for _ in range(5)} == {b"1"}, 60)
            assert {said(door, b"") for _ in range(5)} == {b"1"}
            assert len(carried.of("connect")) >= first
            for each in fillers:
                each.close()
            hanging.settimeout(10)

            def answers() -> bool:
                with contextlib.suppress(OSError):
                    hanging.setblocking(False)
                    while True:
                        hanging.accept()[0].close()
                return up() == [True, True]

            wait_for(answers)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


@needs_root
@pytest.mark.parametrize("family", [4, 6])
def test_a_backend_behind_a_cut_cable(street: Street, family: int) -> None:
    far, here = THERE[family], LOOPBACK[family]
    with street.listen(far, 9000, far=True) as listener, server(answer) as backend:
        listener.listen(16)
        made = replace(
            service(door := free_port(), backend, "far", keepalive=1.0, timeouts=Timeouts(write_stall=2)),
            doors=(Door(here, ((door, door),)),),
            backends=(Backend("backend", ((Address(far, 9000), 1),)),),
        )
        good = service(free_port(), backend, "good")
        with Running(Plan((made, good))) as relay, Bystander(good.doors[0].ports[0][0]) as bystander:
            quiet = street.connect(here, door, far=False)
            loud = street.connect(here, door, far=False)
            with quiet, loud, listener.accept()[0], listener.accept()[0]:
                wait_for(lambda: relay.relay.stats()["services"]["far"]["total"] == 2)
                street.here.ip("link set street down")
                loud.setblocking(False)

                def gone() -> bool:
                    with contextlib.suppress(OSError):
                        loud.send(b"x" * 1_000_000)
                    return len([row for row in relay.events("close") if row["service"] == "far"]) == 2

                wait_for(gone, 60)
                bystander.goes_on()
                causes = sorted(row["cause"] for row in relay.events("close") if row["service"] == "far")
                assert causes == ["backend_reset", "write_stall"]


STARVED = """
import json, os, resource, select, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
from tidegate import _core
from tidegate.relay.plan import Address, Backend, Door, Plan, Service
door, backend = map(int, sys.argv[1:])
made = Service("test", (Door("127.0.0.1", ((door, door),)),),
               (Backend("backend", (((Address("127.0.0.1", backend)), 1),)),), "backend")
relay = _core.Relay(Plan((made,), spare_files=0))
told, causes, eaten = [], [], []
def take(seconds):
    for batch in relay.poll(seconds) or ():
        if batch.table == "relay":
            for kind, text, cause in zip(*batch.columns(["type", "text", "cause"]), strict=True):
                told.extend([text] if kind == "notice" else [])
                causes.extend([cause] if kind == "close" else [])
print("open", flush=True)
while True:
    take(0.05)
    if not select.select([0], [], [], 0)[0]:
        continue
    word = os.read(0, 1)
    if word == b"e":
        try:
            while True:
                eaten.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            for each in eaten[-7:]:
                os.close(each)
            del eaten[-7:]
    elif word == b"f":
        for each in eaten:
            os.close(each)
        eaten.clear()
    elif word == b"t":
        print(json.dumps({"told": told, "causes": causes}), flush=True)
"""


def test_when_the_kernel_gives_no_more_files() -> None:
    """Not our own bound, but EMFILE: those that are there go on, others wait, and it is said once."""
    with server(answer) as backend:
        door = free_port()
        words = [sys.executable, "-W", "ignore", "-c", STARVED, str(door), str(backend)]
        with (
            subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as relay,
            contextlib.ExitStack() as clients,
        ):
            clients.callback(relay.kill)
            assert relay.stdin and relay.stdout and relay.stdout.readline() == b"open\n"

            def tell(word: bytes) -> None:
                assert relay.stdin
                relay.stdin.write(word)
                relay.stdin.flush()

            def stands() -> dict[str, list[str]]:
                assert relay.stdout
                tell(b"t")
                return dict(json.loads(relay.stdout.readline()))

            def served(client: socket.socket) -> bool:
                client.sendall(b"page")
                left = len(PAGE)  # all of it: who leaves some of it unread ends with a reset
                while left and (piece := client.recv(left)):
                    left -= len(piece)
                return not left

            kept = clients.enter_context(socket.create_connection((LOCAL, door), 20))
            assert served(kept)
            tell(b"e")
            assert stands()["causes"] == [], "and it has eaten by now"
            late = [clients.enter_context(socket.create_connection((LOCAL, door), 20)) for _ in range(20)]
            wait_for(lambda: any("no more files" in text for text in stands()["told"]))
            assert served(kept)
            tell(b"f")
            # Who found no file left for the way on is let go; all others are served.
            answers = []
            for client in late:
                with contextlib.suppress(ConnectionError):
                    answers.append(served(client))
            assert sum(answers) >= 18
            with socket.create_connection((LOCAL, door), 20) as fresh:
                assert served(fresh)
            after = stands()
            assert len([text for text in after["told"] if "no more files" in text]) == 1
            assert set(after["causes"]) <= {"files", "fin"}
