"""`tidegate top`: the screen over a store or a capture file."""

import math
from pathlib import Path

import rich_click as click

from tidegate.cli import screen
from tidegate.cli.options import FILE, ascii_option, filter_option, store_option
from tidegate.model.errors import CaptureError, UsageError


@click.command()
@click.argument("words", nargs=-1, metavar="[FILTER]")
@store_option
@click.option(
    "-r", "--read", "files", type=FILE, multiple=True, metavar="FILE",
    help="Play this capture; repeatable.",
)  # fmt: skip
@click.option(
    "--speed",
    type=float,
    metavar="N",
    help="Play N times as fast as it was; 0: as fast as it can be read (1).",
)
@filter_option("BPF expression: only these packets of the capture.")
@ascii_option
def top(
    words: tuple[str, ...],
    store: Path | None,
    files: tuple[str, ...],
    speed: float | None,
    filter_option: str | None,
    ascii: bool,
) -> None:
    """Look at a store on the screen, whether tidegate watch is writing to it or not; or play a capture.

    Nothing is captured, so no special rights are needed but those to read; acting on alerts takes those of
    who runs. With -r, FILTER is a BPF expression as tcpdump takes it. ? tells the keys.
    """
    from tidegate.cli.options import joined_filter

    expression = joined_filter(list(words), filter_option)
    if files and store:
        raise UsageError("--store and -r: there is one screen; give one")
    if not files and (speed is not None or expression):
        raise UsageError("a filter and --speed are for captures: add -r FILE (on the screen, / filters)")
    pace = 1.0 if speed is None else speed
    if not math.isfinite(pace) or pace < 0:
        raise UsageError("--speed is a number such as 1, 10 or 0.5; 0 is as fast as possible")
    if not screen.is_terminal():
        raise UsageError("the screen needs a terminal; for rows: tidegate query, tidegate read")
    _show(store, files, pace or None, expression, ascii)


def _show(
    store: Path | None, files: tuple[str, ...], speed: float | None, expression: str | None, ascii: bool
) -> None:
    from tidegate.app.reaching import Reach
    from tidegate.app.relay_reach import RelayReach
    from tidegate.settings.find import load_place
    from tidegate.tui.controls import AlertControls, Controls, RelayControls
    from tidegate.tui.feeds.feed import Feed
    from tidegate.tui.feeds.replay import ReplayFeed
    from tidegate.tui.feeds.store import StoreFeed
    from tidegate.tui.start import show

    feed: Feed
    alerts: AlertControls | None = None
    relay: RelayControls | None = None
    if files:
        for file in files:
            if file == "-":
                raise UsageError("-r -: standard input is the keyboard here; write the capture to a file")
            if not Path(file).exists() or Path(file).is_dir():
                raise CaptureError(f"{file}: {'is a directory' if Path(file).is_dir() else 'no such file'}")
        feed = ReplayFeed(files, speed, expression)
    else:
        reach = Reach.of(None, store)
        alerts = AlertControls(reach.do, reach.look)
        beside = RelayReach.of(None, store)
        relay = RelayControls(beside.do, beside.look)
        feed = StoreFeed(reach.root, reach.look, reach.writer)
    controls = Controls(
        alerts=alerts,
        relay=relay,
        who=screen.who(),
        rules=load_place().alerts.rules,
        local=() if files else screen.own_addresses(),
    )
    show(feed, controls, ascii=ascii)
