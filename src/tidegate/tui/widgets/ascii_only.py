"""What a terminal of plain characters gets: whatever else would be drawn, cell for cell, in ASCII."""

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tidegate.model.text import columns_of
from tidegate.tui.look import ASCII, BLOCKS, PLAIN

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SIGNS = {sign: plain for sign, plain in PLAIN.items() if len(plain) == 1} | {
    "…": ASCII.more, "→": ">", "←": "<", **dict.fromkeys(BLOCKS, " "),
}  # fmt: skip
"""What stands for signs of ours, and of Textual's scroll bars, where there is room for one cell."""


class AsciiOnly(LineFilter):
    """The last to see a line. Letters of strangers become a "?" a cell, so that columns stay in place."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in ASCII; `background` is of no interest."""
        return [
            segment if segment.text.isascii() else segment._replace(text=_plain(segment.text))
            for segment in segments
        ]


def _plain(text: str) -> str:
    return _FOREIGN.sub(lambda found: _SIGNS.get(found[0]) or "?" * columns_of(found[0]), text)
