"""Feeds: what reaches the board, and that their threads end."""

import logging
import threading
from pathlib import Path

import pytest
from town import LOCAL, NOW, batch, conn

from alarms import Watched, asked, rule
from helpers import wait_for
from tidegate.alerts import NAME
from tidegate.model.config import StoreSettings
from tidegate.model.errors import CaptureError
from tidegate.store.writer import StoreWriter
from tidegate.tui.board.board import Board
from tidegate.tui.feeds.inbox import Inbox, Messages
from tidegate.tui.feeds.live import BoardSink
from tidegate.tui.feeds.replay import ReplayFeed
from tidegate.tui.feeds.store import StoreFeed

GOLDEN = Path(__file__).parents[1] / "golden"


def test_a_full_inbox_drops_the_oldest_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    inbox, board = Inbox(most=10), Board(LOCAL)
    for start in range(0, 30, 5):
        inbox.put(batch("conn", [conn(n) for n in range(start, start + 5)]), NOW)
    assert inbox.pour(board) == 10
    assert (inbox.skipped, board.losses.total["screen"], len(board.connections)) == (20, 20, 10)


def test_who_waits_for_room_goes_on_when_the_screen_is_left() -> None:
    inbox = Inbox(most=1)
    inbox.put(batch("conn", [conn(1)]), NOW)
    waiting = threading.Thread(target=inbox.put, args=(batch("conn", [conn(2)]), NOW, True))
    waiting.start()
    inbox.shut()
    waiting.join(10)
    assert not waiting.is_alive()


def test_messages_of_the_program_go_to_the_log() -> None:
    inbox, board = Inbox(), Board()
    Messages(inbox.say).emit(logging.LogRecord("x", logging.WARNING, "", 0, "disk %s", ("full",), None))
    inbox.pour(board)
    assert [(line.level, line.text) for line in board.lines] == [("warning", "disk full")]


def test_a_warning_that_goes_on_counting_is_said_once() -> None:
    inbox, board, said = Inbox(), Board(), ["ring late 1 times"]
    sink = BoardSink(inbox, lambda: said)
    sink.flush()
    said[0] = "ring late 7 times"
    sink.flush()
    inbox.pour(board)
    assert [line.text for line in board.lines] == ["ring late 1 times"]
    changes = [f"eth{n}: came up, watched since 21:14:{at} UTC" for n, at in ((0, 22), (1, 22), (0, 25))]
    for change in changes:
        said.append(change)
        sink.flush()
    inbox.pour(board)
    assert [line.text for line in board.lines][1:] == changes


def test_a_replay_comes_in_the_order_of_time_and_ends() -> None:
    feed = ReplayFeed([str(GOLDEN / name) for name in ("http4.pcap", "dns.pcap")], None)
    feed.start()
    feed.join()
    board = Board()
    feed.inbox.pour(board)
    assert feed.ended
    assert feed.error is None
    assert board.web.requests == 6
    assert feed.clock() == max(known.last_ts for known in board.connections)


def test_a_replay_at_its_own_pace_waits_and_can_be_stopped() -> None:
    clock = [0.0]
    feed = ReplayFeed([str(GOLDEN / "living.pcap")], 1.0, clock=lambda: clock[0])
    feed.start()
    board = Board()
    wait_for(lambda: feed.inbox.pour(board) or board.rows)
    early = board.rows
    clock[0] = 10_000.0
    wait_for(lambda: feed.ended)
    feed.inbox.pour(board)
    assert 0 < early < board.rows
    held = ReplayFeed([str(GOLDEN / "living.pcap")], 1.0, clock=lambda: 0.0)
    held.start()
    held.stop()
    held.join()
    assert held.ended


def test_a_capture_that_is_missing_is_told() -> None:
    with pytest.raises(CaptureError, match="none.pcap"):
        ReplayFeed(["none.pcap"], None)


def test_a_store_is_followed_and_its_thread_ends(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "s")
    writer.write(batch("conn", [conn(1)]))
    feed, board = StoreFeed(tmp_path / "s"), Board(LOCAL)
    feed.start()
    wait_for(lambda: feed.inbox.pour(board) or len(board.connections) == 1)
    writer.write(batch("conn", [conn(2)]))
    wait_for(lambda: feed.inbox.pour(board) or len(board.connections) == 2)
    assert not feed.silent, "rows are old, but somebody writes: the network is quiet"
    assert feed.clock() > NOW
    writer.close()
    wait_for(lambda: feed.silent)
    assert feed.clock() == NOW
    feed.stop()
    feed.join()
    assert feed.error is None


def test_a_store_begins_with_the_alerts_that_are_open(tmp_path: Path) -> None:
    store = StoreWriter(tmp_path, StoreSettings())
    store.close()
    watched = Watched(rule(), state=tmp_path / NAME)
    watched.tick(0)
    watched.see(asked(1, 7))
    watched.close()
    feed, board = StoreFeed(tmp_path), Board()
    feed.start()
    wait_for(lambda: feed.inbox.pour(board) or board.alerts.open)
    feed.stop()
    feed.join()
    assert [alert["rule"] for alert in board.alerts.open] == ["http_requests"]
