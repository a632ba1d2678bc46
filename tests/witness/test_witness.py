"""What we count and hear, against tshark, over the golden captures and, if named, a folder of more."""

import os
import shutil
from pathlib import Path

import pytest
import words
from tshark import Unreadable

import witness

GOLDEN = Path(__file__).parent.parent / "golden"
MORE = os.environ.get("TIDEGATE_CAPTURES")
PLACES = [GOLDEN, *([Path(MORE)] if MORE else [])]
PATIENCE = 120.0


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt install tshark")
@pytest.mark.timeout(3 * PATIENCE)
@pytest.mark.parametrize("compare", [witness.compare, words.compare], ids=["counts", "words"])
@pytest.mark.parametrize("path", witness.captures(PLACES), ids=lambda path: path.name)
def test_tshark_sees_the_same(path: Path, compare: witness.Comparison) -> None:
    """Packets and bytes of every connection, and what is said on it, or a committed reason why not."""
    try:
        unexplained, _, _ = compare(path, PATIENCE)
    except Unreadable as why:
        pytest.skip(f"tshark does not read {path.name}: {why}")
    assert not unexplained, "\n".join(unexplained)
