"""Wide ports on the real kernel: two machines in namespaces, each way of steering, and what is left of it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from helpers import wait_for
from houses import WIDE, House, arrives, original, service, tables
from nets import Net, children
from streets import ANY, HERE, LOOPBACK, THERE, Street, inside
from tidegate.helper import launch
from tidegate.helper.client import Helper
from tidegate.helper.messages import Steer
from tidegate.helper.own import OwnRights
from tidegate.model.errors import UsageError
from tidegate.relay import machine
from tidegate.relay.plan import Address, Door, Service
from tidegate.relay.steering import METHODS, Choice, Doors, choose, refusal

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="steering needs root")

FAMILIES = (4, 6)
SAMPLE = (1, 21, 23, 80, 443, 1023, 8191, 8192, 32_768, 40_000, 60_999, 65_472, 65_534, 65_535)


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


@pytest.fixture
def helper(street: Street) -> Iterator[Helper]:
    with launch._fork(None, steers=True) as helper:
        yield helper


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest, helper: Helper) -> str:
    why = refusal(request.param, helper)
    if why:
        pytest.skip(f"{request.param} does not work here: {why}")
    return str(request.param)


def test_an_address_that_is_not_there_is_told(helper: Helper, method: str) -> None:
    with closing(House(helper)) as house:
        arranged = house.arrange(service(method, "10.99.99.99"))
        if method == "redirect":
            assert arranged.problems[0].endswith(
                "no redirect: no socket of its own: Cannot assign requested address"
            )
        else:
            assert arranged.notices == ('service "wide": this machine has no address 10.99.99.99 now',)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_ports_come_to_one_listener(street: Street, helper: Helper, method: str, family: int) -> None:
    with closing(House(helper)) as house:
        (listener,) = house.opened(service(method, ANY[family]))
        for port in SAMPLE:
            arrives(street, listener, HERE[family], port, method, far=True)
        for port in SAMPLE[::4]:
            arrives(street, listener, LOOPBACK[family], port, method, far=False)
            arrives(street, listener, HERE[family], port, method, far=False)
    assert street.is_refused(HERE[family], 80)
    assert street.is_refused(LOOPBACK[family], 80, far=False)
    assert tables() == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_ports_left_out_are_anothers_or_nobodys(
    street: Street, helper: Helper, method: str, family: int
) -> None:
    with closing(House(helper)) as house, street.listen(ANY[family], 2222) as other:
        house.opened(service(method, ANY[family]))
        assert street.is_refused(HERE[family], 22)
        assert street.is_refused(LOOPBACK[family], 22, far=False)
        with street.connect(HERE[family], 2222), other.accept()[0] as accepted:
            assert original(accepted, "sk_lookup") == (HERE[family], 2222)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_listeners_own_port_is_not_open(street: Street, helper: Helper, method: str, family: int) -> None:
    with closing(House(helper)) as house:
        (listener,) = house.opened(service(method, ANY[family], ((1, 1000),)))
        port = listener.getsockname()[1]
        assert port > 1023
        assert port not in range(32_768, 61_000), "that would take one from outgoing connections"
        assert street.is_refused(HERE[family], port)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_address_is_told_from_another(street: Street, helper: Helper, method: str, family: int) -> None:
    with closing(House(helper)) as house:
        (listener,) = house.opened(service(method, HERE[family]))
        arrives(street, listener, HERE[family], 80, method, far=True)
        other = {4: "10.77.0.11", 6: "fd77::11"}[family]
        assert street.is_refused(other, 80)
        assert street.is_refused(LOOPBACK[family], 80, far=False)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_goes_out_is_left_alone(street: Street, helper: Helper, method: str, family: int) -> None:
    here, there, loop = HERE[family], THERE[family], LOOPBACK[family]
    with (
        closing(House(helper)) as house,
        street.listen(there, 8080, far=True) as far,
        street.listen(loop, 8080) as near,
    ):
        behind = (Address(there, 8080), Address(loop, 8080))
        (listener,) = house.opened(service(method, ANY[family], WIDE, *behind))
        for backend, target in ((far, there), (near, loop)):
            for _ in range(3):
                with street.connect(target, 8080, far=False), backend.accept()[0] as accepted:
                    assert accepted.getsockname()[:2] == (target, 8080)
        arrives(street, listener, here, 8080, method, far=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_connections_that_exist_go_on(street: Street, helper: Helper, method: str, family: int) -> None:
    with street.listen(ANY[family], 80) as before, street.connect(HERE[family], 80) as client:
        accepted = before.accept()[0]
        with accepted, closing(House(helper)) as house:
            arranged = house.arrange(service(method, ANY[family]))
            assert "somebody else listens on port 80" in arranged.notices[0]
            client.sendall(b"still here")
            accepted.settimeout(10)
            assert accepted.recv(20) == b"still here"
            arrives(street, arranged.opened[0].socket, HERE[family], 80, method, far=True)
        with street.connect(HERE[family], 80), before.accept()[0] as again:
            assert again.getsockname()[1] == 80, "and it is theirs again"


def test_what_is_passed_on_is_left_alone(street: Street, helper: Helper, method: str) -> None:
    """A router that hides who is behind it: replies come to its own address at first."""
    rules = "table ip hide { chain out { type nat hook postrouting priority srcnat;\nmasquerade\n}\n}\n"
    with Net() as beyond:
        street.here.ip(f"link add beyond type veth peer name beyond netns {beyond.name}")
        for net, address in ((street.here, "10.88.0.1/24"), (beyond, "10.88.0.2/24")):
            net.ip(f"addr add {address} dev beyond")
            net.ip("link set beyond up")
        street.there.ip(f"route add default via {HERE[4]}")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        if subprocess.run(["nft", "-f", "-"], input=rules, text=True).returncode:
            pytest.skip("no nftables to hide anybody with")
        with inside(beyond):
            server = socket.create_server(("10.88.0.2", 80))
        with server, closing(House(helper)) as house:
            (listener,) = house.opened(service(method, ANY[4]))
            with street.connect("10.88.0.2", 80) as client:
                server.settimeout(10)
                accepted, who = server.accept()
                with accepted:
                    assert who[0] == "10.88.0.1"
                    accepted.sendall(b"from beyond")
                    assert client.recv(20) == b"from beyond"
            arrives(street, listener, HERE[4], 80, method, far=True)


def test_ports_change_without_a_new_socket(street: Street, helper: Helper, method: str) -> None:
    with closing(House(helper)) as house:
        (listener,) = house.opened(service(method, ANY[4], ((80, 80), (90, 99))))
        assert house.opened(service(method, ANY[4], ((80, 80), (95, 200)))) == []
        arrives(street, listener, HERE[4], 80, method, far=True)
        arrives(street, listener, HERE[4], 200, method, far=True)
        assert street.is_refused(HERE[4], 90)
        assert house.opened(service(method, ANY[4], ((80, 80), (95, 200)))) == []
        assert house.opened() == []
        assert street.is_refused(HERE[4], 80)
        assert tables() == ""


def test_a_door_of_one_port_goes_before_a_wide_one(street: Street, helper: Helper, method: str) -> None:
    with closing(House(helper)) as house:
        plain = Service("plain", (Door(ANY[4], ((80, 80),)), Door("127.0.0.1", ((8181, 8181),))), (), None)
        wide, narrow = house.opened(service(method, ANY[4]), plain)
        arrives(street, narrow, HERE[4], 80, "sockets", far=True)
        arrives(street, wide, HERE[4], 81, method, far=True)
        arrives(street, wide, HERE[4], 8181, method, far=True)
        assert street.is_refused("127.0.0.1", 8181, far=False), "the relay itself binds it, not we"


def test_another_firewalls_reload_changes_nothing(street: Street, helper: Helper, method: str) -> None:
    with closing(House(helper)) as house:
        (listener,) = house.opened(service(method, ANY[4]))
        subprocess.run(["nft", "flush", "ruleset"], capture_output=True)
        arrives(street, listener, HERE[4], 80, method, far=True)


def test_several_sockets_share_the_connections(street: Street, helper: Helper, method: str) -> None:
    steered = helper.steer(Steer(method, ANY[4], WIDE, (), 3))
    seen = set()
    for one in steered.sockets:
        one.setblocking(False)
    clients = [street.connect(HERE[4], port) for port in range(1000, 1060)]
    got = 0
    for number, one in enumerate(steered.sockets):
        try:
            while True:
                one.accept()[0].close()
                got += 1
                seen.add(number)
        except BlockingIOError:
            continue
    assert (got, len(steered.sockets), len({one.getsockname() for one in steered.sockets})) == (60, 3, 1)
    assert len(seen) > 1
    for one in (*clients, *steered.sockets):
        one.close()
    helper.release(steered.number)


WORKER = """
import sys, time
from tidegate.helper import launch
from tidegate.helper.messages import Steer
helper = launch._fork(None, steers=True)
held = [helper.steer(Steer(sys.argv[1], any, ((1, 65535),), (), 1)) for any in ("0.0.0.0", "::")]
print(helper.pid, flush=True)
time.sleep(120)
"""


@pytest.mark.parametrize("victim", ["worker", "helper"])
def test_nothing_is_left_of_those_that_were_killed(street: Street, method: str, victim: str) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, method], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    helper = int(worker.stdout.readline())
    street.connect(HERE[4], 80).close()
    street.connect(HERE[6], 80).close()
    if victim == "worker":
        worker.kill()
    else:
        assert helper in children(worker.pid)
        os.kill(helper, 9)
    wait_for(lambda: street.is_refused(HERE[4], 80) and street.is_refused(HERE[6], 80))
    wait_for(lambda: tables() == "")
    worker.kill()
    worker.communicate()


RELAY = """
import sys
from tidegate.helper import capabilities, launch
from tidegate.helper.outlets import Outlets
from tidegate.relay.plan import Door, Service
from tidegate.relay.steering import Doors
with launch.separate(None, Outlets(), steers=True).helper as helper:
    wide = Service("wide", (Door("0.0.0.0", ((1, 65535),), sys.argv[1]),), (), None)
    arranged = Doors(helper).arrange([wide])
    assert not capabilities.held() and not arranged.problems
    print("open", flush=True)
    accepted = arranged.opened[0].socket.accept()[0]
    accepted.sendall(accepted.recv(10)[::-1])
    accepted.close()
