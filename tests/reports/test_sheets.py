"""Sheets: nothing in them is a formula, nothing is lost."""

import csv
import io
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tidegate.reports.asking import Column, Table
from tidegate.reports.sheets import defused, sheet, slug

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "=cmd|'/c calc'!A0", " =1", "\n=1", "\n", "\uff1d1"],
)
def test_formulas_are_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["a;=1", "a\n+1", "a\t@SUM(1)", 'a; "=1', "a;-1;b", "a;\uff1d1"])
def test_what_begins_a_cell_in_other_countries_is_defused_too(cell: str) -> None:
    """There a list's separator is a semicolon: a spreadsheet makes two cells of what stands in one."""
    defused_ = defused(cell)
    assert defused_.replace("'", "", 1) == cell
    for part in re.split(r"[;\t\n]", defused_):
        assert part.lstrip(' "').startswith(("a", "b", "'"))


@pytest.mark.parametrize("cell", ["", "a=1", "1-2", "www.example.org", "'=1", "a; b", "/x;v=1?a=-1"])
def test_other_text_stays(cell: str) -> None:
    assert defused(cell) == cell


def test_a_table_comes_back_as_it_was() -> None:
    columns = (
        Column("=name", "VARCHAR"),
        Column("change", "BIGINT"),
        Column("ts", "TIMESTAMP_NS"),
        Column("of", "VARCHAR[]"),
    )
    hostile = 'a,"b"\r\nc'
    rows = [
        (hostile, -5, datetime(2026, 7, 1, 12, 0, 0, 250000), ["x", "y"]),
        (None, None, None, None),
        ("=1", 2**63, None, ["=2"]),
    ]
    made = sheet("Top: Hosts!", Table(columns, rows, 3), BERLIN)
    assert made.name == "top-hosts.csv"
    read = list(csv.reader(io.StringIO(made.csv.decode(), newline="")))
    assert read == [
        ["'=name", "change", "ts", "of"],
        [hostile, "-5", "2026-07-01T14:00:00.250000+02:00", "x, y"],
        ["", "", "", ""],
        ["'=1", str(2**63), "", "'=2"],
    ]


@pytest.mark.parametrize(
    ("title", "name"), [("Überall", "berall"), ("", "section"), ("../x", "x"), ("a" * 99, "a" * 50)]
)
def test_names_of_files(title: str, name: str) -> None:
    assert slug(title) == name
