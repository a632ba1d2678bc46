"""Rows that nobody took in time: table health says how many, once, and who counts rows counts them."""

import socket

from doors import LOCAL, answering, one

from helpers import free_port
from log_rows import START
from tidegate.model.batch import Batch
from tidegate.model.config import RelayExcerpts
from tidegate.pipeline.tally import Tally
from tidegate.relay.late import Late
from tidegate.relay.service import Machine, Relay

MUCH = 16_000_000
"""Bytes that make several times what may wait, each of them kept twice and escaped."""


def told(batches: list[Batch]) -> list[list[object]]:
    names = ["ts", "sensor", "source", "packets", "dropped_queue", "malformed", "not_ip"]
    return [list(row) for batch in batches for row in zip(*batch.columns(names), strict=True)]


def test_each_loss_is_told_once() -> None:
    late = Late("gate")
    assert late.rows(0, START) == []
    assert told(late.rows(7, START)) == [[START, "gate", "relay", 0, 7, {}, {}]]
    assert late.rows(7, START) == []
    assert told(late.rows(9, START + 1)) == [[START + 1, "gate", "relay", 0, 2, {}, {}]]


def test_what_a_late_reader_missed_is_in_health() -> None:
    port, tally = free_port(), Tally()
    with answering() as backend:
        relay = Relay(one(port, backend, excerpts=RelayExcerpts(per_read=MUCH)), Machine("gate"))
        try:
            with socket.create_connection((LOCAL, port), 30) as client:
                zeros, sent, back = bytes(65_536), 0, 0
                while back < MUCH:
                    sent += client.send(zeros)
                    while back < sent:
                        back += len(client.recv(1 << 20))
        finally:
            relay.abort()
        rows: list[list[object]] = []
        while (batches := relay.poll(0.2)) is not None:
            rows += told([batch for batch in batches if batch.table == "health"])
            for batch in batches:
                tally.write(batch)
        dropped = relay.status()["dropped"]
    assert dropped > 0
    assert {(row[1], row[2]) for row in rows} == {("gate", "relay")}
    assert sum(int(str(row[4])) for row in rows) == tally.relay_dropped == dropped
