"""Text from the network must not act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.text import clip, columns_of, fit, one_line, safe_text


def test_escape_sequences_are_shown() -> None:
    assert safe_text("a\x1b[31mb\x9dc\x07") == "a\\x1b[31mb\\x9dc\\x07"


def test_direction_marks_and_disguised_line_ends_are_shown() -> None:
    assert safe_text("a\u202eb\u2028c\u2066") == "a\\u202eb\\u2028c\\u2066"


def test_ordinary_text_passes() -> None:
    assert safe_text("Grüße, 東京 [/foo] 🌊") == "Grüße, 東京 [/foo] 🌊"


@given(st.text(st.characters(codec=None)))
def test_nothing_a_terminal_acts_on_passes(text: str) -> None:
    safe = safe_text(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in safe)
    assert len(safe.encode()) >= 0
    assert safe_text(safe) == safe


def test_what_others_say_is_one_line() -> None:
    assert one_line(" no\r\n\tsuch\x07  index ", 40) == "no such\\x07 index"
    assert one_line("a b c", 3) == "a …"


@given(st.text(), st.integers(1, 50))
def test_clipped_text_fits(text: str, width: int) -> None:
    clipped = clip(text, width)
    assert len(clipped) <= width
    assert clipped == text or clipped.endswith("…")


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("服务器", 6), ("cafe\u0301", 4), ("\uff46ull", 5), ("…", 1)]
)
def test_columns_on_a_terminal(text: str, columns: int) -> None:
    assert columns_of(text) == columns
    assert fit(text, 8) == text + " " * (8 - columns)
    assert fit(text, 8, "right") == " " * (8 - columns) + text
