"""The committed list of differences from what tshark hears, each with its reason. It stays short."""

from collections import Counter
from pathlib import Path

from spoken import Fact

FILES: dict[str, str] = {}
"""Files whose differences have a reason of their own."""


def explain(
    path: Path, fact: Fact, mine: Counter[Fact], theirs: Counter[Fact], apart: Counter[Fact]
) -> str | None:
    """Why a difference is right; None if there is no reason. `apart`: tshark without reassembly."""
    if theirs[fact] < mine[fact] <= apart[fact]:
        return "a message that lacks bytes: tshark hears it only segment by segment"
    return FILES.get(path.name)
