"""Text in cells of a terminal: made harmless."""

import re
import unicodedata

from tidegate.model.text import columns_of, safe_text

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
    if character.isprintable() and not unicodedata.combining(character) and columns_of(character) > 0:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
