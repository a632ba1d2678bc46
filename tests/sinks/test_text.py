"""Text formats: bulk as the core writes it, except where a terminal would obey."""

import io

import duckdb
import pytest

from tidegate.sinks.text import TextSink


class Terminal(io.BytesIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl"])
def test_a_terminal_gets_no_escape_sequence(format: str) -> None:
    out = Terminal()
    TextSink(out, format).write_rows(duckdb.sql("SELECT chr(27) || '[2J' || chr(8238) AS x, 1 AS y"))
    text = out.getvalue().decode()
    assert not {"\x1b", "\u202e"} & set(text)
    assert "[2J" in text


def test_a_file_gets_the_header_once() -> None:
    out = io.BytesIO()
    sink = TextSink(out, "csv")
    for _ in range(2):
        sink.write_rows(duckdb.sql("SELECT 1 AS a, 'x' AS b"))
    assert out.getvalue() == b"a,b\n1,x\n1,x\n"
