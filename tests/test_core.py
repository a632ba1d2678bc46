"""The border: what crosses from the core to Python, and what cannot go wrong there."""

import csv
import io
import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate import _core

START = 1_795_168_800
"""2026-11-20T10:00:00Z, in seconds."""


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def udp_frame(src_port: int, payload: bytes) -> bytes:
    """An Ethernet frame from 192.0.2.1 to 192.0.2.2, port 53."""
    udp = struct.pack(">HHHH", src_port, 53, 8 + len(payload), 0) + payload
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    head = head[:10] + struct.pack(">H", checksum(head + addresses)) + addresses
    return bytes(12) + b"\x08\x00" + head + udp


def write_pcap(path: Path, connections: int) -> Path:
    """A capture of so many UDP connections, one packet each, a millisecond apart."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(connections):
            frame = udp_frame(1024 + number, b"hello")
            seconds, millis = divmod(number, 1000)
            file.write(struct.pack("<IIII", START + seconds, millis * 1000, len(frame), len(frame)))
            file.write(frame)
    return path


@pytest.fixture(scope="module")
def pcap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of 2,000 connections."""
    return write_pcap(tmp_path_factory.mktemp("core") / "udp.pcap", 2_000)


def read_all(reader: _core.Reader) -> list[_core.Batch]:
    """Everything a reader gives."""
    batches: list[_core.Batch] = []
    while (more := reader.poll(0.05)) is not None:
        batches += more
    return batches


def conn_rows(pcap: Path, filter: str | None = None) -> _core.Rows:
    """The capture's connections."""
    return _core.Rows(read_all(_core.Reader([str(pcap)], tables=["conn"], filter=filter)))


def one(sql: str) -> tuple[object, ...]:
    """The only row of a query that names no Python object."""
    with duckdb.connect() as db:
        (row,) = db.execute(sql).fetchall()
    return tuple(row)


def column(name: str, values: Sequence[object]) -> polars.DataFrame:
    """A column of text as Arrow rows."""
    return polars.DataFrame({name: values}, schema={name: polars.String})


def test_a_capture_becomes_rows_and_counters(pcap: Path) -> None:
    reader = _core.Reader([str(pcap)])
    batches = read_all(reader)
    assert {batch.table for batch in batches} == {"conn", "health"}
    assert sum(batch.num_rows for batch in batches if batch.table == "conn") == 2_000
    stats = reader.stats()
    assert (stats.packets, stats.connections, stats.flows) == (2_000, 2_000, 0)
    assert stats.first_ts == START * 10**9
    assert stats.bytes_read == stats.bytes_total == pcap.stat().st_size
    assert stats.malformed == {} and stats.warnings == []
    assert reader.poll(0.0) is None, "the end stays the end"


def test_a_stream_can_be_read_twice(pcap: Path) -> None:
    rows = conn_rows(pcap)
    with duckdb.connect() as db:
        db.register("rows", rows)
        assert db.sql("SELECT count(*) FROM rows a JOIN rows b USING (uid)").fetchall() == [(2_000,)]
        kinds = db.sql("SELECT DISTINCT typeof(ts), min(ts)::VARCHAR FROM rows GROUP BY 1").fetchall()
    assert kinds == [("TIMESTAMP_NS", "2026-11-20 10:00:00")]


def test_polars_takes_a_batch(pcap: Path) -> None:
    batch = read_all(_core.Reader([str(pcap)], tables=["conn"]))[0]
    frame = polars.DataFrame(batch)
    assert frame.height == batch.num_rows
    assert set(frame["dst_port"]) == {53}


def test_no_rows_still_have_columns() -> None:
    with duckdb.connect() as db:
        for table in _core.tables():
            db.register("none", _core.empty(table.name))
            described = db.sql("DESCRIBE none").fetchall()
            assert [(name, kind) for name, kind, *_ in described] == [
                (column.name, column.type) for column in table.columns
            ]


def test_every_table_and_column_is_documented() -> None:
    for table in _core.tables():
        assert table.doc
        assert all(column.doc for column in table.columns), table.name


