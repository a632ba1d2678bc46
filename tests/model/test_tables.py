"""The tables as the core documents them."""

import duckdb
import pytest

from tidegate._core import empty
from tidegate.model.errors import UsageError
from tidegate.model.tables import all_tables, check_tables, default_tables, find_table


def test_every_table_and_column_is_documented() -> None:
    for table in all_tables():
        assert table.doc
        assert all(column.doc and column.type for column in table.columns), table.name


def test_every_column_can_be_named_in_sql_without_quotes() -> None:
    for table in all_tables():
        with duckdb.connect() as sql:
            sql.register("rows", empty(table.name))
            for column in table.columns:
                assert sql.execute(f"SELECT {column.name}, 1 FROM rows").fetchall() == []


def test_the_packet_table_is_off_unless_asked_for() -> None:
    assert "packet" not in default_tables()
    assert find_table("packet").name == "packet"


def test_an_unknown_table_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r'no table "foo"; there are conn'):
        check_tables(["conn", "foo"])


def test_names_are_taken_once() -> None:
    assert check_tables(["conn", "health", "conn"]) == ["conn", "health"]
