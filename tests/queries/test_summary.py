"""The figures of a summary."""

from collections.abc import Iterator

import pytest

from rows import Conns, TableRows
from tidegate.queries.summary import PARTS, Summary


@pytest.fixture
def summary() -> Iterator[Summary]:
    summary = Summary()
    yield summary
    summary.close()


def test_connections_are_added_up_over_batches(summary: Summary) -> None:
    web = {"src_ip": "10.0.0.5", "dst_ip": "192.0.2.1", "dst_port": 443, "proto": "tcp", "conn_state": "SF"}
    for _ in range(2):
        summary.add(Conns().add(**web, up_packets=3, down_packets=4, up_bytes=100, down_bytes=900))
    ping = {"src_ip": "10.0.0.5", "dst_ip": "10.0.0.5", "proto": "icmp", "conn_state": "OTH"}
    summary.add(Conns().add(**ping, up_packets=1, up_bytes=84, up_missed=7, down_retransmits=2))
    figures = summary.figures()
    assert figures.losses == {"connections": 3, "missed_bytes": 7, "retransmits": 2}
    talkers = [tuple(row.values()) for row in figures.rankings["talkers"]]
    assert talkers == [
        ("10.0.0.5", None, 3, 15, 284, 1800, 2084),
        ("192.0.2.1", None, 2, 14, 1800, 200, 2000),
    ]
    assert [row["proto"] for row in figures.rankings["protocols"]] == ["tcp", "icmp"]
    assert [row["conn_state"] for row in figures.rankings["states"]] == ["SF", "OTH"]
    assert figures.rankings["services"][0]["bytes"] == 2000


def test_of_a_site_methods_statuses_and_sections_are_told(summary: Summary) -> None:
    rows = TableRows("http")
    for number in range(PARTS + 3):
        rows.add(host="A.example", method="GET", section=f"/{number}", status=200, src_ip="10.0.0.5")
    rows.add(host="a.example", method="POST", section="/0", status=500, src_ip="10.0.0.6")
    rows.add(host="b.example", method="GET", section="/", src_ip="10.0.0.6", incomplete="no reply")
    summary.add(rows)
    first, second = summary.figures().sites
    assert (first.row["host"], first.row["requests"], first.row["errors"]) == ("a.example", 10, 1)
    assert [(row["method"], row["requests"]) for row in first.methods] == [("GET", 9), ("POST", 1)]
    assert [(row["status"], row["requests"]) for row in first.statuses] == [(200, 9), (500, 1)]
    assert first.sections[0]["section"] == "/0"
    assert len(first.sections) == PARTS + 1
    assert second.row["unanswered"] == 1


def test_nothing_gives_nothing(summary: Summary) -> None:
    figures = summary.figures()
    assert figures.losses["connections"] == 0
    assert (figures.rankings, figures.sites) == ({}, [])
