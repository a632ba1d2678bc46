"""One writer per store."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from tidegate.model.errors import StoreError
from tidegate.store.layout import Layout
from tidegate.store.lock import StoreLock, is_written


def test_a_second_writer_is_told_who_holds_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with StoreLock(layout), pytest.raises(StoreError, match=f"process {os.getpid()} is writing"):
        StoreLock(layout)


def test_after_the_first_the_next_may_write(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    StoreLock(layout).close()
    StoreLock(layout).close()


def test_whether_somebody_writes_is_seen_and_a_look_keeps_nobody_out(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert not is_written(layout)
    with StoreLock(layout):
        assert is_written(layout)
        assert is_written(layout)
    assert not is_written(layout)
    StoreLock(layout).close()


def test_a_lock_that_is_held_for_a_moment_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    layout.lock.touch()
    with layout.lock.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
        StoreLock(layout).close()
