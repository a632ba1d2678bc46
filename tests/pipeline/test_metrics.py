"""Figures for Prometheus: its own parser reads them, and nothing a stranger says is a label."""

import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alarms import conn, rows
from helpers import wait_for
from made import made
from tidegate.model.errors import UsageError
from tidegate.pipeline.metrics import MOST, MetricsServer
from tidegate.pipeline.tally import Tally

STATUS: dict[str, Any] = {
    "capturing": True,
    "uptime": 5.5,
    "packets": 10,
    "bytes": 1000,
    "connections": 3,
    "flows": 2,
    "dropped": {"by the kernel": 4, "by a full queue": 0, "by the relay": 8},
    "alerts_open": 1,
    "alerts_acknowledged": 1,
    "alerts_told": [{"state": "raised", "severity": "warning", "count": 3}],
    "connections_closed": {"SF": 8, "REJ": 1},
    "waiting_for": ["wg0"],
    "interfaces_down": ["wg1", "wg2"],
    "missed_rows": 5,
    "stored_lost": 6,
    "reloads": 2,
    "parts": [
        {"name": "programs", "failures": 2, "error": "RuntimeError"},
        {"name": "log web", "lost": 7, "waiting": 8, "lag": 1.5},
    ],
    "notices": [{"name": "chat", "lost": 1, "waiting": 2, "lag": 3.5}],
    "reports": [
        {"name": "pings", "made": 1.5e9, "failed": True},
        {"name": "web", "made": None, "failed": False},
    ],
}


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    made = MetricsServer("127.0.0.1:0", lambda: STATUS)
    made.start()
    yield made
    made.close()


def asked(server: MetricsServer, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def test_every_figure_is_there(server: MetricsServer) -> None:
    families = text_string_to_metric_families(asked(server))
    found = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    assert found[("tidegate_connections_closed_total", "REJ")] == 1
    assert found[("tidegate_alerts", "acknowledged")] == 1
    assert found[("tidegate_alerts", "unacknowledged")] == 0
    assert found[("tidegate_alert_changes_total", "warning", "raised")] == 3
    assert found[("tidegate_interfaces_missing",)] == 1
    assert found[("tidegate_interfaces_down",)] == 2
    assert found[("tidegate_dropped_total", "store")] == 6
    assert found[("tidegate_dropped_total", "failed output")] == 5
    assert found[("tidegate_reloads_total",)] == 2
    assert found[("tidegate_sink_lag_seconds", "log web")] == 1.5
    assert ("tidegate_sink_lag_seconds", "programs") not in found
    assert found[("tidegate_notices_lost_total", "chat")] == 1
    assert found[("tidegate_notices_waiting", "chat")] == 2
    assert found[("tidegate_notices_lag_seconds", "chat")] == 3.5
    assert found[("tidegate_report_made_timestamp_seconds", "pings")] == 1.5e9
    assert ("tidegate_report_made_timestamp_seconds", "web") not in found
    assert found[("tidegate_report_failed", "pings")] == 1
    assert found[("tidegate_report_failed", "web")] == 0
    assert found[("tidegate_packets_total",)] == 10
    assert found[("tidegate_connections_open",)] == 2
    assert found[("tidegate_dropped_total", "kernel")] == 4
    assert found[("tidegate_dropped_total", "relay")] == 8
    assert found[("tidegate_part_up", "programs")] == 0
    assert found[("tidegate_part_lost_rows_total", "log web")] == 7
    assert found[("tidegate_alerts_open",)] == 1


def test_another_path_is_none_and_a_silent_caller_stops_nobody(server: MetricsServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            asked(server, "/")
        assert "tidegate_up 1.0" in asked(server)


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:http", "127.0.0.1:99999", "192.0.2.1:9700"])
def test_what_is_no_address_of_ours(address: str) -> None:
    with pytest.raises(UsageError, match="127.0.0.1:"):
        MetricsServer(address, lambda: STATUS)


def test_rows_are_counted_once() -> None:
    tally = Tally()
    conns = [conn("a", 0, state="closed", conn_state="SF"), conn("b", 0), conn("a", 1, conn_state="S0")]
    tally.write(rows("conn", *conns))
    tally.write(rows("alert", {"state": "raised", "severity": "info"}))
    tally.write(rows("http", {}))
    for source, lost in (("eth0", 5), ("", 6), ("relay", 7), ("relay", 1)):
        tally.write(made("health", {"source": source, "dropped_queue": lost, "malformed": {}, "not_ip": {}}))
    tally.flush()
    tally.close()
    assert (tally.connections, tally.alerts) == ({"SF": 1}, {("raised", "info"): 1})
    assert tally.relay_dropped == 8


def test_callers_who_drip_hold_up_no_end_and_take_no_places_for_ever() -> None:
    server = MetricsServer("127.0.0.1:0", lambda: STATUS)
    before = threading.active_count()
    server.start()
    over = threading.Event()
    callers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MOST + 8)]

    def drip() -> None:
        while not over.wait(0.05):
            for caller in callers:
                with suppress(OSError):
                    caller.send(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert "tidegate_up 1.0" in asked(server)
        wait_for(lambda: threading.active_count() <= before + MOST + 7)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 3
    finally:
        over.set()
        dripping.join()
        for caller in callers:
            caller.close()


def test_a_caller_who_leaves_is_nobodys_news(capfd: pytest.CaptureFixture[str]) -> None:
    server = MetricsServer("127.0.0.1:0", lambda: {**STATUS, "parts": [{"name": "x" * 1_000_000}]})
    server.start()
    for _ in range(20):
        caller = socket.create_connection(("127.0.0.1", server.port))
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        caller.close()
    asked(server)
    server.close()
    assert capfd.readouterr().err == ""
