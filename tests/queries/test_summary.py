"""The figures of a summary."""

from rows import Conns
from tidegate.queries.summary import Ranked, Summary


def test_connections_are_added_up_over_batches() -> None:
    summary = Summary()
    web = {"src_ip": "10.0.0.5", "dst_ip": "192.0.2.1", "dst_port": 443, "proto": "tcp", "conn_state": "SF"}
    for _ in range(2):
        summary.add(Conns().add(**web, up_packets=3, down_packets=4, up_bytes=100, down_bytes=900))
    ping = {"src_ip": "10.0.0.5", "dst_ip": "10.0.0.5", "proto": "icmp", "conn_state": "OTH"}
    summary.add(Conns().add(**ping, up_packets=1, up_bytes=84, up_missed=7, down_retransmits=2))
    figures = summary.figures()
    summary.close()
    assert (figures.connections, figures.missed, figures.retransmits) == (3, 7, 2)
    assert figures.talkers == [Ranked("10.0.0.5", 3, 15, 2084), Ranked("192.0.2.1", 2, 14, 2000)]
    assert [line.name for line in figures.protocols] == ["tcp", "icmp"]
    assert [line.name for line in figures.states] == ["SF", "OTH"]
    assert figures.services[0].bytes == 2000


def test_nothing_gives_nothing() -> None:
    summary = Summary()
    figures = summary.figures()
    summary.close()
    assert figures.connections == 0
    assert figures.talkers == []