"""


def test_a_relay_without_any_right_has_all_ports(street: Street, method: str) -> None:
    relay = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", RELAY, method], stdout=subprocess.PIPE, text=True
    )
    assert relay.stdout is not None
    assert relay.stdout.readline() == "open\n"
    with street.connect(HERE[4], 443) as client:
        client.sendall(b"abc")
        assert client.recv(10) == b"cba"
    relay.communicate(timeout=20)
    assert relay.returncode == 0
    assert street.is_refused(HERE[4], 443)
    assert tables() == ""


def test_the_best_way_that_works_is_chosen(helper: Helper) -> None:
    choice = choose(helper)
    assert choice.method == next((one for one in METHODS if refusal(one, helper) is None), "sockets")
    assert str(choice).startswith(choice.method)


def test_without_rights_a_socket_each_remains() -> None:
    with launch._fork(None) as strict:
        choice = choose(strict)
    assert choice.method == "sockets"
    assert [method for method, _ in choice.refused] == list(METHODS)
    assert "not started for a relay" in str(choice)


PLAIN = """
import os
from tidegate.helper.own import OwnRights
from tidegate.relay.steering import choose
os.setresuid(65534, 65534, 65534)
print(choose(OwnRights()))
"""


def test_a_user_is_told_what_each_way_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("sockets (sk_lookup: it needs root, or the capabilities CAP_BPF"), done
    assert "redirect: it needs root" in done.stdout
    assert done.stderr == ""


def test_a_process_with_rights_does_without_a_helper(street: Street) -> None:
    rights = OwnRights()
    method = choose(rights).method
    if method == "sockets":
        pytest.skip("no way of steering works here")
    with closing(House(rights)) as house:
        (listener,) = house.opened(service(method, ANY[4]))
        arrives(street, listener, HERE[4], 80, method, far=True)
    assert street.is_refused(HERE[4], 80)


def test_low_ports_are_bound_for_the_relay(street: Street, helper: Helper) -> None:
    plain = Service("plain", (Door(ANY[4], ((79, 81), (8000, 8001))),), (), None)
    with closing(House(helper)) as house:
        with street.listen(HERE[4], 81):
            arranged = house.arrange(plain)
            assert [(one.ip, one.port) for one in arranged.opened] == [(ANY[4], 79), (ANY[4], 80)]
            assert arranged.problems == ('service "plain": 0.0.0.0 port 81: Address already in use',)
        again = house.arrange(plain)
        assert [(one.port, again.problems) for one in again.opened] == [(81, ())]
        for one in (*arranged.opened, *again.opened):
            arrives(street, one.socket, HERE[4], one.port, "sockets", far=True)


def test_a_method_that_is_refused_is_told_and_others_open(street: Street, helper: Helper) -> None:
    with launch._fork(None) as strict, closing(House(strict)) as house:
        plain = Service("plain", (Door(ANY[4], ((79, 79),)),), (), None)
        arranged = house.arrange(service("tproxy", ANY[4]), plain)
        assert [one.port for one in arranged.opened] == [79]
        assert arranged.problems[0].startswith('service "wide": 0.0.0.0 port 1 and more: no tproxy: ')


def test_a_socket_each_for_all_ports_is_refused_before_anything_happens(helper: Helper) -> None:
    with pytest.raises(UsageError, match="open files|outgoing connections"):
        Doors(helper).arrange([service("sockets", ANY[4])])
    assert machine.listening() == []


def test_too_many_ranges_are_told(helper: Helper) -> None:
    many = tuple((port, port) for port in range(1, 600, 2))
    with pytest.raises(UsageError, match="300 ranges, and 128 are the most"):
        Doors(helper).arrange([service("sk_lookup", ANY[4], many)])
    fits = tuple((10_001 + 2 * n, 10_001 + 2 * n) for n in range(128))
    behind = [Address(f"127.100.100.{n}", 60_000 + n) for n in range(32)]
    with closing(House(helper)) as house:
        arranged = house.arrange(service("sk_lookup", ANY[4], fits, *behind))
        if arranged.problems:
            pytest.skip(f"no sk_lookup here: {arranged.problems}")
        assert len(arranged.opened) == 1


def test_a_choice_says_why() -> None:
    assert str(Choice("sk_lookup")) == "sk_lookup"
    assert str(Choice("redirect", (("sk_lookup", "x"), ("tproxy", "y")))) == (
        "redirect (sk_lookup: x; tproxy: y)"
    )