def test_tables_are_chosen(pcap: Path) -> None:
    packets = read_all(_core.Reader([str(pcap)], tables=["packet"]))
    assert {batch.table for batch in packets} == {"packet"}
    assert sum(batch.num_rows for batch in packets) == 2_000


def test_a_filter_leaves_packets_out(pcap: Path) -> None:
    assert conn_rows(pcap, filter="udp src port 1030").num_rows == 1


def test_parquet_is_written_inside_the_core(pcap: Path, tmp_path: Path) -> None:
    reader = _core.Reader([str(pcap)])
    files = {name: str(tmp_path / f"{name}.parquet") for name in ("conn", "health")}
    last: dict[str, int] = {}
    while (counts := reader.write_parquet(files, 0.05)) is not None:
        last = counts
    assert last == {"conn": 2_000, "health": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conn.parquet", "health.parquet"]
    path = files["conn"]
    assert one(f"SELECT count(DISTINCT uid), typeof(min(ts)) FROM '{path}'") == (2_000, "TIMESTAMP_NS")
    assert one(f"SELECT typeof(malformed) FROM '{files['health']}'") == ("MAP(VARCHAR, UBIGINT)",)


def test_parquet_appears_whole_or_not_at_all(pcap: Path, tmp_path: Path) -> None:
    writer = _core.ParquetWriter(tmp_path / "x.parquet")
    writer.write(conn_rows(pcap))
    assert not (tmp_path / "x.parquet").exists()
    del writer
    assert list(tmp_path.iterdir()) == []
    writer = _core.ParquetWriter(tmp_path / "x.parquet")
    writer.write(_core.empty("conn"))
    assert writer.close() == (tmp_path / "x.parquet").stat().st_size
    with pytest.raises(_core.UsageError, match="closed already"):
        writer.write(_core.empty("conn"))


def test_a_segment_is_read_while_it_grows(pcap: Path, tmp_path: Path) -> None:
    batch = read_all(_core.Reader([str(pcap)], tables=["conn"]))[0]
    path = tmp_path / "open.arrows"
    writer = _core.SegmentWriter(path, batch)
    segment = _core.SegmentReader(path)
    heights = []
    for _ in range(3):
        heights.append(polars.DataFrame(segment).height)
        writer.write(batch)
    assert heights == [0, batch.num_rows, 2 * batch.num_rows]
    assert (writer.rows_written, writer.bytes_written) == (3 * batch.num_rows, path.stat().st_size)
    writer.sync()
    writer.close()
    assert segment.to_parquet(tmp_path / "closed.parquet") == 3 * batch.num_rows


def test_a_torn_segment_gives_what_is_whole(pcap: Path, tmp_path: Path) -> None:
    batch = read_all(_core.Reader([str(pcap)], tables=["conn"]))[0]
    path = tmp_path / "torn.arrows"
    writer = _core.SegmentWriter(path, batch)
    schema = writer.bytes_written
    writer.write(batch)
    writer.write(batch)
    path.write_bytes(path.read_bytes()[:-1])
    assert polars.DataFrame(_core.SegmentReader(path)).height == batch.num_rows
    path.write_bytes(path.read_bytes()[: schema - 1])
    assert not _core.SegmentReader(path).readable
    path.write_bytes(b"")
    assert not _core.SegmentReader(path).readable
    assert _core.SegmentReader(path).to_parquet(tmp_path / "none.parquet") == 0
    assert not (tmp_path / "none.parquet").exists()


@given(st.lists(st.text()))
def test_any_text_comes_back_from_csv(texts: list[str]) -> None:
    out = _core.TextWriter("csv").write(column("c", texts)).decode()
    back = [row[0] if row else "" for row in csv.reader(io.StringIO(out, newline=""))]
    guarded = [f"'{text}" if re.match(r"[=+\-@\t\r]", text) else text for text in texts]
    assert back == ["c", *(text for text in guarded)]


@given(st.lists(st.none() | st.text()))
def test_any_text_comes_back_from_json(texts: list[str | None]) -> None:
    out = _core.TextWriter("jsonl").write(column('a "key"', texts)).decode()
    assert [json.loads(line)['a "key"'] for line in out.split("\n")[:-1]] == texts


@given(st.lists(st.text()))
def test_tsv_cells_hold_no_control(texts: list[str]) -> None:
    out = _core.TextWriter("tsv", header=False).write(column("c", texts)).decode()
    assert out.count("\n") == len(texts)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


QUERY = """
    SELECT 1::HUGEINT AS huge, 1.50::DECIMAL(9, 2) AS dec, DATE '2026-11-20' AS day, TIME '01:02:03'
    AS clock, TIMESTAMPTZ '2026-11-20 10:00:00+00' AS zoned, INTERVAL '1 month 2 days' AS span, [1,
    NULL] AS list, {'a': 'x', 'b': NULL} AS struct, MAP {'k': 1} AS map, 'ab'::BLOB AS blob,
    'sad'::ENUM('sad', 'ok') AS enum, 'nan'::DOUBLE AS nan, uuid AS uuid, NULL AS nothing, true AS
    yes, 1::UTINYINT AS small FROM (SELECT '00000000-0000-0000-0000-000000000001'::UUID AS uuid)
"""


def test_what_duckdb_answers_can_be_written() -> None:
    with duckdb.connect() as db:
        lines = _core.TextWriter("jsonl").write(db.sql(QUERY)).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "huge": 1,
            "dec": 1.5,
            "day": "2026-11-20",
            "clock": "01:02:03.000000000",
            "zoned": "2026-11-20T10:00:00.000000000Z",
            "span": "P1M2D",
            "list": [1, None],
            "struct": {"a": "x", "b": None},
            "map": {"k": 1},
            "blob": "6162",
            "enum": "sad",
            "nan": None,
            "uuid": "00000000-0000-0000-0000-000000000001",
            "nothing": None,
            "yes": True,
            "small": 1,
        }
    ]


