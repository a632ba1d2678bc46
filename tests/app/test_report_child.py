"""Reports that the schedule asks for, made in a process of their own."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import talk
from rows import Conns
from tidegate.app.report_child import make_apart
from tidegate.app.reporting import Spanned, covers
from tidegate.model.config import AlertSettings, Config
from tidegate.model.config.alerts import RuleSettings
from tidegate.model.errors import StoreError, UsageError

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN, END = datetime(2026, 11, 20, tzinfo=BERLIN), datetime(2026, 11, 21, tzinfo=BERLIN)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return talk.store(tmp_path / "store")


def test_a_report_over_a_span(store: Path) -> None:
    document = make_apart(Spanned("web", BEGIN, END), store, Config(), [])
    assert document.name == "web"
    assert (document.begin, document.end) == (BEGIN, END)
    assert document.begin.tzinfo == BERLIN
    assert "api.example" in document.text
    assert document.pictures


def test_a_month_keeps_its_forecast(tmp_path: Path) -> None:
    Conns().add(
        uid="C1",
        ts="2026-11-10 10:00:00",
        last_ts="2026-11-10 10:01:00",
        state="closed",
        up_bytes=10**9,
        name="a",
    ).save(tmp_path / "s")
    rule = RuleSettings("cap", "quota", threshold=40e9, reset_day=5)
    config = Config(alerts=AlertSettings(rules=(rule,)))
    begin, end = covers("quota", BEGIN, config, []) or (END, END)
    assert (begin, end) == (datetime(2026, 11, 5, tzinfo=BERLIN), BEGIN)
    text = " ".join(make_apart(Spanned("quota", begin, end), tmp_path / "s", config, []).text.split())
    assert "reset day 2026-12-05" in text
    assert "forecast" in text


def test_what_a_report_covers_by_itself() -> None:
    morning = datetime(2026, 10, 25, 6, 30, tzinfo=BERLIN)
    begin, end = covers("overnight", morning, Config(), []) or (END, END)
    assert (begin.hour, end.hour) == (22, 6)
    assert end.timestamp() - begin.timestamp() == 9 * 3600


def test_what_is_wrong_comes_back(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='there is no report "nope"'):
        make_apart(Spanned("nope", BEGIN, END), store, Config(), [])
    with pytest.raises(StoreError, match="no store here yet"):
        make_apart(Spanned("web", BEGIN, END), tmp_path / "none", Config(), [])
    with pytest.raises(UsageError, match="its end is after its beginning"):
        make_apart(Spanned("web", END, BEGIN), store, Config(), [])
