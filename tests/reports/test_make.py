"""Whole reports, of stores made by reading real captures and of rows we know."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tidegate
from reported import BERLIN, NOW, of_store, sheet
from rows import Conns, TableRows, Value
from talk import HOSTILE
from tidegate.app.reporting import Wanted, make_report, store_of
from tidegate.model.config import AlertSettings, Config
from tidegate.model.config.alerts import RuleSettings
from tidegate.model.document import Document
from tidegate.model.errors import StoreError
from tidegate.reports.seen import MOST_GAPS, Seen, notes, why_nothing

GOLDEN = Path(__file__).parents[1] / "golden"
NONE = {"key": [], "value": []}
OF_HEALTH = {"malformed": NONE, "not_ip": NONE}


def read(name: str, *captures: str, own: tuple[str, ...] = ()) -> Document:
    """The report of captures."""
    with store_of(tidegate.read([GOLDEN / capture for capture in captures])) as root:
        wanted = Wanted(name, root, now=NOW, zone=BERLIN, own=own, compare=False, captured=True)
        return make_report(wanted, Config(), [])


def ran(root: Path, begin: int = 0, end: int = 1440, but: range = range(0), packets: int = 10) -> None:
    """A capture that ran on 20 November UTC, but in those minutes."""
    rows = TableRows("health")
    for minute in range(begin, end):
        if minute not in but:
            at = f"2026-11-20 {minute // 60:02}:{minute % 60:02}:00"
            rows.add(ts=at, source="eth0", packets=packets, bytes=packets * 100, **OF_HEALTH)
    rows.save(root)


def test_pings_of_a_real_capture() -> None:
    document = read("pings", "pings.pcap")
    assert [(row["src_ip"], row["pings"]) for row in sheet(document, "pings-by-source.csv")] == [
        ("192.0.2.1", "13"),
        ("2001:db8::1", "6"),
    ]
    assert [picture.name for picture in document.pictures] == ["pings-by-source.png"]
    assert "192.0.2.1: 13" in document.pictures[0].alt
    assert not document.nothing
    assert document.begin.tzinfo is not None
    assert "pings    19" in document.text


def test_a_capture_tells_of_no_alerts_and_of_no_gaps_and_draws_no_unknown_program() -> None:
    document = read("overnight", "http4.pcap", "pings.pcap")
    plain = " ".join(document.text.split())
    assert "A capture has no alerts" in plain
    assert "A capture does not say when nobody looked." in plain
    assert "unknown" in document.text.partition("Top programs")[2].splitlines()[3]
    assert "top-programs.png" not in [picture.name for picture in document.pictures]
    assert "bytes; at most" in document.text
    assert re.search(r"at most [0-9.]+ k?B per (second|minute|[0-9]+ (s|min))", plain)
    assert "src ip" not in document.text


def test_the_end_of_a_long_cell_is_told_in_text(tmp_path: Path) -> None:
    Conns().add(
        uid="C1", ts="2026-11-20 10:00:00", last_ts="2026-11-20 10:01:00", state="closed",
        name="a" * 60 + ".example",
    ).save(tmp_path / "s")  # fmt: skip
    assert "…aaa.example" in of_store(tmp_path / "s", "overnight", "2026-11-20").text


def test_what_has_only_begun_has_not_failed(tmp_path: Path) -> None:
    begun = {"uid": "C1", "dst_ip": "192.0.2.9", "proto": "tcp", "conn_state": "S0", "name": "a"}
    moments = {"ts": "2026-11-20 10:00:00", "last_ts": "2026-11-20 10:00:00"}
    Conns().add(**begun, **moments, state="active").save(tmp_path / "s")
    document = of_store(tmp_path / "s", "overnight", "2026-11-20")
    assert "No connection failed." in document.text
    assert re.search(r"^failed +0$", document.text, re.M)


def test_a_gap_is_told_with_its_duration(tmp_path: Path) -> None:
    Conns().add(uid="C1", ts="2026-11-20 10:00:00", last_ts="2026-11-20 10:01:00", state="closed").save(
        tmp_path / "s"
    )
    plain = " ".join(of_store(tmp_path / "s", "overnight", "2026-11-20").text.split())
    assert "begin until duration 2026-11-20 00:00:00 2026-11-20 23:00:00 23h 00m" in plain


def test_text_has_the_beginning_of_a_payload(tmp_path: Path) -> None:
    said = r"GET /cgi-bin/luci HTTP/1.1\x0d\x0aHost: 192.0.2.7"
    TableRows("relay").add(
        ts="2026-11-20 10:00:00",
        type="recv",
        service="web",
        client_ip="192.0.2.66",
        payload=said,
        sha256="aa",
    ).save(tmp_path / "s")
    plain = of_store(tmp_path / "s", "relay", "2026-11-20").text
    assert f"\n{said[:33]}…  " in plain
    assert "No protocol was recognised; a service looks for them where it has rules" in plain


def test_one_is_said_as_one() -> None:
    begin = NOW.astimezone(UTC)
    seen = Seen(1, 1, [(begin, begin)] * (MOST_GAPS + 1), True)
    assert why_nothing(seen, "", True) == "One packet was seen, but it is not what is asked for here."
    assert why_nothing(seen, "host:a", True).endswith("the filter host:a does not want it.")
    assert notes(seen, begin, BERLIN)[-1] == "It was down 1 more time."


def test_ones_own_pings_do_not_count() -> None:
    document = read("pings", "pings.pcap", own=("192.0.2.1", "2001:db8::1"))
    assert "Nobody else sent a ping." in document.text
    assert document.pictures == ()
    assert [row["src_ip"] for row in sheet(document, "who-was-pinged.csv")] == ["192.0.2.1", "2001:db8::1"]


def test_web_of_a_real_capture() -> None:
    document = read("web", "http4.pcap", "http_bodies.pcap")
    hosts = sheet(document, "hosts.csv")
    assert sum(int(row["requests"]) for row in hosts) > 3
    assert {"requests-over-time.png", "hosts.png"} <= {picture.name for picture in document.pictures}
    assert all(f"cid:{picture.name}" in document.html for picture in document.pictures)
    assert "cid:" not in document.standalone().replace("img-src data: cid:", "")


@pytest.mark.parametrize("name", ["overnight", "pings", "web", "relay", "quota"])
def test_every_report_of_every_kind_of_traffic(name: str) -> None:
    document = read(name, "http4.pcap", "dns.pcap", "pings.pcap", "tls.pcap")
    assert document.name == name
    assert document.html.count("<h2>") == document.text.count("\n--")
    assert all(picture.png.startswith(b"\x89PNG") for picture in document.pictures)


def test_a_capture_of_one_packet_is_in_its_window(tmp_path: Path) -> None:
    Conns().add(
        uid="C1", ts="2026-11-20 10:00:00.5", last_ts="2026-11-20 10:00:00.5", state="closed", name="a"
    ).save(tmp_path / "s")
    document = of_store(tmp_path / "s", "overnight", "", captured=True)
    assert [row["name"] for row in sheet(document, "top-hosts.csv")] == ["a"]
    assert "Fri 20 Nov 2026 11:00:00 to Fri 20 Nov 11:00:01" in document.text


def test_nothing_was_captured(tmp_path: Path) -> None:
    Conns().save(tmp_path / "store")
    document = of_store(tmp_path / "store", "pings", "2026-11-20")
    assert document.nothing
    assert "Nothing is known of that time: no capture ran" in " ".join(document.text.split())


def test_a_capture_that_saw_nothing_says_so_and_when_it_was_down(tmp_path: Path) -> None:
    Conns().save(tmp_path / "store")
    ran(tmp_path / "store", but=range(70, 160), packets=0)
    document = of_store(tmp_path / "store", "pings", "today")
    assert document.nothing == "There is nothing to report. The capture saw no packets."
    assert document.nothing in document.text
    assert "The capture was down from 02:09 to 03:40." in document.text


def test_time_before_the_first_capture_is_not_called_down(tmp_path: Path) -> None:
    ran(tmp_path, begin=600, but=range(700, 800))
    document = of_store(tmp_path, "pings", "today")
    assert "Nothing is known before 11:00: there are no rows of that time." in document.text
    assert "The capture was down from 12:39 to 14:20." in document.text


@pytest.mark.parametrize(("lost", "sources"), [(0, ["eth0"]), (7, ["eth0", "engine"])])
def test_the_engine_is_a_source_of_losses_only(lost: int, sources: list[str], tmp_path: Path) -> None:
    ran(tmp_path, end=60)
    rows = TableRows("health")
    rows.add(ts="2026-11-20 00:30:00", source="", packets=0, bytes=0, dropped_table=lost, **OF_HEALTH)
    rows.save(tmp_path, "20261120T110000000000-00000002")
    document = of_store(tmp_path, "overnight", "2026-11-20")
    assert [row["source"] for row in sheet(document, "what-was-not-seen.csv")] == sources


def test_a_filter_that_wants_nothing_says_so(tmp_path: Path) -> None:
    Conns().add(
        uid="C1", ts="2026-11-20 10:00:00", last_ts="2026-11-20 10:01:00", state="closed", name="a"
    ).save(tmp_path / "s")
    ran(tmp_path / "s")
    (tmp_path / "mine.yml").write_text("filter: host:nobody\nsections: [{question: names}]")
    document = of_store(tmp_path / "s", "mine", "2026-11-20", (tmp_path,))
    assert document.nothing
    assert "13,200 packets were seen, but the filter host:nobody wants none" in " ".join(
        document.text.split()
    )


def test_it_is_held_against_the_period_before(tmp_path: Path) -> None:
    rows = Conns()
    for number, (day, size) in enumerate(((19, 100), (20, 300), (20, 7))):
        rows.add(
            uid=f"C{number}", ts=f"2026-11-{day} 10:00:00", last_ts=f"2026-11-{day} 10:01:00", state="closed",
            up_bytes=size, name="b.example" if size == 7 else "a.example", process_name="curl",
        )  # fmt: skip
    rows.save(tmp_path / "store")
    document = of_store(tmp_path / "store", "overnight", "2026-11-20")
    assert [(row["name"], row["bytes"], row["before"]) for row in sheet(document, "top-hosts.csv")] == [
        ("a.example", "300", "100"),
        ("b.example", "7", ""),
    ]
    assert [row["name"] for row in sheet(document, "new-since-the-window-before.csv")] == ["b.example"]
    assert "bytes         307 B  (3.1 times before)" in document.text
    alone = of_store(tmp_path / "store", "overnight", "2026-11-20", compare=False)
    assert "before" not in sheet(alone, "top-hosts.csv")[0]
    assert "nothing can be called new" in " ".join(alone.text.split())


def test_a_connection_that_still_runs_counts_once(tmp_path: Path) -> None:
    running = {"uid": "C1", "ts": "2026-11-20 09:00:00", "name": "a.example"}
    rows = Conns()
    for minute, size in ((1, 10), (2, 20), (3, 30)):
        rows.add(**running, last_ts=f"2026-11-20 09:0{minute}:00", state="active", up_bytes=size)
    over = {"uid": "C2", "ts": "2026-11-20 09:00:00", "name": "b.example"}
    rows.add(**over, last_ts="2026-11-20 09:01:00", state="active", up_bytes=1)
    rows.add(**over, last_ts="2026-11-20 09:09:00", state="closed", up_bytes=2)
    rows.save(tmp_path / "store")
    document = of_store(tmp_path / "store", "overnight", "2026-11-20")
    assert [(row["name"], row["bytes"]) for row in sheet(document, "top-hosts.csv")] == [
        ("a.example", "30"),
        ("b.example", "2"),
    ]


def test_a_month_against_its_quota(tmp_path: Path) -> None:
    rows = Conns()
    for day in range(1, 21):
        rows.add(uid=f"C{day}", ts=f"2026-11-{day:02} 10:00:00", last_ts=f"2026-11-{day:02} 10:01:00",
                 state="closed", up_bytes=1_000_000_000, name="a")  # fmt: skip
    rows.save(tmp_path / "store")
    rule = RuleSettings("cap", "quota", threshold=40e9, reset_day=5)
    config = Config(alerts=AlertSettings(rules=(rule,)))
    document = of_store(tmp_path / "store", "quota", "", config=config)
    text = " ".join(document.text.split())
    assert "so far 16.0 GB (40% of 40.0 GB)" in text
    assert "reset day 2026-12-05" in text
    assert "forecast 30." in text
    assert len(sheet(document, "the-month-so-far.csv")) == 16


def test_a_month_that_is_over_and_a_window_that_is_none(tmp_path: Path) -> None:
    rows = Conns()
    for day in (3, 17):
        rows.add(uid=f"C{day}", ts=f"2026-10-{day:02} 10:00:00", last_ts=f"2026-10-{day:02} 10:01:00",
                 state="closed", up_bytes=1_000_000_000, name="a")  # fmt: skip
    rows.save(tmp_path / "store")
    over = datetime(2026, 11, 1, tzinfo=BERLIN)
    rule = RuleSettings("cap", "quota", threshold=40e9)
    config = Config(alerts=AlertSettings(rules=(rule,)))
    text = " ".join(of_store(tmp_path / "store", "quota", "", now=over, config=config).text.split())
    assert "Thu 1 Oct 2026 00:00 to Sun 1 Nov 00:00" in text
    assert "in all 2.0 GB (5% of 40.0 GB)" in text
    assert "reset day 2026-11-01" in text
    assert "forecast" not in text
    text = of_store(tmp_path / "store", "quota", "2026-10-03", config=config).text
    assert "in all  1.0 GB\n" in text
    assert "reset day" not in text


def test_hostile_names_reach_no_page_no_sheet_and_no_terminal(tmp_path: Path) -> None:
    names = [
        HOSTILE,
        "<script>alert(1)</script>",
        '"><img src=x onerror=y>',
        "=1+1",
        "$x$ $",
        "\x1b[2J",
        "\u202egnp.exe",
        "{{ 7 * 7 }}",
        "中文.example",
        "a" * 5000,
        "\\frac{",
        '" src="cid:top-hosts.png',
    ]
    rows = Conns()
    for number, name in enumerate(names):
        rows.add(uid=f"C{number}", ts="2026-11-20 10:00:00", last_ts="2026-11-20 10:01:00", state="closed",
                 up_bytes=1000 - number, name=name, process_name=name)  # fmt: skip
    rows.save(tmp_path / "store")
    document = of_store(tmp_path / "store", "overnight", "2026-11-20")
    page = document.standalone()
    assert "<script" not in page
    assert "onerror=y>" not in page.replace("onerror=y&gt;", "")
    assert "{{ 7 * 7 }}" in document.html
    assert page.count("data:image/png") == len(document.pictures)
    for text in (page, document.text):
        assert "\x1b" not in text
        assert "\u202e" not in text
    cells = [cell for row in csv.reader(io.StringIO(document.sheets[1].csv.decode())) for cell in row]
    assert "'=1+1" in cells
    assert max(map(len, document.text.splitlines())) < 200


def test_an_alert_of_before_that_is_open_is_told(tmp_path: Path) -> None:
    rows = TableRows("alert")
    once: dict[str, Value] = {"metric": "m", "severity": "warning", "threshold": 1.0, "value": 2.0}
    raised = {"old": "2026-11-10 21:15", "long": "2026-11-18 10:00", "gone": "2026-11-18 11:00",
              "later": "2026-11-20 12:00"}  # fmt: skip
    for name, begun in raised.items():
        rows.add(rule=name, alert_id=name, since=begun, ts=begun, state="raised", message="high", **once)
    over = {"long": "2026-11-20 03:00", "gone": "2026-11-18 12:00", "old": "2026-11-20 22:00"}
    for name, end in over.items():
        rows.add(
            rule=name, alert_id=name, since=raised[name], ts=end, state="recovered", message="over", **once
        )
    rows.save(tmp_path / "s")
    window = {"begin": "2026-11-19 22:00", "end": "2026-11-20 06:00"}
    document = of_store(tmp_path / "s", "overnight", "", **window)
    assert [(row["rule"], row["state"]) for row in sheet(document, "alerts.csv")] == [
        ("long", "recovered"),
        ("old", "raised"),
    ]
    assert "old: open since Tue 10 Nov 2026 22:15." in document.text
    assert "old: open since Tue 10 Nov 2026 22:15." in document.html
    assert "long: open" not in document.text


def test_two_sections_of_one_title_have_files_of_their_own(tmp_path: Path) -> None:
    Conns().add(
        uid="C1",
        ts="2026-11-20 10:00:00",
        last_ts="2026-11-20 10:01:00",
        state="closed",
        name="a",
        up_bytes=1,
    ).save(tmp_path / "s")
    section = "{title: Same, question: names, key: name, value: bytes, picture: bars}"
    (tmp_path / "mine.yml").write_text(f"sections: [{section}, {section}]")
    document = of_store(tmp_path / "s", "mine", "2026-11-20", (tmp_path,))
    assert [picture.name for picture in document.pictures] == ["same.png", "2-same.png"]
    assert [sheet.name for sheet in document.sheets] == ["same.csv", "2-same.csv"]


def test_a_damaged_segment_is_named_with_what_to_do(tmp_path: Path) -> None:
    ran(tmp_path)
    damaged = next(tmp_path.glob("health/*/*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(StoreError, match=f"{damaged.name}.*; move that file elsewhere"):
        of_store(tmp_path, "pings", "2026-11-20")


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here yet"):
        of_store(tmp_path, "pings", "today")
    assert NOW.astimezone(UTC)
