"""Our packet and byte counts against tshark's, over the golden captures and, if named, a folder of more."""

import os
import shutil
from pathlib import Path

import pytest
from tshark import Unreadable

from witness import captures, compare

GOLDEN = Path(__file__).parent.parent / "golden"
MORE = os.environ.get("TIDEGATE_CAPTURES")
PLACES = [GOLDEN, *([Path(MORE)] if MORE else [])]
PATIENCE = 120.0


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt install tshark")
@pytest.mark.timeout(2 * PATIENCE)
@pytest.mark.parametrize("path", captures(PLACES), ids=lambda path: path.name)
def test_tshark_counts_the_same(path: Path) -> None:
    """Packets and IP bytes of every TCP and UDP connection, or a committed reason why not."""
    try:
        unexplained, _, _ = compare(path, PATIENCE)
    except Unreadable as why:
        pytest.skip(f"tshark does not read {path.name}: {why}")
    assert not unexplained, "\n".join(unexplained)
