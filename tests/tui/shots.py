"""Snapshots of the screen as text; `python tests/tui/shots.py` writes them anew after a look at them."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import screens  # noqa: E402

from tidegate.tui.look import ASCII, Look  # noqa: E402

SHOTS = HERE / "shots"
SIZES = ((100, 30), (80, 24), (60, 15))
STATES = {
    "now": (),
    "conns": ("2",),
    "conns-grouped": ("2", "a", "t"),
    "details": ("2", "enter"),
    "programs": ("3",),
    "hosts": ("4",),
    "http": ("5",),
    "relays": ("6",),
    "relayed": ("6", "enter"),
    "relayed-details": ("6", "enter", "enter"),
    "alerts": ("7",),
    "log": ("8",),
    "help": ("7", "question_mark"),
}


def wanted() -> dict[str, str]:
    """Every snapshot as it is now."""
    shots = {
        f"{name}-{width}x{height}": screens.after(*keys, size=(width, height))
        for name, keys in STATES.items()
        for width, height in SIZES
    }
    look = Look(signs=ASCII)
    shots["now-ascii"] = screens.after(look=look)
    shots["conns-ascii"] = screens.after("2", look=look)
    shots["tiny"] = screens.after(size=(20, 5))
    shots["wide"] = screens.after("2", size=(160, 40))
    return shots


def main() -> None:
    """Writes them."""
    SHOTS.mkdir(exist_ok=True)
    for old in SHOTS.glob("*.txt"):
        old.unlink()
    for name, shot in wanted().items():
        (SHOTS / f"{name}.txt").write_text(shot + "\n")


if __name__ == "__main__":
    main()
