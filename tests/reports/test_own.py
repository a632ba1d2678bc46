"""Sections that a user wrote: what is wrong with them, what they see, and what they may take."""

import re
from pathlib import Path

import pytest

from reported import of_store, sheet
from rows import Conns
from tidegate.app import reporting
from tidegate.app.reporting import try_out
from tidegate.model.config import Config
from tidegate.model.document import Document
from tidegate.reports import asking
from tidegate.reports.files import SHIPPED, shipped

GOOD = "{title: B, sql: 'SELECT uid FROM conn'}"


def small(tmp_path: Path, *sections: str, head: str = "") -> Document:
    """A report with those sections over a store of one connection."""
    Conns().add(uid="C1", ts="2026-11-20 10:00:00", last_ts="2026-11-20 10:01:00", state="closed").save(
        tmp_path / "s"
    )
    (tmp_path / "mine.yml").write_text(f"{head}\nsections: [{', '.join(sections)}]")
    return of_store(tmp_path / "s", "mine", "2026-11-20", (tmp_path,))


WRONG = [
    ("{title: A, sql: 'SELECT nope FROM conn'}", "SQL: .*nope"),
    ("{title: A, sql: 'SELEC 1'}", "SQL: "),
    ("{title: A, sql: 'SELECT 1; SELECT 2'}", "one statement is needed"),
    ("{title: A, sql: 'SELECT * FROM nowhere'}", "nowhere"),
    ("{title: A, sql: 'COPY conn TO x'}", "only SELECT is answered"),
    ("{title: A, sql: \"SELECT * FROM read_text('/etc/passwd')\"}", "/etc/passwd"),
    ("{title: A, question: names, columns: nope}", 'there is no column "nope"'),
    ("{title: A, question: names, key: nope, value: bytes, picture: bars}", "nope"),
    ("{title: A, question: names, set: {nope: 1}}", 'no parameter "nope"'),
    ("{title: A, question: names, value: bytes, picture: time}", 'there is no column "ts"'),
    ("{title: A, sql: 'SELECT 1 AS ts, 2 AS x', value: x, picture: time}", '"ts" has no times'),
    ("{title: A, sql: 'SELECT ts, uid FROM conn', value: uid, picture: time}", '"uid" has no numbers'),
    ("{title: A, sql: 'SELECT ts, uid FROM conn', value: uid, picture: month}", '"uid" has no numbers'),
    ("{title: A, sql: 'SELECT ts, uid FROM conn', key: ts, value: uid, picture: bars}", "SQL: .*sum"),
    ("{title: A, question: requests, set: {step: soon}, value: requests, picture: time}", "step: a number"),
    (
        "{title: A, question: requests, set: {step: 1}, value: requests, picture: time}",
        r"step: 8\d,\d00 stretches",
    ),
]


@pytest.mark.parametrize(("section", "words"), WRONG)
def test_what_is_wrong_in_a_section_stands_in_its_place(section: str, words: str, tmp_path: Path) -> None:
    document = small(tmp_path, section, GOOD)
    (fault,) = document.faults
    assert re.match(f'section "A": .*{words}', fault)
    assert "\n" not in fault
    assert '! 1 of 2 sections could not be made: "A".' in document.text
    assert "! It could not be made: " in document.text
    assert [sheet.name for sheet in document.sheets] == ["b.csv"]
    assert not document.nothing


