"""What is said, as we and tshark hear it, over the golden captures and, if named, a folder of more."""

import shutil
from pathlib import Path

import pytest
from test_witness import PATIENCE, PLACES
from tshark import Unreadable
from words import compare

from witness import captures


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt install tshark")
@pytest.mark.timeout(3 * PATIENCE)
@pytest.mark.parametrize("path", captures(PLACES), ids=lambda path: path.name)
def test_tshark_hears_the_same(path: Path) -> None:
    """HTTP, server names and DNS are what tshark has, or differ for a committed reason."""
    try:
        unexplained, _, _ = compare(path, PATIENCE)
    except Unreadable as why:
        pytest.skip(f"tshark does not read {path.name}: {why}")
    assert not unexplained, "\n".join(unexplained)
