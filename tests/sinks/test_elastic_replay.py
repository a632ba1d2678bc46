"""What lines of old logs become: the documents that their rows were, or a reason why not."""

import gzip
import json
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_rows import GOLDEN, HOSTILE, conns, rows
from tidegate.app import read
from tidegate.model.batch import Batch
from tidegate.model.errors import CaptureError
from tidegate.model.tables import all_tables
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.ecs_fields import SHAPES
from tidegate.sinks.elastic import fields, identity, template
from tidegate.sinks.elastic.documents import Document, Documents
from tidegate.sinks.elastic.moment import nanoseconds
from tidegate.sinks.elastic.replay import autonapt
from tidegate.sinks.elastic.replay.journal import MOST, Journal, Place
from tidegate.sinks.elastic.replay.lines import LONGEST, open_log
from tidegate.sinks.elastic.replay.recognise import Recogniser
from tidegate.sinks.plain import Plain

TABLES = [table.name for table in all_tables()]


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    found = [batch for path in sorted(GOLDEN.glob("*.pcap")) for batch in read(path, tables=TABLES)]
    alerts = rows(
        "alert", 3, alert_id=["a", "b", "b"], state=["raised", "raised", "recovered"], key=[None, "x", "x"]
    )
    hostile = conns(len(HOSTILE), name=HOSTILE, process_path=HOSTILE, process_pid=list(range(len(HOSTILE))))
    return [*found, alerts, hostile]


@pytest.mark.parametrize("format", ["ecs", "flat"])
def test_a_row_has_one_name_however_it_comes(format: Any, batches: list[Batch]) -> None:
    ours = Documents("s", format)
    for batch in batches:
        wanted = ours.of(batch)
        recogniser = Recogniser("s", format)
        jsonl = Plain("jsonl", batch.table).lines(batch).splitlines()
        assert recogniser.documents(jsonl) == wanted
        # One by one, a line of JSON may have its keys in another order: its name is the same.
        alone = [recogniser.documents([line])[0] for line in jsonl]
        ecs = recogniser.documents(Ecs().lines(batch).splitlines())
        assert actions(alone) == actions(ecs) == actions(wanted)
        assert not recogniser.not_understood


def actions(documents: list[Document]) -> list[bytes]:
    return [each.action for each in documents]


def test_different_rows_have_different_names(batches: list[Batch]) -> None:
    seen: dict[bytes, bytes] = {}
    for batch in batches:
        lines = Plain("jsonl", batch.table).lines(batch).splitlines()
        for made, line in zip(Documents("s", "flat").of(batch), lines, strict=True):
            assert seen.setdefault(made.action, line) == line


def test_every_table_has_columns_that_make_a_row_that_one() -> None:
    for table in TABLES:
        assert set(identity.columns(table)) <= set(identity._paths(table)), table
        assert set(identity.columns(table)) <= {each.name for each in rows_of(table)}


def rows_of(table: str) -> list[Any]:
    return next(each.columns for each in all_tables() if each.name == table)


def test_every_table_has_fields_in_both_forms() -> None:
    assert {*SHAPES, "relay"} == set(TABLES)
    for table in TABLES:
        assert {"@timestamp"} <= fields.ecs(table).keys() & fields.flat(table).keys()
        assert template.template("s", table, "ecs") == template.template("s", table, "ecs")
        assert template.template("s", table, "ecs")["_meta"] != template.template("s", table, "flat")["_meta"]
    assert fields.ecs("conn")["source"]["properties"]["ip"]["type"] == "ip"
    assert fields.flat("conn")["last_ts"] == {"type": "date_nanos"}


def test_rows_with_some_columns_are_sent_as_they_are() -> None:
    batch = conns(3)
    lines = Plain("jsonl", "conn", ("ts", "src_ip", "up_bytes", "history")).lines(batch).splitlines()
    recogniser = Recogniser("s", "flat")
    found = [json.loads(each.source) for each in recogniser.documents(lines)]
    assert [sorted(each) for each in found] == [["@timestamp", "history", "src_ip", "up_bytes"]] * 3
    ecs = Ecs(("src_ip", "up_bytes")).lines(batch).splitlines()
    assert len(set(actions(Recogniser("s", "ecs").documents(ecs)))) == 3


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"no", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"{}", "neither jsonl"),
        (b'{"ts":"2026-11-20T10:20:54Z","nope":1}', "jsonl, but no table has these columns"),
        (b'{"ts":"2026-11-20T10:20:54Z","uid":"C1"}', "jsonl, but of which table? say --table conn or"),
        (b'{"ts":"never","uid":"C1","trans_depth":1}', "no row of http: no time"),
        (b'{"ts":"2026-11-20T10:20:54Z","uid":7,"trans_depth":1}', "no row of http"),
        (b'{"ts":"2026-11-20T10:20:54Z","uid":"C1","trans_depth":-1}', "no row of http"),
        (b'{"ts":"2026-11-20T10:20:54Z","uid":"\\ud800","trans_depth":1}', "no row of http"),
        (b'{"@timestamp":"2026-11-20T10:20:54Z","event":{"dataset":"nginx.access"}}', "none of ours"),
        (b'{"@timestamp":"2026-11-20T10:20:54Z","event":{}}', "'dataset' is missing"),
        (b'{"@timestamp":5,"event":{"dataset":"tidegate.conn"}}', "no event of ecs: no time"),
        (b'{"event_type":"dns","timestamp":"x"}', "no event of eve: no time"),
        (b'{"datetime":"2020-13-03 04:05:06","connection_id":1,"type":"accept"}', "no event of autonapt"),
    ],
)
def test_a_line_that_is_none_is_counted_by_its_reason(line: bytes, why: str) -> None:
    recogniser = Recogniser("s", "ecs")
    good = Ecs().lines(conns(1)).strip()
    assert len(recogniser.documents([good, line, b"  "])) == 1
    assert recogniser.not_understood.total() == 1
    assert why in next(iter(recogniser.not_understood))


