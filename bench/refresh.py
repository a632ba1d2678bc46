"""The screen with 10,000 connections: CPU of a refresh on each tab, of a batch of rows, of standing still."""

import asyncio
import os
import statistics
import time
from base64 import b64encode

from measure import Check, Report

from tidegate.model.batch import Batch, make
from tidegate.model.tables import find_table
from tidegate.tui.board.board import SECOND
from tidegate.tui.controls import Controls
from tidegate.tui.feeds.feed import Feed
from tidegate.tui.screen import WatchScreen
from tidegate.tui.tabs.spec import TABS

CONNECTIONS, ROWS = 10_000, 2_000
SERVICES, SESSIONS = 4, 400
MOST_MS = 100
START = 1_795_183_200 * SECOND
EMPTY = {"VARCHAR": "", "TIMESTAMP_NS": 0, "DOUBLE": 0.0}


def rows(first: int, count: int, step: int) -> Batch:
    """Interim rows of connections, each two seconds after the one before."""
    numbers = range(first, first + count)
    now = START + 2 * step * SECOND
    columns = {
        column.name: [EMPTY.get(column.type, 0)] * count
        for column in find_table("conn").columns
        if not column.nullable
    } | {
        "uid": [f"C{n:017d}" for n in numbers], "ts": [START - SECOND] * count, "last_ts": [now] * count,
        "iface": ["eth0"] * count, "proto": ["tcp"] * count, "state": ["active"] * count,
        "src_ip": ["10.0.0.2"] * count, "src_port": [n % 60_000 for n in numbers],
        "dst_ip": [f"198.51.{n >> 8 & 255}.{n & 255}" for n in numbers], "dst_port": [443] * count,
        "name": [f"host{n}.example.org" for n in numbers], "name_source": ["sni"] * count,
        "up_bytes": [1_000 * step + n for n in numbers], "down_bytes": [9_000 * step + n for n in numbers],
        "process_name": [f"program{n % 300}" for n in numbers], "process_pid": [n % 300 for n in numbers],
        "conn_state": ["S1"] * count, "process_confidence": ["event"] * count,
    }  # fmt: skip
    return make("conn", columns)


def events(service: int, count: int) -> Batch:
    """Connections of one service of a relay, each with what its client said first."""
    numbers = range(service * count, (service + 1) * count)
    said = b64encode(b"GET / HTTP/1.1\r\nHost: www.example.org\r\n" * 6).decode()
    columns = {
        column.name: [EMPTY.get(column.type, 0)] * 2 * count
        for column in find_table("relay").columns
        if not column.nullable
    } | {
        "ts": [START] * 2 * count, "uid": [f"R{n:017d}" for n in numbers] * 2, "proto": ["tcp"] * 2 * count,
        "type": ["accept"] * count + ["recv"] * count, "service": [f"service {service}"] * 2 * count,
        "client_ip": [f"198.51.{n >> 8 & 255}.{n & 255}" for n in numbers] * 2,
        "client_port": [n % 60_000 for n in numbers] * 2, "payload_base64": [said] * 2 * count,
    }  # fmt: skip
    return make("relay", columns)


class Still(Feed):
    """Gives what it is told to, when it is told to."""

    step = 0

    def clock(self) -> int:
        """The time of the last rows."""
        return START + 2 * self.step * SECOND

    def run(self) -> None:
        """Waits for the end."""
        self._over.wait()


def spent(action: object) -> float:
    """CPU milliseconds of one call."""
    before = time.process_time()
    action()  # type: ignore[operator]
    return (time.process_time() - before) * 1000


async def measured(rounds: int) -> dict[str, float]:
    """The median of each figure."""
    feed = Still("tidegate-bench", "eth0")
    screen = WatchScreen(feed, Controls(local=("10.0.0.2",)))
    feed.start()
    figures: dict[str, list[float]] = {}
    async with screen.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        for first in range(0, CONNECTIONS, ROWS):
            screen.board.take(rows(first, ROWS, 0), feed.clock())
        for _ in range(rounds):
            feed.step += 1
            batch = rows(0, ROWS, feed.step)
            took = spent(lambda batch=batch: screen.board.take(batch, feed.clock()))  # type: ignore[misc]
            figures.setdefault(f"board, {ROWS:,} rows", []).append(took)
            for number, name in enumerate(TABS[:4]):
                screen.action_tab(number)
                await pilot.pause()
                before = time.process_time()
                screen.draw()
                await pilot.pause()
                figures.setdefault(f"refresh, {name}", []).append((time.process_time() - before) * 1000)
        for service in range(SERVICES):
            batch = events(service, SESSIONS)
            took = spent(lambda batch=batch: screen.board.take(batch, feed.clock()))  # type: ignore[misc]
            figures.setdefault(f"board, {2 * SESSIONS:,} events of the relay", []).append(took)
        screen.action_tab(TABS.index("Relays"))
        for name in ("Relays", "connections of a service"):
            await pilot.pause()
            before = time.process_time()
            screen.draw()
            await pilot.pause()
            figures[f"refresh, {name}"] = [(time.process_time() - before) * 1000]
            await pilot.press("enter")
        figures["frozen for a pause"] = [spent(screen.board.frozen)]
    feed.stop()
    feed.join()
    return {name: statistics.median(each) for name, each in figures.items()}


def refresh(rounds: int) -> Report:
    """A table of CPU milliseconds; a refresh has to stay below what was promised."""
    os.environ["TERM"] = "xterm-256color"
    figures = asyncio.run(measured(rounds))
    table = [("", "CPU ms"), *((name, f"{ms:.0f}") for name, ms in figures.items())]
    checks = [
        Check(f"{name} with {CONNECTIONS:,} connections, ms", ms, MOST_MS, at_least=False)
        for name, ms in figures.items()
        if name.startswith("refresh")
    ]
    return Report(table, checks)
