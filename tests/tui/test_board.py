"""The board on rows made by hand, and on golden captures."""

import random
from pathlib import Path

import pytest
from town import LOCAL, NOW, batch, conn, program, settled

from tidegate import app
from tidegate.model.config import EngineSettings
from tidegate.tui.board.board import SECOND, Board
from tidegate.tui.board.conn import LONGEST

GOLDEN = Path(__file__).parents[1] / "golden"
CAPTURES = (
    "http4.pcap",
    "dns.pcap",
    "quic.pcap",
    "mail.pcap",
    "calls.pcap",
    "http_pipelined.pcap",
    "6in4.pcap",
)


def fed(name: str, **settings: object) -> Board:
    board = Board()
    engine = EngineSettings(opened=True, interim=1.0, health=1.0, **settings)  # type: ignore[arg-type]
    for one in app.read(GOLDEN / name, settings=engine):
        board.take(one, NOW)
    return board


@pytest.mark.parametrize("name", CAPTURES)
def test_sums_are_those_of_the_final_rows(name: str) -> None:
    """Whatever interim rows came between: bytes, connections and requests as the tables have them."""
    board = fed(name)
    finals = [dict(zip(("up", "down", "src", "dst"), row, strict=True)) for row in final_rows(name)]
    assert board.connections.ever == len(finals)
    assert board.connections.open == 0
    assert all(conn.state == "closed" for conn in board.connections)
    every = sum(row["up"] + row["down"] for row in finals)
    assert sum(one.bytes for one in board.interfaces) == every
    assert sum(one.bytes for one in board.hosts) == every
    assert sum(one.bytes for one in board.programs) == every
    assert sum(conn.received + conn.sent for conn in board.connections) == every
    assert all(one.open == 0 for one in (*board.hosts, *board.programs, *board.interfaces))


def final_rows(name: str) -> list[tuple[object, ...]]:
    found = [one for one in app.read(GOLDEN / name) if one.table == "conn"]
    names = ["up_bytes", "down_bytes", "src_ip", "dst_ip"]
    return [row for one in found for row in zip(*one.columns(names), strict=True)]


def test_requests_are_counted_by_host_section_method_and_status() -> None:
    board = fed("http4.pcap")
    requests = [one for one in app.read(GOLDEN / "http4.pcap") if one.table == "http"]
    methods = [method for one in requests for method in one.columns(["method"])[0]]
    assert sum(site.requests for site in board.web.sites) == len(methods)
    assert {(site.host, site.section): dict(site.statuses) for site in board.web.sites} == {
        ("192.0.2.2", "/small"): {"2xx": 3},
        ("192.0.2.2", "/missing"): {"4xx": 1},
        ("www.example.org", "/small"): {"2xx": 2},
    }


def test_the_same_rows_give_the_same_picture() -> None:
    first, second = settled(), settled()
    assert first.lines == second.lines
    assert first.events == second.events
    assert [conn.cells for conn in first.connections] == [conn.cells for conn in second.connections]
    assert first.total.history(first.edge) == second.total.history(second.edge)


def test_rates_come_from_counters_that_only_grow() -> None:
    board = Board(LOCAL)
    for step in range(6):
        at = NOW + 2 * step * SECOND
        row = conn(1, at, ts=NOW, down_bytes=20_000 * step, up_bytes=2_000 * step)
        board.take(batch("conn", [row]), at)
    known = board.connections.get("C00000000000000001")
    assert known is not None
    assert known.rates(board.now, board.stale) == (10_000, 1_000)
    assert board.total.rate(board.edge) == pytest.approx((10_000, 1_000))
    board.tick(board.now + 60 * SECOND)
    assert known.rates(board.now, board.stale) == (0, 0)
    assert board.total.rate(board.edge) == (0, 0)


def test_what_a_connection_brought_before_it_was_seen_is_no_peak() -> None:
    board = Board(LOCAL)
    board.take(batch("conn", [conn(1, ts=NOW - 3600 * SECOND, down_bytes=3_600_000_000)]), NOW)
    down, _ = board.total.rate(board.edge)
    assert down == pytest.approx(1_000_000, rel=0.01)


def test_received_and_sent_are_those_of_this_machine() -> None:
    board = settled()
    inbound = board.connections.get("C00000000000000002")
    assert inbound is not None
    assert inbound.inbound
    assert (inbound.host, inbound.received, inbound.sent) == ("10.0.0.5", 400_000, 1_700_000)
    sshd = board.programs.known[(1500, "sshd")]
    assert (sshd.series.total_down, sshd.series.total_up) == (400_000, 1_700_000)


def test_both_ends_here_count_for_both_programs() -> None:
    board = Board(LOCAL)
    row = conn(
        1,
        src_ip="127.0.0.1",
        dst_ip="127.0.0.1",
        peer_process_name="nginx",
        peer_process_pid=9,
        **program("curl", 8),
    )
    board.take(batch("conn", [row]), NOW)
    curl, nginx = board.programs.known[(8, "curl")], board.programs.known[(9, "nginx")]
    assert curl.series.total_down == nginx.series.total_up == 40_000
    assert curl.open == nginx.open == 1