def test_one_wrong_row_takes_no_other_with_it() -> None:
    lines = Plain("jsonl", "conn").lines(conns(5)).splitlines()
    lines[2] = lines[2].replace(b'"src_port":2', b'"src_port":"x"')
    recogniser = Recogniser("s", "ecs")
    assert len(recogniser.documents(lines)) == 4
    assert recogniser.not_understood.total() == 1


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats(),
        lambda s: (
            st.lists(s)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "remote",
                        "local",
                        "address",
                        "port",
                        "geo",
                        "geoip",
                        "city",
                        "asn",
                        "location",
                        "lat",
                        "lon",
                    ]
                ),
                s,
            )
        ),
    )
)
def test_autonapts_events_may_hold_anything(value: Any) -> None:
    event = {
        "datetime": "2020-02-03 04:05:06",
        "connection_id": value,
        "type": value,
        "client": value,
        "geo": value,
    }
    ts, source = autonapt.event(event, UTC)
    assert ts == 1_580_702_706_000_000_000
    assert b"\n" not in source
    json.loads(source)


def test_an_autonapt_event_in_ecs() -> None:
    client = {"remote": "[2001:db8::1]:99", "local": {"address": "192.0.2.1", "port": 80}}
    event = {
        "datetime": "2020-02-03 04:05:06.5",
        "connection_id": 7,
        "type": "recv",
        "client": client,
        "sha1": "ab",
    }
    _ts, source = autonapt.event(event | {"protocol": "HTTP", "mine": 1}, ZoneInfo("Asia/Tokyo"))
    found = json.loads(source)
    assert found["@timestamp"] == "2020-02-02T19:05:06.500000000Z"
    assert (found["source"], found["destination"]) == (
        {"ip": "2001:db8::1", "port": 99},
        {"ip": "192.0.2.1", "port": 80},
    )
    assert found["network"] == {"transport": "tcp", "protocol": "http"}
    assert found["related"] == {"hash": ["ab"]}
    assert found["autonapt"]["rest"] == {"mine": 1}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-20T10:20:54.176026123Z", 1_795_170_054_176_026_123),
        ("2026-11-20T10:20:54Z", 1_795_170_054_000_000_000),
        ("2026-11-20 10:20:54.5", 1_795_170_054_500_000_000),
        ("2026-11-20T11:20:54.176026+0100", 1_795_170_054_176_026_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_times(text: str, wanted: int) -> None:
    assert nanoseconds(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "2026-11-20", "2026-11-32T00:00:00Z", "\uff12026-11-20T10:20:54Z", None, 5]
)
def test_no_times(text: Any) -> None:
    with pytest.raises(ValueError, match=r"no time|day|isoformat"):
        nanoseconds(text)


def lines_of(path: Path, start: int = 0) -> list[bytes]:
    with open_log(str(path)) as reader:
        return [line.text for line in reader.lines(start)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_and_where_they_end(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(b"one\r\ntwo\n\nlast"))
    with open_log(str(path)) as reader:
        assert reader.first() == b"one\r\n"
        assert [(line.text, line.end) for line in reader.lines(0)] == [
            (b"one", 5),
            (b"two", 9),
            (b"", 10),
            (b"last", 14),
        ]
    assert lines_of(path, 5) == [b"two", b"", b"last"]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a\n" + b"x" * (2 * LONGEST + 5) + b"\nb\n"))
    with open_log(str(path)) as reader:
        assert [(line.text, line.too_long) for line in reader.lines(0)] == [
            (b"a", False),
            (b"", True),
            (b"b", False),
        ]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(lambda data: data[:-20], "ends early"), (lambda data: data[:40] + b"\xff" * 200, "broken")],
)
def test_a_broken_file_is_said_after_its_whole_lines(spoil: Any, why: str, tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(spoil(gzip.compress(b"".join(b"line %d %d\n" % (n, hash(str(n))) for n in range(5000)))))
    with pytest.raises(CaptureError, match=f"log.gz: {why}"):
        lines_of(path)


def test_no_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        lines_of(tmp_path / "nothing")
    with pytest.raises(CaptureError, match="is a directory"):
        lines_of(tmp_path)


def test_the_journal_remembers_and_forgets(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a")
    key = journal.key("http://es tidegate", b"first line\n")
    assert journal.find(key) == Place()
    journal.keep(key, Place(77, "now", {"x": 2}), "log")
    assert journal.find(key) == Place(77, "now", {"x": 2})
    assert journal.find(journal.key("http://other tidegate", b"first line\n")) == Place()
    (tmp_path / "a" / f"{key}.json").write_text('{"offset": "many"}')
    assert journal.find(key) == Place()
    for number in range(MOST + 5):
        (tmp_path / "a" / f"{number}.json").write_text("{}")
    journal.prune()
    assert len(list((tmp_path / "a").iterdir())) == MOST
