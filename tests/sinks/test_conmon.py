"""conmon's format: eleven columns, of connections and of data segments."""

import re

import pytest

import tidegate
from log_rows import GOLDEN, HOSTILE, START, conns, golden, rows
from tidegate.model.batch import Batch
from tidegate.model.config import EngineSettings
from tidegate.model.filter import parse_filter
from tidegate.sinks import conmon
from tidegate.sinks.conmon import COLUMNS, Conmon, ConmonSegments

PROGRAM = {
    "process_name": "curl",
    "process_path": "/usr/bin/curl",
    "process_parent": "bash",
    "process_user": "alice",
    "process_started": START,
}


def of(lines: bytes) -> list[dict[str, str]]:
    """The rows by their columns."""
    found = [line.split("\t") for line in lines.decode().split("\n")[:-1]]
    assert all(len(cells) == len(COLUMNS) == 11 for cells in found)
    return [dict(zip(COLUMNS, cells, strict=True)) for cells in found]


def test_a_connection() -> None:
    batch = conns(1, **{name: [value] for name, value in PROGRAM.items()}, duration=[1.5], up_bytes=[10])
    assert of(Conmon().lines(batch)) == [
        {
            "time": "2026-11-20T10:20:54.000000Z",
            "source_ip": "192.0.2.1",
            "source_port": "0",
            "destination_ip": "192.0.2.2",
            "destination_port": "0",
            "program": "curl",
            "path": "/usr/bin/curl",
            "parent": "bash",
            "user": "alice",
            "started": "2026-11-20T10:20:54Z",
            "message": "closed SF duration=1.500000 up=10 down=0 service=- name=-",
        }
    ]


def test_what_is_not_known_is_a_dash() -> None:
    (row,) = of(Conmon().lines(conns(1)))
    assert {row[name] for name in ("program", "path", "parent", "user", "started")} == {"-"}


def test_no_rows_are_no_lines() -> None:
    assert Conmon().lines(conns(0)) == b""


@pytest.mark.parametrize("column", ["process_name", "process_path", "process_parent", "process_user", "name"])
def test_hostile_text_stays_in_its_cell(column: str) -> None:
    lines = Conmon().lines(conns(len(HOSTILE), **{column: HOSTILE}))
    assert len(of(lines)) == len(HOSTILE)
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u061c\ufeff]", lines.decode()
    )


def test_segments_of_a_capture() -> None:
    settings = EngineSettings(excerpt=20)
    format = ConmonSegments()
    for batch in tidegate.read(GOLDEN / "http4.pcap", tables=["conn", "packet"], settings=settings):
        assert format.lines(batch) == b""
    found = of(format.rest())
    data = sum(size > 0 for batch in golden("http4", "packet") for size in batch.columns(["payload_size"])[0])
    assert len(found) == data > 0
    assert found[0]["message"] == r"GET /small HTTP/1.1\r"
    assert found[1]["message"] == r"HTTP/1.1 200 OK\r\nSer"
    assert (found[0]["source_ip"], found[1]["source_ip"]) == ("192.0.2.1", "192.0.2.2")
    assert format.rest() == b""


def segments(count: int, **columns: list[object]) -> Batch:
    """Packets with data, of the connections of `conns`."""
    uids = [f"C{number:08d}" for number in range(count)]
    return rows("packet", count, **({"uid": uids, "payload_size": [1] * count} | columns))


def test_a_segment_has_the_program_of_its_connection_even_if_that_comes_later() -> None:
    format = ConmonSegments()
    format.lines(segments(2))
    format.lines(conns(1, **{name: [value] for name, value in PROGRAM.items()}))
    known, unknown = of(format.rest())
    assert (known["program"], known["path"], known["parent"], known["user"], known["started"]) == (
        "curl",
        "/usr/bin/curl",
        "bash",
        "alice",
        "2026-11-20T10:20:54Z",
    )
    assert unknown["program"] == "-"


def test_packets_without_data_have_no_line() -> None:
    format = ConmonSegments()
    format.lines(segments(3, payload_size=[0, 5, 0]))
    assert len(of(format.rest())) == 1


@pytest.mark.parametrize(
    ("text", "ports"),
    [("prog:curl", ["0"]), ("-prog:curl", ["1", "2"]), ("sport:>0", ["1", "2"]), ("prog:curl sport:>0", [])],
)
def test_a_filter_sees_segment_and_program(text: str, ports: list[str]) -> None:
    format = ConmonSegments(parse_filter(text))
    format.lines(segments(3, src_port=[0, 1, 2]))
    format.lines(conns(1, **{name: [value] for name, value in PROGRAM.items()}))
    assert [row["source_port"] for row in of(format.rest())] == ports


def test_neither_programs_nor_segments_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conmon, "REMEMBERED", 3)
    monkeypatch.setattr(conmon, "HELD", 5)
    format = ConmonSegments()
    format.lines(conns(5, process_name=list("abcde")))
    assert format.lines(segments(5)) == b""
    assert [row["program"] for row in of(format.lines(segments(1)))] == ["-", "-", "c", "d", "e", "-"]
