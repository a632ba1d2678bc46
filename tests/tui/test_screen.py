"""The screen's keys and states, without a terminal."""

import csv
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from screens import CONTROLS, after, play, settle, text
from textual.pilot import Pilot
from town import NOW, TownFeed, batch, conn

from tidegate.model.errors import CaptureError
from tidegate.tui.board.board import SECOND
from tidegate.tui.dialogs.sheet import Sheet
from tidegate.tui.feeds.feed import Feed
from tidegate.tui.look import Signs
from tidegate.tui.screen import WatchScreen
from tidegate.tui.tabs.spec import TABS
from tidegate.tui.views import help as help_view


def rows_of(shot: str) -> list[str]:
    """The lines of the table."""
    lines = shot.splitlines()
    start = next(
        place for place, line in enumerate(lines) if line.startswith((" State", " Program", " Host "))
    )
    return [line for line in lines[start + 1 : -1] if line.strip()]


def typed(words: str) -> list[str]:
    """The keys of some words."""
    named = {" ": "space", ":": "colon", "-": "minus", "/": "slash", ".": "full_stop", "=": "equals_sign"}
    return [named.get(letter, letter) for letter in words]


@pytest.mark.parametrize("number", range(1, len(TABS) + 1))
def test_numbers_choose_tabs(number: int) -> None:
    screen = play(lambda pilot: pilot.press(str(number)))
    assert TABS[screen_tab(screen, str(number))] == TABS[number - 1]


def screen_tab(_screen: WatchScreen, key: str) -> int:
    seen: list[int] = []

    async def look(pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(pilot.app, WatchScreen)
        seen.append(pilot.app.frame.number)

    play(look)
    return seen[0]


@pytest.mark.parametrize(
    ("key", "tab"), [("tab", 0), ("shift+tab", 7), ("right", 1), ("left", 7), ("l", 1), ("h", 7)]
)
def test_tabs_follow_each_other(key: str, tab: int) -> None:
    assert screen_tab(None, key) == tab  # type: ignore[arg-type]


def cursors(shot: str) -> list[str]:
    return [line[line.index("▌") :].split()[0] for line in shot.splitlines() if "▌" in line]


def test_tab_goes_into_one_table_of_now_after_the_other_then_to_the_next_tab() -> None:
    assert cursors(after(size=(120, 30))) == []
    for steps, name in ((1, "▌firefox"), (2, "▌api.github.com"), (3, "▌/api")):
        assert cursors(after(*["tab"] * steps, size=(120, 30))) == [name]
    assert "Remote" in after(*["tab"] * 4, size=(120, 30))
    assert cursors(after("tab", "tab", "shift+tab", size=(120, 30))) == ["▌firefox"]
    assert cursors(after("tab", "shift+tab", size=(120, 30))) == []
    assert "Remote" in after("tab", "tab", size=(70, 15)), "there is one table only"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("tab", "enter"), "filter pid:2001"),
        (("tab", "down", "enter"), "filter "),
        (("tab", "tab", "enter"), "filter net:192.0.2.9"),
        (("tab", "tab", "tab", "enter"), 'filter section:"/api": 1 of 3'),
    ],
)
def test_enter_on_a_row_of_now_opens_it(keys: tuple[str, ...], words: str) -> None:
    assert words in after(*keys, size=(120, 30))


def test_the_cursor_of_now_stays_in_view() -> None:
    shot = after("tab", "G", size=(120, 30))
    assert len(cursors(shot)) == 1


def test_s_sorts_by_the_next_column_and_capital_s_turns_it_round() -> None:
    first = rows_of(after("2"))
    assert "api.github.com" in first[0]
    turned = rows_of(after("2", "S"))
    assert "api.github.com" in turned[-1]
    by_age = after("2", "s")
    assert "Age▾" in by_age
    by_state = after("2", "s", "s")
    assert "State▴" in by_state


