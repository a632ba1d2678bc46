"""Plain TSV, CSV and JSON lines in logs."""

import csv
import io
import json
import re

import pytest

from log_rows import HOSTILE, HOSTILE_BYTES, conns, golden
from tidegate.model.errors import UsageError
from tidegate.sinks.plain import Plain


def text(format: Plain, *columns: list[object]) -> str:
    return (format.head() + format.lines(conns(len(columns[0]), name=columns[0]))).decode()


def test_chosen_columns_in_their_order() -> None:
    batch = golden("http4", "conn")[0]
    for name, separator in (("tsv", "\t"), ("csv", ",")):
        format = Plain(name, "conn", ["dst_port", "src_ip"])
        lines = (format.head() + format.lines(batch)).decode().splitlines()
        assert lines[:2] == [f"dst_port{separator}src_ip", f"80{separator}192.0.2.1"]
    assert json.loads(Plain("jsonl", "conn", ["dst_port"]).lines(batch).splitlines()[0]) == {"dst_port": 80}


@pytest.mark.parametrize("name", ["tsv", "csv", "jsonl"])
def test_hostile_text_keeps_lines_whole(name: str) -> None:
    for values in (list(HOSTILE), list(HOSTILE_BYTES)):
        lines = text(Plain(name, "conn", ["uid", "name", "state"]), values)
        assert lines.count("\n") == len(values) + (name != "jsonl")
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u061c\ufeff]", lines
        )


def test_csv_is_read_back() -> None:
    lines = text(Plain("csv", "conn", ["uid", "name", "state"]), list(HOSTILE))
    found = list(csv.DictReader(io.StringIO(lines)))
    assert [row["state"] for row in found] == ["closed"] * len(HOSTILE)
    assert found[6]["name"] == HOSTILE[6]
    assert found[9]["name"] == "'" + HOSTILE[9]


def test_json_is_read_back() -> None:
    found = [json.loads(line) for line in text(Plain("jsonl", "conn", ["name"]), list(HOSTILE)).splitlines()]
    assert [row["name"] for row in found] == HOSTILE


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError, match='table http has no column "x"; see: tidegate tables http'):
        Plain("csv", "http", ["x"])
