"""Pictures: as they were looked at, with nothing cut off, and with any name.

`python tests/reports/test_pictures.py` draws the golden ones anew; look at each before it is committed.
"""

import io
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tidegate.reports.pictures import bars, fonts, month, timeline
from tidegate.reports.pictures.bars import Bar, folded
from tidegate.reports.pictures.canvas import DPI, WIDTH, Canvas
from tidegate.reports.pictures.clock import step_of, ticks
from tidegate.reports.pictures.month import Month
from tidegate.reports.pictures.scale import per, round_step
from tidegate.reports.pictures.timeline import Timeline

GOLDEN = Path(__file__).parent / "golden"
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
TOLERANCE = 8.0
"""Root mean square of differences, of 255: letters may be a little different, nothing may move."""

HOSTILE = [
    "$x$ $",
    "\\frac{a",
    "W" * 300,
    "中文.example",
    "\x1b[2J\u202e",
    "",
    "a\nb\tc",
    "🦀" * 40,
    "<b>&amp;",
    "\udcff",
]


def night(begin: str, end: str, zone: ZoneInfo, **more: object) -> Timeline:
    first = datetime.fromisoformat(begin).replace(tzinfo=zone)
    last = datetime.fromisoformat(end).replace(tzinfo=zone)
    seconds = last.timestamp() - first.timestamp()
    step = step_of(seconds)
    count = -(-int(seconds) // step)
    values = [
        4e6 + 3e6 * ((each * 7919) % 13) / 13 + (6e7 if each == count // 3 else 0) for each in range(count)
    ]
    made = Timeline(first, last, zone, step, {"bytes": values})
    return Timeline(**{**vars(made), **more})  # type: ignore[arg-type]


def bars_picture() -> Callable[[Canvas], None]:
    found = [Bar(f"host{each}.example.org", 9e8 / (each + 1), 7e8 / (each * each + 1)) for each in range(12)]
    shown = folded(found, 9e9, 523)
    return lambda canvas: bars._draw(canvas, shown, "bytes", True)


def names_picture() -> Callable[[Canvas], None]:
    return lambda canvas: bars._draw(
        canvas, [Bar(name, 10.0 - at) for at, name in enumerate(HOSTILE[:8])], "connections", False
    )


def night_picture() -> Callable[[Canvas], None]:
    line = night("2026-10-24 22:00", "2026-10-25 06:00", BERLIN)
    first = line.begin.timestamp()
    whole = night(
        "2026-10-24 22:00", "2026-10-25 06:00", BERLIN,
        before=[value * 0.6 for value in line.series["bytes"]],
        alerts=[(first + 9000, first + 12000), (first + 20000, None)],
        gaps=[(first + 14000, first + 17000)],
    )  # fmt: skip
    return lambda canvas: timeline._draw(canvas, whole)


def requests_picture() -> Callable[[Canvas], None]:
    line = night(
        "2026-11-19",
        "2026-11-20",
        NEW_YORK,
        series={
            "requests": [float(each % 17) for each in range(96)],
            "errors": [float(each % 5 == 0) for each in range(96)],
        },
    )
    return lambda canvas: timeline._draw(canvas, line)


def month_picture() -> Callable[[Canvas], None]:
    begin = datetime(2026, 11, 5, tzinfo=BERLIN)
    first = begin.timestamp()
    days = [(first + at * 86400, first + (at + 1) * 86400, 2e9 + 1.5e9 * (at % 4)) for at in range(15)]
    drawn = Month(
        begin,
        datetime(2026, 11, 20, tzinfo=BERLIN),
        datetime(2026, 12, 5, tzinfo=BERLIN),
        BERLIN,
        days,
        1.25e11,
        1e11,
        4.2e10,
    )
    return lambda canvas: month._draw(canvas, drawn)


PICTURES = {
    "bars": (0.62 + 0.36 * 9, bars_picture),
    "names": (0.62 + 0.36 * 8, names_picture),
    "night": (2.75, night_picture),
    "requests": (2.75, requests_picture),
    "month": (2.9, month_picture),
}
"""Height and drawing of each golden picture."""


def cut_off(canvas: Canvas) -> Iterator[str]:
    """Texts that do not lie within the picture, or lie on each other along an axis."""
    from matplotlib.text import Text

    canvas.figure.draw_without_rendering()
    box = canvas.figure.bbox
    for text in canvas.figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_visible() and text.get_text().strip():
            extent = text.get_window_extent()
            if (
                extent.x0 < box.x0 - 1
                or extent.x1 > box.x1 + 1
                or extent.y0 < box.y0 - 1
                or extent.y1 > box.y1 + 1
            ):
                yield text.get_text()
    labels = [label.get_window_extent() for label in canvas.axes.get_xticklabels() if label.get_text()]
    yield from ("ticks overlap" for one, other in pairwise(labels) if one.x1 > other.x0)


@pytest.mark.parametrize("name", PICTURES)
def test_as_it_was_looked_at(name: str, tmp_path: Path) -> None:
    height, make = PICTURES[name]
    with Canvas(height) as canvas:
        make()(canvas)
        assert list(cut_off(canvas)) == []
        png = canvas.png()
    now, golden = (
        numpy.asarray(Image.open(source).convert("RGB"), dtype=float)
        for source in (io.BytesIO(png), GOLDEN / f"{name}.png")
    )
    assert now.shape == golden.shape
    difference = float(numpy.sqrt(((now - golden) ** 2).mean()))
    if difference > TOLERANCE:
        (tmp_path / f"{name}.png").write_bytes(png)
    assert difference <= TOLERANCE, f"see {tmp_path}/{name}.png"
    assert Image.open(io.BytesIO(png)).width == round(WIDTH * DPI)


def test_a_picture_that_is_another_one_is_noticed() -> None:
    """The tolerance is less than what a moved line makes."""
    one, other = (
        numpy.asarray(Image.open(GOLDEN / f"{name}.png").convert("RGB"), dtype=float)
        for name in ("night", "requests")
    )
    assert float(numpy.sqrt(((one - other) ** 2).mean())) > 3 * TOLERANCE


@settings(max_examples=15)
@given(
    names=st.lists(st.text(max_size=400) | st.sampled_from(HOSTILE), min_size=1, max_size=9), data=st.data()
)
def test_no_name_breaks_a_picture_or_leaves_it(names: list[str], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(0, 1e18), min_size=len(names), max_size=len(names)))
    found = [Bar(name, value) for name, value in zip(names, values, strict=True)]
    with Canvas(0.62 + 0.36 * len(found), "".join(names)) as canvas:
        bars._draw(canvas, found, "bytes", False)
        assert list(cut_off(canvas)) == []
        assert canvas.png().startswith(b"\x89PNG")


@pytest.mark.parametrize("most", [0, 1, 2.5, 7, 999, 1234567, 3e9, 9.99e17, 0.0004])
@pytest.mark.parametrize("column", ["bytes", "requests", "median_latency"])
@pytest.mark.parametrize(
    "span",
    [
        ("2026-11-19 22:00", "2026-11-20 06:00"),
        ("2026-11-20 10:00", "2026-11-20 10:01"),
        ("2026-01-01", "2026-12-31"),
        ("2026-10-20", "2026-10-27"),
    ],
)
def test_no_label_is_cut_off(most: float, column: str, span: tuple[str, str]) -> None:
    line = night(*span, BERLIN)
    most = min(most, 1e7) if column == "median_latency" else most
    series = {column: [most * (each % 3) / 2 for each in range(len(line.series["bytes"]))]}
    with Canvas(2.75) as canvas:
        timeline._draw(canvas, Timeline(line.begin, line.end, BERLIN, line.step, series))
        assert list(cut_off(canvas)) == []


@pytest.mark.parametrize(
    "zone", [BERLIN, NEW_YORK, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]
)
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-10-31", "2027-03-13", "2026-04-04"])
@pytest.mark.parametrize("hours", [1, 8, 30, 24 * 10, 24 * 200])
def test_ticks_are_round_local_times(zone: ZoneInfo, day: str, hours: int) -> None:
    begin = datetime.fromisoformat(f"{day} 20:00").replace(tzinfo=zone)
    end = datetime.fromtimestamp(begin.timestamp() + hours * 3600, zone)
    found = ticks(begin, end, zone)
    assert 2 <= len(found) <= 8
    assert all(begin.timestamp() <= at <= end.timestamp() for at, _ in found)
    for at, label in found:
        here = datetime.fromtimestamp(at, UTC).astimezone(zone)
        assert f"{here:%H:%M}" in label or label == "" or (f"{here:%b} {here.day}" == label and not here.hour)


def test_others_are_one_bar() -> None:
    many = [Bar(str(each), 100 - each) for each in range(50)]
    assert folded(many, sum(bar.value for bar in many), 50)[-1] == Bar(
        "42 others", sum(100 - each for each in range(8, 50)), None, True
    )
    assert folded(many[:9], 0, 9) == many[:9]
    assert folded([], 0, 0) == []


def test_words_for_stretches_and_steps() -> None:
    assert [per(seconds) for seconds in (1, 60, 600, 3600, 7200, 86400)] == [
        "second", "minute", "10 min", "hour", "2 hours", "day",
    ]  # fmt: skip
    assert [round_step(least) for least in (0.2, 1.2, 2.4, 26, 260)] == [1.0, 2.0, 5.0, 50.0, 500.0]
    assert round_step(0.0003, whole=False) == 0.0005
    with Canvas(1) as canvas:
        assert canvas.drawable("a" * 100, 20) == "a" * 12 + "…" + "a" * 7


ABROAD = "中文网站.example"


def test_what_our_font_lacks_is_drawn_with_one_of_the_system() -> None:
    if len(fonts.families(ABROAD)) == 1:
        pytest.skip("no font here has Chinese signs: apt install fonts-wqy-microhei")
    with Canvas(1, ABROAD) as canvas, warnings.catch_warnings():
        warnings.simplefilter("error")  # how matplotlib tells of signs that are missing
        bars._draw(canvas, [Bar(ABROAD, 1.0)], "bytes", False)
        assert next(text.get_text() for text in canvas.axes.texts) == ABROAD
        canvas.png()
    with Canvas(1) as canvas:
        assert canvas.drawable(ABROAD, 40).startswith(r"\u4e2d\u6587")


def test_what_no_font_has_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", lambda _: ())
    with Canvas(1, ABROAD) as canvas:
        assert canvas.drawable(ABROAD, 40) == r"\u4e2d\u6587\u7f51\u7ad9.example"


def test_fonts_of_the_system_are_looked_for_only_where_they_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked() -> None:
        raise AssertionError("nothing is missing")

    monkeypatch.setattr(fonts, "_installed", looked)
    assert fonts.families("Köln, привет, اختبار") == (fonts.OWN,)


def test_fonts_that_show_boxes_for_everything_are_none() -> None:
    assert not [name for name in fonts._installed() if name.startswith("Last Resort")]
    assert fonts.families("\U0010fffd") == (fonts.OWN,)


def redraw() -> None:
    """Draws the golden pictures anew."""
    GOLDEN.mkdir(exist_ok=True)
    for name, (height, make) in PICTURES.items():
        with Canvas(height) as canvas:
            make()(canvas)
            image = Image.open(io.BytesIO(canvas.png())).convert("RGB").quantize(64)
            image.save(GOLDEN / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(redraw())
