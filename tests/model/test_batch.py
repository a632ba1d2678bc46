"""Batches as Python reaches into them: values out, values in, rows and columns chosen."""

from pathlib import Path

import pytest

from tidegate import _core
from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table

GOLDEN = Path(__file__).parent.parent / "golden"
ALERT = {
    "ts": [1, 2],
    "alert_id": ["a", "a"],
    "sensor": ["s", "s"],
    "rule": ["r", b"\x1b[31m\xff"],
    "state": ["raised", "recovered"],
    "severity": ["warning", "warning"],
    "metric": ["http", "http"],
    "value": [7.5, 1],
    "threshold": [7, 7],
    "clear": [6, 6],
    "since": [1, 1],
    "message": ["up", "down"],
}


def batches(capture: str) -> list[Batch]:
    reader = _core.Reader([str(GOLDEN / capture)])
    found: list[Batch] = []
    while (some := reader.poll(1)) is not None:
        found += some
    return found


@pytest.mark.parametrize("capture", ["http4.pcap", "dns_types.pcap", "tls_versions.pcap", "ssh.pcap"])
def test_values_come_out_and_go_in_unchanged(capture: str) -> None:
    for batch in batches(capture):
        names = [column.name for column in find_table(batch.table).columns]
        values = batch.columns(names)
        again = batch.with_columns(dict(zip(names, values, strict=True)))
        assert again.columns(names) == values
        assert again.num_rows == batch.num_rows


def test_rows_and_columns_are_chosen() -> None:
    batch = make("alert", ALERT)
    assert batch.keep([False, True]).columns(["state"]) == [["recovered"]]
    assert batch.select(["value", "ts"]).columns(["ts"]) == [[1, 2]]


def test_a_strangers_bytes_are_escaped_and_what_is_not_given_is_missing() -> None:
    batch = make("alert", ALERT)
    assert batch.columns(["rule", "key"]) == [["r", "\\x1b[31m\\xff"], [None, None]]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(_core.CoreError, match="alert_id"):
        make("alert", {"ts": [1]})
    with pytest.raises(TypeError, match="column value, Float64"):
        make("alert", {**ALERT, "value": ["much", 1]})
    with pytest.raises(_core.CoreError, match="same length"):
        make("alert", {**ALERT, "value": [1]})
    with pytest.raises(_core.UsageError, match="no column"):
        make("alert", ALERT).select(["colour"])
