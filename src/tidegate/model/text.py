"""Text from the network, made safe for a terminal."""

import re
from collections.abc import Iterable
from typing import Literal

Side = Literal["left", "right"]

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: escape sequences begin here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of text
    "\u2028\u2029\ufeff\ud800-\udfff]"  # line breaks in disguise, byte order mark, lone surrogates
)


def safe_text(text: str) -> str:
    r"""The text with everything a terminal would act on written as an escape such as \x1b."""
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def clip(text: str, width: int) -> str:
    """The text in at most `width` characters, an ellipsis at its end where some are missing."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def columns_of(text: str) -> int:
    """Columns that the text takes on a terminal: Chinese signs take two, accents of their own none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # a part of a start that few need

    return cell_len(text)


def fit(text: str, width: int, side: Side = "left", more: str = "…") -> str:
    """The text in exactly `width` columns; cut at its end, with a sign that more is missing."""
    taken = columns_of(text)
    if taken > width:
        from rich.cells import set_cell_size

        return set_cell_size(text, max(width - 1, 0)) + more[: max(width, 0)]
    blank = " " * (width - taken)
    return text + blank if side == "left" else blank + text


def shortened(text: str, longest: int) -> str:
    """The text in so many characters, without its middle: what sites differ in is at both ends."""
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def one_line(text: str, width: int) -> str:
    """What somebody else said, harmless and in one line of at most `width` characters."""
    return clip(safe_text(" ".join(text.split())), width)


def meant(given: str, known: Iterable[str]) -> str:
    """A hint for a name that is not there: the one that is nearest, else all there are."""
    import difflib  # only where something is wrong

    names = list(known)
    near = difflib.get_close_matches(given, names, 1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; there are {', '.join(names)}" if names else "; there is none"