def test_a_filter_leaves_in_what_matches_and_esc_lets_all_back() -> None:
    shot = after("2", "slash", *typed("prog:fire"), "enter")
    assert [("firefox" in row) for row in rows_of(shot)] == [True, True]
    assert "filter prog:fire: 2 of 7" in shot
    assert len(rows_of(after("2", "slash", *typed("prog:fire"), "enter", "escape"))) == 7


def test_what_is_wrong_with_a_filter_stands_below_it_while_it_is_written() -> None:
    shot = after("2", "slash", *typed("prg:x"))
    assert 'there is no field "prg"; did you mean "prog"?' in shot
    still = after("2", "slash", *typed("prg:x"), "enter")
    assert "did you mean" in still
    assert "did you mean" not in after("2", "slash", *typed("prg:x"), "escape")


def test_a_filter_for_what_a_tab_does_not_have_is_told() -> None:
    assert 'nothing in HTTP has what "prog:x" asks for' in after("5", "slash", *typed("prog:x"), "enter")


def test_a_filter_that_hides_all_says_so() -> None:
    shot = after("2", "slash", *typed("prog:nobody"), "enter")
    assert 'Nothing matches "prog:nobody"; 7 are hidden. Esc clears the filter' in shot


def test_slash_on_the_first_tab_filters_connections() -> None:
    assert "wget 77" in rows_of(after("slash", *typed("wget"), "enter"))[0]


def test_keys_are_letters_while_a_filter_is_written() -> None:
    shot = after("2", "slash", "q", "1", "t", "s")
    assert "q1ts" in shot


def test_the_cursor_moves_and_stays_on_its_row() -> None:
    seen: list[Any] = []

    async def move(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, WatchScreen)
        await pilot.press("2", "down", "j", "k")
        await settle(pilot)
        seen.append(app.row.uid)
        await pilot.press("S")
        await settle(pilot)
        seen.append(app.row.uid)
        await pilot.press("g")
        seen.append(app.row.uid)
        await pilot.press("G")
        seen.append(app.row.uid)

    play(move)
    assert seen[0] == seen[1] == "C00000000000000002"
    assert seen[3] == "C00000000000000001"
    assert seen[2] != seen[3]


def test_wide_terminals_show_our_end_too() -> None:
    shot = after("2", size=(160, 30))
    assert "Local" in shot
    assert "10.0.0.2:40001" in shot
    assert "10.0.0.2:22" in next(row for row in rows_of(shot) if "sshd" in row)
    assert "Local" not in after("2", size=(120, 30))


def test_details_of_a_connection_have_all_cards() -> None:
    shot = after("2", "enter", size=(120, 50))
    for words in (
        "Connection C00000000000000001", "Application", "Who", "Where", "Health", "Timeline",
        "firefox --go", "AS36459 GitHub", "TLS server name", "tls: TLSv1.3 api.github.com",
    ):  # fmt: skip
        assert words in shot
    assert "2 Conns" in after("2", "enter", "escape")


@pytest.mark.parametrize(
    ("tab", "expected"), [("3", "firefox"), ("4", "api.github.com"), ("5", "www.example.org")]
)
def test_enter_shows_the_connections_behind_a_row(tab: str, expected: str) -> None:
    shot = after(tab, "enter")
    assert "━━━" in shot
    assert "filter " in shot
    assert all(expected in row for row in rows_of(shot))


def test_pause_stands_still_while_rows_come() -> None:
    shots: list[str] = []

    async def pause(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, WatchScreen)
        await pilot.press("2", "space")
        await settle(pilot)
        shots.append(text(app))
        app.feed.inbox.put(
            batch("conn", [conn(50, NOW + SECOND, name="late.example.org", name_source="sni")]), NOW
        )
        await settle(pilot)
        shots.append(text(app))
        await pilot.press("space")
        await settle(pilot)
        shots.append(text(app))

    play(pause)
    assert "paused" in shots[0]
    assert shots[0] == shots[1]
    assert "late.example.org" in shots[2]
    assert "paused" not in shots[2]


