"""One writer per store."""

import os
from pathlib import Path

import pytest

from tidegate.model.errors import StoreError
from tidegate.store.layout import Layout
from tidegate.store.lock import StoreLock


def test_a_second_writer_is_told_who_holds_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with StoreLock(layout), pytest.raises(StoreError, match=f"process {os.getpid()} is writing"):
        StoreLock(layout)


def test_after_the_first_the_next_may_write(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    StoreLock(layout).close()
    StoreLock(layout).close()