def test_a_program_that_is_found_later_takes_the_connection() -> None:
    board = Board(LOCAL)
    board.take(batch("conn", [conn(1)]), NOW)
    board.take(batch("conn", [conn(1, up_bytes=5_000, **program("late", 5))]), NOW + SECOND)
    assert board.programs.known[(None, None)].open == 0
    late = board.programs.known[(5, "late")]
    assert (late.open, late.series.total_up, late.cells["user"]) == (1, 1_000, "ada")


def test_a_row_that_comes_late_changes_nothing() -> None:
    board = Board(LOCAL)
    board.take(batch("conn", [conn(1)]), NOW)
    board.take(batch("conn", [conn(1, last_ts=NOW - SECOND, up_bytes=1, down_bytes=1)]), NOW)
    known = board.connections.get("C00000000000000001")
    assert known is not None
    assert (known.up_bytes, known.down_bytes) == (4_000, 40_000)


def test_the_oldest_closed_ones_go_first() -> None:
    board = Board(LOCAL, most=100)
    rows = [conn(n, state="closed" if n < 50 else "active") for n in range(100)]
    board.take(batch("conn", rows), NOW)
    board.take(batch("conn", [conn(n) for n in range(100, 120)]), NOW)
    left = {known.uid for known in board.connections}
    assert len(left) == 100
    assert not left & {f"C{n:017d}" for n in range(20)}
    assert left >= {f"C{n:017d}" for n in range(20, 120)}
    assert board.connections.forgotten == 20


def test_without_closed_ones_the_longest_silent_goes_and_is_not_open_any_more() -> None:
    board = Board(LOCAL, most=10)
    for n in range(12):
        board.take(batch("conn", [conn(n)]), NOW + n * SECOND)
    assert {known.uid for known in board.connections} == {f"C{n:017d}" for n in range(2, 12)}
    assert board.programs.known[(None, None)].open == 10


def test_every_table_of_strangers_is_bounded() -> None:
    board = Board(LOCAL, most=500)
    rnd = random.Random(4)
    for start in range(0, 30_000, 5_000):
        rows = [
            conn(
                n,
                dst_ip=f"198.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
                name="x" * 70_000,
                **program(f"p{n}", n),
            )
            for n in rnd.sample(range(10**6), 100)
        ]
        board.take(batch("conn", rows), NOW + start * SECOND)
        http = [
            {"ts": NOW + start * SECOND, "uid": f"C{n}", "host": f"h{n}" + "y" * 70_000, "section": f"/{n}",
             "method": f"M{n}", "status": 200, "dst_ip": "192.0.2.1"}
            for n in range(start, start + 2_000)
        ]  # fmt: skip
        board.take(batch("http", http), NOW + start * SECOND)
    assert len(board.connections) <= 500
    assert len(board.web.sites) <= 5_000
    assert len(board.events) <= 2_000
    assert board.web.sites.forgotten > 0
    longest = max(len(known["name"]) for known in board.connections)
    assert longest == LONGEST


def test_a_frozen_board_stands_still() -> None:
    board = settled()
    still = board.frozen()
    before = [(known.uid, known.up_bytes, known.state) for known in still.connections]
    rate, lines = still.total.rate(still.edge), list(still.lines)
    board.say(NOW, "info", "later")
    rows = [conn(n, NOW + SECOND, up_bytes=10**9, state="closed") for n in range(1, 40)]
    board.take(batch("conn", rows), NOW + SECOND)
    assert [(known.uid, known.up_bytes, known.state) for known in still.connections] == before
    assert (still.total.rate(still.edge), list(still.lines)) == (rate, lines)
    assert len(board.connections) > len(before)


def test_alerts_are_raised_and_recover_once_each() -> None:
    board = settled()
    raised, over = board.alerts.newest()
    assert (raised.alert_id, raised.open) == ("A2", True)
    assert (over.alert_id, over.open, over.row["duration"]) == ("A1", False, 41.0)
    told = [line.text.split(":")[0] for line in board.lines if not line.text.startswith("relay:")]
    assert told == ["raised", "recovered", "raised"]


def test_losses_are_counted_by_place() -> None:
    board = settled()
    row = {
        "ts": NOW,
        "source": "eth0",
        "packets": 100,
        "dropped_kernel": 300,
        "dropped_queue": 4,
        "dropped_table": 5,
    }
    board.take(batch("health", [row]), NOW)
    assert board.losses.dropped == 309
    seen = 19 * 2 * 800 + 100
    assert board.losses.seen == pytest.approx(seen / (seen + 300))


def test_what_the_relay_lost_is_no_interface() -> None:
    board = settled()
    before = {one.name for one in board.interfaces}
    row = {
        "ts": NOW,
        "source": "relay",
        "packets": 0,
        "dropped_kernel": 0,
        "dropped_queue": 4,
        "dropped_table": 0,
    }
    board.take(batch("health", [row]), NOW)
    assert board.losses.dropped == 4
    assert {one.name for one in board.interfaces} == before


def test_a_tcp_connection_is_over_when_its_ends_say_so() -> None:
    board = Board(LOCAL)
    board.take(batch("conn", [conn(1), conn(2, conn_state="SF"), conn(3, conn_state="SF", proto="udp")]), NOW)
    assert board.connections.open == 2
    last = conn(2, NOW + SECOND, conn_state="SF", state="closed", up_bytes=4_100)
    board.take(batch("conn", [last]), NOW + SECOND)
    known = board.connections.get("C00000000000000002")
    assert known is not None
    assert (known.up_bytes, known.state, board.connections.open) == (4_100, "closed", 2)
