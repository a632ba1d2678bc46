"""Text in cells of a terminal: made harmless, cut and filled to a width."""

import re
import unicodedata
from typing import Literal

from rich.cells import cell_len, set_cell_size

from tidegate.model.text import safe_text

Side = Literal["left", "right"]

_SEEN = 4096
"""Characters that are looked at; nothing on screen is longer."""

_CODE = re.compile("[^\x20-\x7e]")


def shown(value: object) -> str:
    """A value as text that does nothing to the terminal but be there; missing is empty."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return _CODE.sub(_visible, safe_text(text[:_SEEN]))


def _visible(match: re.Match[str]) -> str:
    """Letters and signs as they are; what takes no room of its own, or marks other letters, as its code."""
    character = match.group()
    if character.isprintable() and not unicodedata.combining(character) and cell_len(character) > 0:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def fit(text: str, width: int, side: Side = "left", more: str = "…") -> str:
    """The text in exactly `width` cells; cut at its end, with a sign that more is missing."""
    taken = len(text) if text.isascii() else cell_len(text)
    if taken > width:
        return set_cell_size(text, max(width - 1, 0)) + more[:width]
    blank = " " * (width - taken)
    return text + blank if side == "left" else blank + text