def test_pieces_make_the_whole(pcap: Path) -> None:
    rows = conn_rows(pcap)
    whole = _core.TextWriter("tsv").write(rows)
    assert b"".join(_core.TextWriter("tsv").pieces(rows)) == whole
    with duckdb.connect() as db:
        numbers = db.sql("SELECT range AS n FROM range(400_000)")
        sizes = [len(piece) for piece in _core.TextWriter("csv").pieces(numbers)]
    assert len(sizes) > 1 and max(sizes) < 4 << 20


def test_the_same_capture_gives_the_same_bytes(pcap: Path) -> None:
    first, second = (_core.TextWriter("tsv").write(conn_rows(pcap)) for _ in range(2))
    assert first == second


def write_nowhere() -> None:
    """Writes a file in a directory that does not exist."""
    _core.ParquetWriter("/nonexistent/x.parquet").write(_core.empty("conn"))


MISTAKES: list[tuple[type[Exception], str, Callable[[], object]]] = [
    (_core.CaptureError, "nothing.pcap", lambda: _core.Reader(["/nonexistent/nothing.pcap"])),
    (_core.CaptureError, "core.py", lambda: _core.Reader([__file__])),
    (_core.CaptureError, "/", lambda: _core.Reader(["/"])),
    (_core.UsageError, "no files", lambda: _core.Reader([])),
    (_core.UsageError, "there are conn", lambda: _core.Reader([__file__], tables=["nonsense"])),
    (_core.UsageError, "tcp prt", lambda: _core.check_filter("tcp prt 80")),
    (_core.UsageError, "there are conn", lambda: _core.empty("nonsense")),
    (_core.UsageError, "tsv, csv or jsonl", lambda: _core.TextWriter("xml")),
    (_core.UsageError, "timeout", lambda: _core.EngineConfig(timeouts={"nonsense": 1.0})),
    (_core.UsageError, "interim", lambda: _core.EngineConfig(interim=-1.0)),
    (_core.UsageError, "no batches", lambda: _core.Rows([])),
    (_core.CaptureError, "nosuch0", lambda: _core.Watcher(["nosuch0"])),
    (_core.CaptureError, "x.parquet", write_nowhere),
    (_core.CaptureError, "x.arrows", lambda: _core.SegmentReader("/nonexistent/x.arrows")),
]