def test_units_and_names() -> None:
    assert "Mb/s" in after("u")
    assert "MB/s" in after("u", "u")
    shot = after("2", "n")
    assert "192.0.2.9:443" in shot
    assert "api.github.com" not in shot


def test_groups_by_program() -> None:
    rows = rows_of(after("2", "a"))
    firefox = next(place for place, row in enumerate(rows) if "firefox" in row)
    assert "TCP:1 UDP:1" in rows[firefox]
    assert sum("firefox" in row for row in rows[firefox : firefox + 3]) == 3
    assert not any("TCP:" in row for row in rows_of(after("2", "a", "a")))


def test_closed_connections_linger_and_then_want_t() -> None:
    class Later(TownFeed):
        def clock(self) -> int:
            return NOW + 60 * SECOND

    assert "wget" not in after("2", feed=Later())
    assert "wget" in after("2", "t", feed=Later())


def test_one_interface_after_the_other() -> None:
    assert len(rows_of(after("2", "I"))) == 6
    one = after("2", "I", "I")
    assert len(rows_of(one)) == 1
    assert "connections of wg0" in one
    assert len(rows_of(after("2", "I", "I", "I"))) == 7


def test_export_writes_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shot = after("2", "slash", *typed("firefox"), "enter", "e", "ctrl+u", *typed("x.csv"), "enter")
    assert "wrote 2 rows to" in shot
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["process_name"] for row in rows} == {"firefox"}
    assert rows[0]["ts"].startswith("2026-11-20T14:02:07")
    assert (tmp_path / "x.csv").stat().st_mode & 0o777 == 0o600
    again = after("2", "e", "ctrl+u", *typed("x.csv"), "enter")
    assert "exists; choose another name" in again
    assert "ends in .csv or .jsonl" in after("2", "e", "ctrl+u", *typed("x.txt"), "enter")


