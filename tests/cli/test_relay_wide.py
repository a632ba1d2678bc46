"""`tidegate relay` before all ports of a machine, called from another: each steering, both families."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bystander import PAGE, answer
from helpers import TIDEGATE, wait_for
from houses import tables
from relays import server
from streets import ANY, HERE, LOOPBACK, THERE, Street
from tidegate.relay.steering import METHODS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="steering needs root")

PORTS = (1, 22, 80, 1023, 8080, 40_000, 65_535)


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


def page(client: socket.socket) -> bytes:
    client.sendall(b"page")
    got = b""
    while len(got) < len(PAGE) and (piece := client.recv(4096)):
        got += piece
    return got


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("method", METHODS)
def test_the_port_that_was_called_is_on_record(
    street: Street, environment: dict[str, str], tmp_path: Path, method: str, family: int
) -> None:
    rows, here = tmp_path / "rows", HERE[family]
    with server(answer, host=LOOPBACK[family]) as backend:
        host = {4: ANY[4], 6: "[::]"}[family]
        target = {4: LOOPBACK[4], 6: "[::1]"}[family]
        spec = f"{host}:1-65535 except {backend}={target}:{backend}"
        words = ["relay", "-p", spec, "--steering", method, "--no-store", "--format", "jsonl", "-o", rows]
        with (tmp_path / "said").open("wb") as out:
            relay = subprocess.Popen(
                [*TIDEGATE, *map(str, words)], env=environment, cwd=tmp_path, stdout=out, stderr=out
            )
        try:

            def told() -> str:
                return (tmp_path / "said").read_text()

            wait_for(lambda: "files may be open" in told() or relay.poll() is not None)
            if f"no {method}: " in told():
                pytest.skip(f"{method} does not work here: {told()}")
            # One that stays is a bystander to all others.
            with street.connect(here, 7777) as kept:
                for port in PORTS:
                    with street.connect(here, port) as client:
                        assert page(client) == PAGE
                    assert page(kept) == PAGE
                with street.connect(LOOPBACK[family], 99, far=False) as client:
                    assert page(client) == PAGE
                assert street.is_refused(here, backend), "that one is not the relay's"
            relay.send_signal(signal.SIGTERM)
            assert relay.wait(60) == 0, told()
        finally:
            relay.kill()
            relay.wait()
    events = [json.loads(line) for line in rows.read_text().splitlines()]
    accepts = [row for row in events if row["type"] == "accept"]
    far = [(row["server_ip"], row["server_port"]) for row in accepts if row["client_ip"] == THERE[family]]
    assert far == [(here, 7777), *((here, port) for port in PORTS)]
    near = [(row["server_ip"], row["server_port"]) for row in accepts if row["client_ip"] != THERE[family]]
    assert near == [(LOOPBACK[family], 99)]
    assert {row["remote_ip"] for row in events if row["type"] == "connect"} == {LOOPBACK[family]}
    assert {row["cause"] for row in events if row["type"] == "close"} == {"fin"}
    assert tables() == "", "nothing is left"
