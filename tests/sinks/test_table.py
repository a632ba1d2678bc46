"""Rows in aligned columns."""

import io

import duckdb

from tidegate.sinks.table import WIDEST, TableSink


def shown(*questions: str) -> list[str]:
    out = io.StringIO()
    sink = TableSink(out)
    for question in questions:
        sink.write_rows(duckdb.sql(question))
    sink.close()
    return out.getvalue().splitlines()


def test_numbers_to_the_right_and_text_to_the_left() -> None:
    assert shown("SELECT * FROM (VALUES ('a', 5), ('long', 1234)) AS t(name, n)") == [
        "name     n",
        "a        5",
        "long  1234",
    ]


def test_the_first_rows_decide_how_wide_later_ones_may_be() -> None:
    assert shown("SELECT 'ab' AS x", "SELECT 'abcdef' AS x") == ["x", "ab", "a…"]


def test_long_cells_are_clipped_and_missing_ones_marked() -> None:
    lines = shown(f"SELECT repeat('x', {WIDEST * 2}) AS x, NULL AS y")
    assert lines[1] == "x" * (WIDEST - 1) + "…  -"


def test_chinese_names_stand_in_their_columns() -> None:
    rows = f"('服务器', 1), ('ab', 2), ('{'服' * WIDEST}', 3)"
    assert shown(f"SELECT * FROM (VALUES {rows}) AS t(name, n)") == [
        f"name{' ' * 36}  n",
        f"服务器{' ' * 34}  1",
        f"ab{' ' * 38}  2",
        f"{'服' * 19} …  3",
    ]


def test_an_answer_without_rows_is_its_header() -> None:
    assert shown("SELECT 1 AS a, 2 AS b WHERE false") == ["a  b"]


def test_nothing_a_terminal_obeys_gets_through() -> None:
    lines = shown("SELECT chr(27) || '[2J' || chr(8238) || chr(10) AS x")
    assert len(lines) == 2
    assert not {"\x1b", "\u202e"} & set(lines[1])