@pytest.mark.parametrize(("section", "words"), WRONG)
def test_it_shows_before_there_is_a_row(section: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(f"sections: [{section}, {GOOD}]")
    (fault,) = try_out("mine", Config(), [tmp_path])
    assert re.match(f'section "A": .*{words}', fault)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_copy_of_a_shipped_report_can_be_asked(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.yml").write_text(shipped(name))
    assert try_out(name, Config(), [tmp_path]) == ()


def test_what_is_wrong_in_the_figures_costs_only_them(tmp_path: Path) -> None:
    document = small(tmp_path, GOOD, head="figures: SELECT nope FROM conn")
    assert len(document.faults) == 1
    assert document.faults[0].startswith("figures: SQL: ")
    assert "! The figures at the head could not be made: SQL: " in document.text
    assert [sheet.name for sheet in document.sheets] == ["b.csv"]


ENDLESS = "{title: A, sql: 'SELECT count(*) AS n FROM range(3000000) a, range(3000000) b'}"


def test_a_question_that_takes_too_long_costs_only_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LONGEST", 0.5)
    document = small(tmp_path, ENDLESS, GOOD)
    assert document.faults == ('section "A": no answer in 0 s; ask for less',)
    assert [sheet.name for sheet in document.sheets] == ["b.csv"]


def test_all_questions_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST_ALL", 3.0)
    document = small(tmp_path, ENDLESS, GOOD)
    assert [fault.partition(":")[0] for fault in document.faults] == ['section "A"', 'section "B"']
    assert "all sections together have 3 s" in document.faults[1]


def test_an_answer_of_a_million_rows_is_cut_in_the_sheet_too(tmp_path: Path) -> None:
    document = small(tmp_path, "{title: A, sql: 'SELECT range AS n FROM range(1000000)'}")
    assert not document.faults
    assert "and 999,990 more" in document.text
    assert len(sheet(document, "a.csv")) == 10_000


def test_an_answer_that_needs_too_much_room_costs_only_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.queries.engine.SPILL", "10MB")
    monkeypatch.setattr(asking, "MEMORY", "100MB")
    wide = "{title: A, sql: 'SELECT range AS n, md5(range::VARCHAR) AS m FROM range(10000000)'}"
    document = small(tmp_path, wide, GOOD)
    assert len(document.faults) == 1
    assert "ask for fewer rows" in document.faults[0]
    assert [sheet.name for sheet in document.sheets] == ["b.csv"]


def test_cells_have_a_bound(tmp_path: Path) -> None:
    """Else ten thousand requests for paths of 60 kB, which anybody can send, take gigabytes."""
    long = (
        "SELECT repeat('x', 60000) AS t, list_value(repeat('y', 60000), 'z') AS l, range(5000) AS n, 'a' AS s"
    )
    document = small(tmp_path, '{title: A, sql: "' + long + '"}')
    (row,) = sheet(document, "a.csv")
    assert row["t"] == "x" * 999 + "\N{HORIZONTAL ELLIPSIS}"
    assert row["l"] == "y" * 100 + ", z"
    assert row["n"].endswith(", 98, 99")
    assert row["s"] == "a"


def test_own_sql_that_names_no_table_says_something(tmp_path: Path) -> None:
    assert not small(tmp_path, "{title: A, sql: 'SELECT 1 AS n'}").nothing


def test_answers_of_odd_values_are_shown(tmp_path: Path) -> None:
    odd = (
        "SELECT 'infinity'::TIMESTAMP AS ts, 'nan'::DOUBLE AS x, 'inf'::DOUBLE AS bytes, 'a'::BLOB AS b "
        "UNION ALL SELECT NULL, '-inf'::DOUBLE, NULL, NULL "
        "UNION ALL SELECT '2026-11-20 10:00'::TIMESTAMP, 3, 4, NULL"
    )
    shown = 'sql: "' + odd + '", value: x'
    document = small(
        tmp_path,
        "{title: A, " + shown + ", key: b, picture: bars}",
        "{title: B, " + shown + ", picture: time}",
        "{title: C, sql: 'SELECT ts::DATE AS ts, 1 AS x FROM conn', value: x, picture: time}",
        "{title: D, sql: 'SELECT ts::TIMESTAMPTZ AS ts, 1 AS x FROM conn', value: x, picture: month}",
    )
    assert document.faults == ()
    assert len(document.pictures) == 4


def test_own_sql_sees_the_window_only(tmp_path: Path) -> None:
    rows = Conns()
    for day in (18, 19, 20):
        rows.add(
            uid=f"C{day}", ts=f"2026-11-{day} 10:00:00", last_ts=f"2026-11-{day} 10:01:00", state="closed"
        )
    rows.save(tmp_path / "s")
    (tmp_path / "mine.yml").write_text("sections: [{title: A, sql: 'SELECT uid, ts FROM conn ORDER BY ts;'}]")
    document = of_store(tmp_path / "s", "mine", "2026-11-19", (tmp_path,))
    assert [row["uid"] for row in sheet(document, "a.csv")] == ["C19"]
    assert sheet(document, "a.csv")[0]["ts"] == "2026-11-19T11:00:00+01:00"


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(
    "values",
    [
        "SELECT ts, 1e308 AS bytes FROM conn, range(30)",
        "SELECT 'infinity'::TIMESTAMP AS ts, 1 AS bytes FROM conn",
        "SELECT ts, 1 AS bytes, to_months(2147483647) AS x FROM conn",
    ],
)
def test_values_that_nothing_can_hold_cost_only_their_section(values: str, tmp_path: Path) -> None:
    document = small(tmp_path, '{title: A, sql: "' + values + '", value: bytes, picture: month}', GOOD)
    (fault,) = document.faults
    assert re.match('section "A": (Overflow|Value)Error: ', fault)
    assert [sheet.name for sheet in document.sheets] == ["b.csv"]


def test_figures_that_nothing_can_hold_cost_only_them(tmp_path: Path) -> None:
    document = small(tmp_path, GOOD, head="figures: SELECT to_months(2147483647) AS x")
    assert document.faults[0].startswith("figures: OverflowError")


def test_times_of_another_age_are_not_drawn(tmp_path: Path) -> None:
    odd = "SELECT '290000-01-01'::TIMESTAMP AS ts, 1 AS x UNION ALL SELECT ts::TIMESTAMP, 2 FROM conn"
    document = small(tmp_path, '{title: A, sql: "' + odd + '", value: x, picture: time}')
    assert document.faults == ()
    assert "at most 2 per" in document.pictures[0].alt


@pytest.mark.parametrize("picture", ["bars", "time", "month"])
def test_a_sum_is_drawn(picture: str, tmp_path: Path) -> None:
    """DuckDB makes a HUGEINT of it."""
    asked = "SELECT ts, sum(dst_port) AS n FROM conn GROUP BY ts"
    document = small(tmp_path, f"{{title: A, sql: '{asked}', key: ts, value: n, picture: {picture}}}")
    assert document.faults == ()
    assert len(document.pictures) == 1


@pytest.mark.parametrize("picture", ["time", "month"])
def test_more_rows_than_are_read_are_not_drawn_as_if_they_were_all(picture: str, tmp_path: Path) -> None:
    many = "SELECT ts, 1 AS bytes FROM conn, range(20000)"
    shown = f"value: bytes, picture: {picture}"
    (fault,) = small(tmp_path, f"{{title: A, sql: '{many}', {shown}}}").faults
    assert "20,000 rows are more than the 10,000 that can be drawn over time; add them up: " in fault
    added = f"SELECT time_bucket(to_seconds($step), ts) AS ts, sum(bytes) AS bytes FROM ({many}) GROUP BY 1"
    document = small(tmp_path, f"{{title: A, sql: '{added}', {shown}}}")
    assert document.faults == ()
    assert "20.0 kB" in document.pictures[0].alt


def test_trying_out_ends_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "TRIAL", 4.0)
    (tmp_path / "mine.yml").write_text(f"sections: [{ENDLESS}, {ENDLESS}]")
    first, second = try_out("mine", Config(), [tmp_path])
    assert first == 'section "A": no answer in 4 s; ask for less'
    assert "no time was left" in second
