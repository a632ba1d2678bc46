"""A terminal of plain characters gets nothing else: from no tab, no sheet, no stranger's name, at no time."""

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from screens import play, settle, text
from textual.color import Color
from textual.pilot import Pilot
from town import NOW, TownFeed, batch, conn, program

from terminal import foreign
from tidegate.tui.look import ASCII, UNICODE, Look
from tidegate.tui.screen import WatchScreen
from tidegate.tui.tabs.spec import TABS
from tidegate.tui.widgets.ascii_only import AsciiOnly

LONG = "café-浏览器-" * 100
FOREIGN = [
    batch("conn", [conn(1, name=f"{LONG}.example", name_source="sni", **program(LONG, 7))]),
    batch("http", [{"ts": NOW, "uid": "C1", "host": LONG, "uri": f"/{LONG}", "section": f"/{LONG}"}]),
    batch("alert", [{"ts": NOW, "alert_id": "A", "rule": LONG, "key": LONG, "state": "raised",
                     "severity": "warning", "metric": "m", "value": 1.0, "message": LONG}]),
]  # fmt: skip
FEEDS = {
    "town": TownFeed,
    "strangers": lambda: TownFeed(FOREIGN),
    "nothing": lambda: TownFeed([]),
    "store": lambda: TownFeed([], "store", LONG),
    "replay": lambda: TownFeed([], "replay", LONG),
}


SIZES = [(80, 24, feed) for feed in FEEDS] + [(40, 12, "strangers"), (120, 30, "strangers")]


@pytest.mark.parametrize(("width", "height", "feed"), SIZES)
def test_every_tab_and_sheet(width: int, height: int, feed: str) -> None:
    seen: dict[str, list[str]] = {}

    async def walk(pilot: Pilot[None]) -> None:
        for tab in range(1, len(TABS) + 1):
            for keys in ([str(tab)], ["enter"], ["G"], ["escape", "question_mark"]):
                await pilot.press(*keys)
                await settle(pilot)
                assert isinstance(pilot.app, WatchScreen)
                seen[f"{tab} {keys}"] = foreign(text(pilot.app))
            await pilot.press("escape")

    play(walk, size=(width, height), feed=FEEDS[feed](), look=Look(signs=ASCII))
    assert {place: found for place, found in seen.items() if found} == {}


def test_a_line_stays_as_wide_as_it_was() -> None:
    every = "".join(str(sign) for sign in vars(UNICODE).values() if isinstance(sign, str))
    line = [Segment(every), Segment("浏览器 café ▁▇ 340µs…"), Segment("plain")]
    drawn = AsciiOnly().apply(line, Color(0, 0, 0))
    assert [cell_len(new.text) for new in drawn] == [cell_len(old.text) for old in line]
    assert all(segment.text.isascii() for segment in drawn)
    assert drawn[1].text == "?????? caf?    340us~"
