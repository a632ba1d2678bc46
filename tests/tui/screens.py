"""Drives the screen without a terminal, and reads what stands on it."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from town import LOCAL, TownFeed

from tidegate.tui.controls import Controls
from tidegate.tui.feeds.feed import Feed
from tidegate.tui.look import Look
from tidegate.tui.screen import WatchScreen

CONTROLS = Controls(local=LOCAL, who="ada")
Play = Callable[[Pilot[None]], Awaitable[None]]


def text(screen: WatchScreen) -> str:
    """All that is to be seen, line by line."""
    strips = screen.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def settle(pilot: Pilot[None]) -> None:
    """Lets everything that is under way happen, and draws."""
    app = pilot.app
    assert isinstance(app, WatchScreen)
    await pilot.pause()
    app.tick()
    await pilot.pause()
    app.draw()
    await pilot.pause()


def play(
    actions: Play,
    *,
    size: tuple[int, int] = (100, 30),
    feed: Feed | None = None,
    controls: Controls = CONTROLS,
    look: Look | None = None,
) -> WatchScreen:
    """Runs the screen over a feed, does something with it, and ends it."""
    source = feed or TownFeed()
    screen = WatchScreen(source, controls, look)

    async def run() -> None:
        async with screen.run_test(size=size) as pilot:
            await settle(pilot)
            await actions(pilot)

    source.start()
    try:
        asyncio.run(run())
    finally:
        source.stop()
        source.join()
    return screen


def after(*keys: str, **options: object) -> str:
    """What stands on the screen after these keys."""
    seen: list[str] = []

    async def press(pilot: Pilot[None]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await settle(pilot)
        assert isinstance(pilot.app, WatchScreen)
        seen.append(text(pilot.app))

    play(press, **options)  # type: ignore[arg-type]
    return seen[0]