@pytest.mark.parametrize("tab", ["3", "4", "5", "6", "7", "8"])
def test_every_table_can_be_exported(tab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    after(tab, "e", "ctrl+u", *typed("x.jsonl"), "enter")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert rows
    assert all(row.keys() == rows[0].keys() for row in rows)


def test_copy_sends_osc_52_of_its_own() -> None:
    screen = play(lambda pilot: pilot.press("2", "c"))
    assert "api.github.com:443 sni" in screen.clipboard


@pytest.mark.parametrize("tab", range(1, 8))
def test_help_tells_the_keys_of_the_tab(tab: int) -> None:
    shot = after(str(tab), "question_mark", size=(100, 45))
    assert f"Help: {TABS[tab - 1]}" in shot
    assert "Everywhere" in shot


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_help_is_all_there_however_narrow_the_terminal(width: int) -> None:
    lines = ["".join(text for text, _ in line) for line in help_view.lines("Alerts", Signs(), width - 2)]
    assert max(map(len, lines)) <= width - 2
    words = " ".join(lines).split()
    for keys, meaning in (*help_view.EVERYWHERE, *help_view.MEANINGS, *help_view.FILTER):
        assert set(f"{keys} {meaning}".split()) <= set(words)
    shot = after("7", "question_mark", size=(width, 120))
    assert shot.split()[2:-7] == " ".join(lines).split()  # between title and keys


def ended_by(*keys: str, **options: Any) -> bool:
    seen: list[bool] = []

    async def press(pilot: Pilot[None]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        seen.append(pilot.app._exit)

    play(press, **options)
    return seen[0]


def test_q_leaves_and_while_recording_only_when_pressed_twice() -> None:
    recording = replace(CONTROLS, recording=True)
    assert ended_by("q")
    assert not ended_by("q", controls=recording)
    assert ended_by("q", "q", controls=recording)
    assert ended_by("ctrl+c", controls=recording)
    assert ended_by("2", "enter", "ctrl+c")


class Nothing(TownFeed):
    """A feed without rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__([], **options)


def waited(feed: Feed, **changes: Any) -> str:
    """The screen some time after it began."""
    shots: list[str] = []

    async def wait(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, WatchScreen)
        app._began = time.time_ns() - 12 * SECOND
        await pilot.press("2")
        await settle(pilot)
        shots.append(text(app))

    play(wait, feed=feed, **changes)
    return shots[0]


def test_a_tick_finds_the_screen_half_taken_apart_or_gone() -> None:
    async def take_apart(pilot: Pilot[None]) -> None:
        screen = pilot.app
        assert isinstance(screen, WatchScreen)
        await screen.frame.query("#tabs").remove()
        screen.tick()
        await screen.frame.remove()
        screen.tick()

    play(take_apart).tick()


def test_without_packets_the_interface_and_the_filter_are_named() -> None:
    feed = Nothing()
    feed.filter = "tcp port 80"
    shot = waited(feed)
    assert 'No packets on eth0,wg0 for 12s. Filter "tcp port 80" may hide all.' in shot
    assert "Waiting for traffic" in shot


def test_an_empty_store_and_one_that_nobody_writes_to_are_told() -> None:
    nothing = Nothing(kind="store", title="/s")
    assert "Nothing in /s yet; a Tidegate writes to it and waits for traffic" in waited(nothing)
    nothing = Nothing(kind="store", title="/s")
    nothing.silent = True
    assert "Nothing in /s yet. Start: sudo tidegate watch" in waited(nothing)
    quiet = TownFeed(kind="store", title="/s")
    quiet.silent, quiet.writer = True, "sudo tidegate watch --store /s"
    said = "Nobody writes to /s: it ends at 14:02:11 UTC. Start: sudo tidegate watch --store /s"
    assert said in after(feed=quiet)


class Broken(TownFeed):
    """A feed that fails."""

    endless = False

    def run(self) -> None:
        raise CaptureError("eth0: the interface disappeared")


def test_a_capture_that_fails_stays_on_screen_with_its_reason() -> None:
    shot = after(feed=Broken())
    assert "eth0: the interface disappeared" in shot
    assert "What is shown ends at 14:02:11" in shot
    assert "○" in shot


class Finite(TownFeed):
    """A feed that ends."""

    def run(self) -> None:
        return


def test_a_replay_that_is_over_says_so_and_a_watch_ends() -> None:
    assert "The capture ends at 14:02:11" in after(feed=Finite(kind="replay"))
    watch = Finite()
    watch.endless = False
    assert ended_by("1", feed=watch)


def test_losses_are_told_with_their_share() -> None:
    row = {"ts": NOW, "source": "eth0", "packets": 9_000, "dropped_kernel": 1_000}
    shot = after(feed=TownFeed([batch("health", [row])]))
    assert "Falling behind: the kernel dropped 1,000 packets (10.0%) in the last minute" in shot
    assert "seen 90%" in shot


def test_missing_names_of_programs_are_explained() -> None:
    controls = replace(CONTROLS, attribution=lambda: "table scan only (not root). tidegate doctor")
    assert "Names of programs: table scan only (not root)" in after(controls=controls)


def test_programs_that_have_exited_are_marked() -> None:
    controls = replace(CONTROLS, alive=lambda pid: pid != 9876)
    rows = rows_of(after("2", controls=controls))
    assert ["curl 9876 ~ †" in row for row in rows].count(True) == 1


def test_a_sheet_is_drawn_anew_when_rows_come() -> None:
    shots: list[str] = []

    async def watch(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, WatchScreen)
        await pilot.press("2", "enter")
        await settle(pilot)
        assert isinstance(app.screen, Sheet)
        app.feed.inbox.put(batch("conn", [conn(1, NOW + SECOND, down_bytes=7_700_000, up_bytes=95_000)]), NOW)
        await settle(pilot)
        shots.append(text(app))

    play(watch)
    assert "7.7 MB" in shots[0]
