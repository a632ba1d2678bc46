"""Rules over rows on virtual time: raised once, recovered once, whatever time and rows do."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms import T0, S, Watched, asked, conn, rows, rule
from tidegate.alerts import Alerts
from tidegate.model.batch import make
from tidegate.model.config import AlertSettings


def approx(seconds: float) -> Any:
    """Windows go on in steps: a hundred and twentieth of them."""
    return pytest.approx(seconds, abs=0.1)


def test_the_shipped_rule_is_7000_messages_in_120_seconds() -> None:
    stage = Alerts(AlertSettings(), "me")
    reply = {"status": 200, "duration": 0.001}
    found = [stage.process(asked(at / 40, 1, **reply)) for at in range(3500)]
    assert all(len(batches) == 1 for batches in found)
    made = stage.process(asked(87.5, 1, **reply))
    assert [batch.table for batch in made] == ["http", "alert"]
    assert made[1].columns(["rule", "value", "message"]) == [
        ["http-traffic"],
        [7001.0],
        ["High traffic: 7,001 HTTP messages in 2m"],
    ]
    assert stage.tick(T0 + 90 * S) == []
    stage.close()


def test_raised_once_and_recovered_once_with_peak_and_duration() -> None:
    watched = Watched(rule(clear=1, message="{rule}: {value:.0f}>{threshold:.0f} in {window}"))
    assert watched.see(asked(0, 2)) == []
    assert watched.see(asked(1, 1), asked(2, 4), asked(3)) == ["raised http_requests"]
    assert watched.ticks(4, 10) == []
    assert watched.ticks(11, 60) == ["recovered http_requests"]
    raised, recovered = watched.alerts
    assert raised["alert_id"] == recovered["alert_id"]
    assert (raised["ts"], raised["since"], raised["duration"]) == (T0 + S, T0 + S, None)
    assert raised["message"] == "http_requests: 3>2 in 10s"
    assert (recovered["peak"], recovered["value"], recovered["clear"]) == (8.0, 1.0, 1.0)
    assert recovered["since"] == raised["since"]
    assert recovered["duration"] == (recovered["ts"] - raised["ts"]) / S == approx(11.0)
    assert recovered["message"] == "over after 11.00 s, peak 8: http_requests: 3>2 in 10s"
    watched.close()


def test_the_batch_itself_goes_on_unchanged() -> None:
    watched = Watched(rule())
    batch = asked(0, 5)
    assert watched.stage.process(batch)[0] is batch
    other = rows("dns", {"ts": T0})
    assert watched.stage.process(other) == [other]
    assert watched.stage.process(batch.keep([False] * 5))[0].num_rows == 0
    watched.close()


def test_hold_lets_a_short_burst_pass() -> None:
    watched = Watched(rule(hold=5.0))
    assert watched.see(asked(0, 9)) == []
    assert watched.ticks(1, 4) == []
    assert watched.ticks(5, 6) == ["raised http_requests"]
    watched.close()
    watched = Watched(rule(hold=15.0))
    watched.see(asked(0, 9))
    assert watched.ticks(1, 60) == []
    watched.close()


def test_settle_makes_one_alert_of_many() -> None:
    calm, nervous = Watched(rule(settle=30.0)), Watched(rule())
    for at in range(0, 200, 20):
        for watched in (calm, nervous):
            watched.see(asked(at, 3))
    assert len(calm.alerts) == 1
    assert len(nervous.alerts) == 19
    assert calm.ticks(200, 400) == ["recovered http_requests"]
    assert calm.alerts[-1]["duration"] == approx(190 + 30)
    calm.close()
    nervous.close()


def test_between_rows_far_apart_an_alert_recovers_when_it_was_over() -> None:
    watched = Watched(rule(settle=30.0))
    watched.see(asked(0, 3))
    assert watched.see(asked(5000, 1)) == ["recovered http_requests"]
    assert watched.alerts[-1]["duration"] == approx(40.0)
    watched.close()


def test_keys_are_counted_apart_and_rows_without_one_not_at_all() -> None:
    watched = Watched(rule(key="host, section"))
    assert watched.see(asked(0, 3, host="a", section="/x"), asked(0, 2, host="a", section="/y")) == [
        "raised http_requests a /x"
    ]
    assert watched.see(asked(1, 9, host=None), asked(1, 1, host="a", section="/y")) == [
        "raised http_requests a /y"
    ]
    watched.close()


def test_a_filter_and_the_class_of_a_status() -> None:
    watched = Watched(
        rule("http_replies", name="errors", filter="status:500-599", key="host"),
        rule("http_replies", name="classes", key="status_class"),
    )
    said = watched.see(*(asked(0, 3, status=status, duration=0.5) for status in (200, 404, 503)))
    assert said == [
        "raised classes 2xx",
        "raised classes 4xx",
        "raised errors www.example.org",
        "raised classes 5xx",
    ]
    assert watched.alerts[0]["ts"] == T0 + S // 2, "a reply counts when it was there"
    watched.close()


def test_keys_are_bounded_and_those_with_an_alert_stay() -> None:
    watched = Watched(rule(key="host"), keys=3)
    watched.see(asked(0, 3, host="loud"))
    for number in range(50):
        watched.see(asked(1, 1, host=f"h{number}"))
    assert watched.stage.counts()["keys_evicted"] == 48
    watched.see(*(asked(2, 3, host=f"loud{number}") for number in range(5)))
    assert [row["key"] for row in watched.alerts] == ["loud", "loud0", "loud1"]
    assert watched.stage.counts()["keys_refused"] == 9
    assert len(watched.ticks(3, 40)) == 3
    assert watched.see(asked(41, 3, host="again")) == ["raised http_requests again"]
    watched.close()


def test_counters_of_a_connection_count_once() -> None:
    watched = Watched(rule("bytes", 1000), rule("packets", 100), rule("connections", 1))
    assert watched.see(rows("conn", conn("a", 0, up_bytes=600))) == []
    assert watched.see(rows("conn", conn("a", 0, 5, up_bytes=900))) == []
    assert watched.see(rows("conn", conn("a", 0, 6, up_bytes=900, down_bytes=101))) == ["raised bytes"]
    assert watched.alerts[0]["value"] == 1001
    assert watched.see(rows("conn", conn("a", 0, 7, up_bytes=950, down_bytes=101, state="closed"))) == []
    assert watched.see(rows("conn", conn("b", 8, up_packets=100))) == ["raised packets", "raised connections"]
    watched.close()


def test_what_a_filter_learns_late_counts_from_the_beginning() -> None:
    watched = Watched(rule("bytes", 999, filter="prog:curl"), rule("connections", 0, filter="prog:curl"))
    assert watched.see(rows("conn", conn("a", 0, up_bytes=600))) == []
    named = conn("a", 0, 3, up_bytes=1000, process_name="curl")
    assert watched.see(rows("conn", named), rows("conn", named)) == ["raised bytes", "raised connections"]
    assert watched.alerts[0]["value"] == 1000
    watched.close()


def test_what_a_tunnel_carries_counts_once_unless_asked_for() -> None:
    carried = conn("in", 0, up_bytes=500, tunnel="gre")
    whole, inner = Watched(rule("bytes", 400)), Watched(rule("bytes", 400, filter="tunnel:gre"))
    assert whole.see(rows("conn", carried)) == []
    assert inner.see(rows("conn", carried)) == ["raised bytes"]
    whole.close()
    inner.close()


def test_failures_count_when_they_are_certain() -> None:
    watched = Watched(rule("failed_connections", 1, key="src_ip"))
    lost = {"conn_state": "S0"}
    assert watched.see(rows("conn", *(conn(f"o{n}", 0, **lost) for n in range(9)))) == []
    many = {"proto": "udp", "dst_ip": "239.1.1.1", "state": "closed"}
    assert watched.see(rows("conn", conn("m", 0, **lost, **many), conn("n", 0, **lost, **many))) == []
    over = [conn("o1", 0, 5, state="closed", **lost), conn("r", 5, state="closed", conn_state="REJ")]
    assert watched.see(rows("conn", *over)) == ["raised failed_connections 10.0.0.5"]
    watched.close()


def test_scans_of_ports_and_of_hosts() -> None:
    watched = Watched(rule("distinct_ports", 20), rule("distinct_hosts", 20))
    ports = [conn(f"p{n}", n / 10, dst_port=n % 21, src_ip="10.0.0.9") for n in range(42)]
    assert watched.see(rows("conn", *ports)) == ["raised distinct_ports 10.0.0.9"]
    hosts = [conn(f"h{n}", 5 + n / 10, dst_ip=f"192.0.2.{n}", dst_port=22) for n in range(30)]
    assert watched.see(rows("conn", *hosts)) == ["raised distinct_hosts 10.0.0.5"]
    assert watched.ticks(6, 30) == ["recovered distinct_ports 10.0.0.9", "recovered distinct_hosts 10.0.0.5"]
    assert watched.alerts[-1]["peak"] == 30
    watched.close()


def test_learning_begins_with_the_first_row_that_counts_however_old_it_is() -> None:
    """On a replayed capture, too: time is that of packets."""
    watched = Watched(rule("new_program", None, learn=60.0, filter="port:443"))
    old = -86_400.0 * 300
    dns = conn("x", old - 500, dst_port=53, process_path="/bin/dig")
    assert watched.see(rows("conn", dns, conn("a", old, process_path="/bin/a"))) == []
    assert watched.see(rows("conn", conn("b", old + 59, process_path="/bin/b"))) == []
    assert watched.see(rows("conn", conn("c", old + 60, process_path="/bin/c"))) == [
        "raised new_program /bin/c"
    ]
    watched.close()


def test_a_program_whose_path_could_not_be_read_is_no_other_program() -> None:
    watched = Watched(rule("new_program", None, learn=10.0))
    for at, path in enumerate(("/x/pb", "/opt/a-program-of-a-long-name")):
        assert watched.see(rows("conn", conn("a", at, process_path=path, process_name=path[3:]))) == []
    for name in ("pb", "a-program-of-a-", "pb"):
        assert watched.see(rows("conn", conn(f"b{name}", 20, process_name=name))) == []
    found = [watched.see(rows("conn", conn(name, 21, process_name=name))) for name in ("b", "a-program", "x")]
    assert found == [[f"raised new_program {name}"] for name in ("b", "a-program", "x")]
    other = conn("c", 22, process_path="/tmp/pb", process_name="pb")
    assert watched.see(rows("conn", other)) == ["raised new_program /tmp/pb"]
    watched.close()


def test_what_is_new_after_learning() -> None:
    watched = Watched(
        rule("new_program", None, learn=60.0), rule("new_place", None, learn=60.0, key="dst_asn", name="as")
    )
    curl = {"process_path": "/usr/bin/curl", "process_name": "curl", "dst_asn": 1}
    assert watched.see(rows("conn", conn("a", 0, **curl), conn("b", 59, **curl))) == []
    other = {"process_path": "/tmp/curl", "process_name": "curl", "peer_process_name": "nginx", "dst_asn": 2}
    assert watched.see(rows("conn", conn("c", 61, **other), conn("c", 61, 62, **other))) == [
        "raised new_program /tmp/curl",
        "raised new_program nginx",
        "raised as 2",
    ]
    assert watched.see(rows("conn", conn("d", 63, **curl))) == []
    assert len(watched.ticks(64, 80)) == 3
    assert watched.alerts[0]["message"] == "new program: /tmp/curl"
    watched.close()


def test_kernel_drops_by_source() -> None:
    watched = Watched(rule("kernel_drops", None))
    fine = {"ts": T0, "source": "eth0", "malformed": {}, "not_ip": {}}
    said = watched.see(_health(fine, fine | {"dropped_kernel": 7}, fine | {"source": "wg0"}))
    assert said == ["raised kernel_drops eth0"]
    assert watched.alerts[0]["message"] == "the kernel dropped 7 packets of eth0 in 10s"
    watched.close()


def _health(*given: dict[str, Any]) -> Any:
    names = ("ts", "sensor", "source", "packets", "bytes", "dropped_kernel", "dropped_queue", "dropped_table",
             "duplicates", "malformed", "not_ip")  # fmt: skip
    blank = {"sensor": "", "malformed": {}, "not_ip": {}}
    return make("health", {name: [row.get(name, blank.get(name, 0)) for row in given] for name in names})


def test_a_quota_raises_each_level_once_a_month() -> None:
    watched = Watched(rule("quota", 1000, reset_day=1))
    day, sent, said = 86_400, 0, []
    for number in range(28):  # 11 days of November, 17 of December
        sent += 50
        said += watched.see(rows("conn", conn("a", 0, number * day, up_bytes=sent)))
    assert said == ["raised quota"]
    assert [(row["threshold"], row["value"]) for row in watched.alerts] == [(800, 850)]
    assert watched.alerts[0]["message"] == "850 B this month, more than 80% of 1.0 kB"
    assert watched.see(rows("conn", conn("a", 0, 28 * day, up_bytes=sent + 200))) == ["raised quota"] * 2
    assert watched.see(rows("conn", conn("a", 0, 42 * day, up_bytes=sent + 201))) == ["recovered quota"] * 3
    assert [row["peak"] for row in watched.alerts[-3:]] == [1050] * 3
    assert watched.tick(43 * day) == []
    watched.close()


def test_a_clock_that_jumps_back_and_forth_repeats_nothing() -> None:
    watched = Watched(rule())
    watched.tick(0)
    assert watched.see(asked(1, 3)) == ["raised http_requests"]
    assert watched.tick(-3600) == []
    assert watched.see(asked(-3599, 3)) == []
    assert watched.tick(-3598) == []
    assert watched.ticks(-3597, -3580) == ["recovered http_requests"]
    assert 0 < watched.alerts[-1]["duration"] < 20
    assert watched.see(asked(-3579, 3)) == ["raised http_requests"]
    assert watched.tick(7200) == ["recovered http_requests"]
    assert watched.tick(0) == []
    assert watched.see(asked(1, 3)) == ["raised http_requests"]
    watched.close()


def test_a_row_from_the_far_future_ends_nothing() -> None:
    watched = Watched(rule(window=120.0))
    watched.tick(0)
    assert watched.see(asked(1, 3)) == ["raised http_requests"]
    assert watched.see(asked(10**9, 1)) == []
    assert watched.ticks(2, 59) == []
    watched.close()


def test_a_storm_of_alerts_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("tidegate.alerts.book.MOST_OPEN", 5)
    watched = Watched(rule(key="host"))
    watched.see(*(asked(0, 3, host=f"h{number}") for number in range(20)))
    assert len(watched.alerts) == 5
    watched.tick(1)
    assert watched.stage.counts()["withheld"] == 15
    watched.ticks(2, 30)
    assert len(watched.alerts) == 10
    watched.close()


def test_standings_say_how_near_it_is() -> None:
    watched = Watched(rule(key="host"), rule("packets", 5))
    watched.see(asked(0, 2, host="a"), asked(0, 1, host="b"))
    first, second = watched.stage.standings()
    assert (first["value"], first["key"], first["threshold"], first["open"]) == (2.0, "a", 2, 0)
    assert (second["value"], second["key"]) == (0.0, None)
    watched.close()


Move = st.tuples(st.sampled_from(["row", "row", "row", "tick"]), st.integers(-30, 60), st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(st.lists(Move, max_size=60), st.integers(0, 3), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_whatever_happens_raised_and_recovered_pair_up(
    moves: list[tuple[str, int, int]], clear: int, hold: int, settle: int, keyed: bool
) -> None:
    watched = Watched(
        rule(threshold=3, clear=clear, hold=float(hold), settle=float(settle), key="host" if keyed else None),
        keys=2,
    )
    at = 0
    for kind, passed, host in moves:
        at += passed
        watched.see(asked(at, 2, host=f"h{host}")) if kind == "row" else watched.tick(at)
    pair_up(watched.alerts)
    watched.tick(at + 10_000)
    watched.tick(at + 20_000)
    assert not watched.stage.desk.open_alerts()
    pair_up(watched.alerts, all_over=True)
    watched.close()


def pair_up(alerts: list[dict[str, Any]], all_over: bool = False) -> None:
    """Every recovery has its alert before it, every alert at most one recovery, and of a key one is open."""
    open_ones: dict[tuple[str, str | None, float], dict[str, Any]] = {}
    names = set()
    for row in alerts:
        place = (row["rule"], row["key"], row["threshold"])
        if row["state"] == "raised":
            assert place not in open_ones
            assert row["alert_id"] not in names
            names.add(row["alert_id"])
            open_ones[place] = row
        else:
            raised = open_ones.pop(place)
            assert raised["alert_id"] == row["alert_id"]
            assert row["since"] == raised["since"]
            assert row["peak"] >= raised["value"] > row["threshold"]
            assert row["value"] <= row["clear"]
            assert row["duration"] >= 0
    assert not (all_over and open_ones)


def test_batches_may_be_cut_anywhere() -> None:
    """The same rows in one batch or in many give the same alerts."""
    chance = random.Random(4)
    at, given = 0.0, []
    for _ in range(600):
        at += chance.choice([0.1, 0.2, 1, 30])
        given.append({"ts": T0 + int(at * S), "method": "GET", "host": chance.choice("ab")})
    whole, pieces = Watched(rule(key="host")), Watched(rule(key="host"))
    whole.see(rows("http", *given))
    for row in given:
        pieces.see(rows("http", row))
    assert whole.alerts == pieces.alerts
    assert len(whole.alerts) > 10
    pair_up(whole.alerts)
    whole.close()
    pieces.close()