@pytest.mark.parametrize(("kind", "words", "mistake"), MISTAKES)
def test_mistakes_are_told_in_one_line(
    kind: type[Exception], words: str, mistake: Callable[[], object]
) -> None:
    with pytest.raises(kind) as caught:
        mistake()
    assert isinstance(caught.value, _core.CoreError)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_full_disk_names_the_file(pcap: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here: writing to a full disk is not tried")
    (tmp_path / ".x.parquet.part").symlink_to(full)
    writer = _core.ParquetWriter(tmp_path / "x.parquet")
    with pytest.raises(_core.CaptureError, match="x.parquet: No space left"):
        writer.write(conn_rows(pcap))
        writer.close()


def test_other_threads_run_while_the_core_works(pcap: Path) -> None:
    """A reader at one end of a pipe waits for us at the other: with the GIL held, neither would end."""
    fifo = pcap.with_suffix(".fifo")
    _mkfifo(fifo)
    found: list[_core.Rows] = []
    thread = threading.Thread(target=lambda: found.append(conn_rows(fifo)))
    thread.start()
    with fifo.open("wb") as file:
        file.write(pcap.read_bytes())
    thread.join()
    assert [rows.num_rows for rows in found] == [2_000]


def _mkfifo(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here: that the core lets other threads run is not tried")
    os.mkfifo(path)


def loopback(tmp_path: Path) -> _core.Watcher:
    """A watcher of the loopback interface that records."""
    try:
        return _core.Watcher(
            ["lo"], config=_core.EngineConfig(opened=True), tables=["conn"], record=tmp_path / "beside.pcapng"
        )
    except _core.CaptureError as error:
        pytest.skip(f"cannot capture on lo, so live capture is not tried: {error}")


def test_what_happens_on_an_interface_is_seen(tmp_path: Path) -> None:
    watcher = loopback(tmp_path)
    assert watcher.interfaces() == ["lo"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            seen = _until(watcher, port)
    watcher.stop()
    while (more := watcher.poll(1.0)) is not None:
        seen += more
    assert watcher.poll(0.0) is None
    states = [row["state"] for batch in seen for row in _rows(batch) if row["dst_port"] == port]
    assert states[0] == "active" and states[-1] == "closed"
    assert watcher.stats().packets >= 3
    recorded = _core.Reader([str(tmp_path / "beside.pcapng")], tables=["conn"], filter=f"tcp port {port}")
    assert sum(batch.num_rows for batch in read_all(recorded)) == 1


def _until(watcher: _core.Watcher, port: int) -> list[_core.Batch]:
    """Polls until a connection to the port is seen."""
    seen: list[_core.Batch] = []
    while not any(row["dst_port"] == port for batch in seen for row in _rows(batch)):
        seen += watcher.poll(10.0) or []
    return seen


def _rows(batch: _core.Batch) -> list[dict[str, object]]:
    return polars.DataFrame(batch).to_dicts()


def test_what_the_kernel_still_holds_at_a_stop_is_read() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        try:
            watcher = _core.Watcher(["lo"], filter=f"udp port {port}", tables=["conn"])
        except _core.CaptureError as error:
            pytest.skip(f"cannot capture on lo, so live capture is not tried: {error}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(100):
                sender.sendto(b"hello", ("127.0.0.1", port))
        watcher.stop()
        while watcher.poll(1.0) is not None:
            pass
    assert watcher.stats().packets == 100


def test_a_watcher_thrown_away_ends_its_thread(tmp_path: Path) -> None:
    watcher = loopback(tmp_path)
    del watcher
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    assert not any(name.startswith("tidegate-captu") for name in names)
