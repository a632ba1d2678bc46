"""The committed list of differences from tshark, each with its reason. It stays short."""

from pathlib import Path

from tshark import View, Way

Counts = tuple[int, int]
"""Packets and IP bytes."""

FILES: dict[str, str] = {}
"""Whole files, by name, whose differences have a reason of their own."""


def explain(path: Path, way: Way, mine: Counts, theirs: Counts, view: View) -> str | None:
    """Why a difference is right; None if there is no reason."""
    if path.name in FILES:
        return FILES[path.name]
    if "length 0" in view.odd.get(way, ()) and mine[0] == theirs[0]:
        return "segmentation offload left the IP length 0: we take the frame's length, tshark counts 0"
    return None
