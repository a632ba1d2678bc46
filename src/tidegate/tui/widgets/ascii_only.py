"""What a terminal of plain characters gets: whatever else would be drawn, cell for cell, in ASCII."""

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tidegate.tui.look import BLOCKS, UNICODE

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SIGNS = dict.fromkeys(BLOCKS, " ") | {
    "…": "~", "→": ">", "←": "<", "↑": "^", "↓": "v", "µ": "u", "≈": "%", "†": "+", "▲": "^", "▼": "v",
    "●": "*", "│": "|", "─": "-", "━": "=", "✔": "+", UNICODE.dash: "-", UNICODE.times: "x",
}  # fmt: skip
"""Signs of ours, and of Textual's scroll bars, that take one cell here and there."""


class AsciiOnly(LineFilter):
    """The last to see a line. Letters of strangers become a "?" a cell, so that columns stay in place."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in ASCII; `background` is of no interest."""
        return [
            segment if segment.text.isascii() else segment._replace(text=_plain(segment.text))
            for segment in segments
        ]


def _plain(text: str) -> str:
    return _FOREIGN.sub(lambda found: _SIGNS.get(found[0]) or "?" * cell_len(found[0]), text)
