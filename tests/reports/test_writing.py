"""A report on disk: whole, or what was there before."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidegate.model.document import Document, Picture, Sheet
from tidegate.model.errors import TidegateError
from tidegate.reports.writing import name_of, write, write_named

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def document(size: int = 10) -> Document:
    html = '<img src="cid:a.png">'
    pictures = (Picture("a.png", b"p" * size, "A"),)
    sheets = (Sheet("a.csv", b"a\r\n"),)
    return Document("mine", "Mine", NOW, NOW, "text\udcff\n", html, pictures, sheets)


def test_all_files_are_there(tmp_path: Path) -> None:
    page = write(document(), tmp_path / "deep" / "folder")
    assert page == tmp_path / "deep" / "folder" / "report.html"
    assert {path.name for path in page.parent.iterdir()} == {"report.html", "report.txt", "a.png", "a.csv"}
    assert "data:image/png;base64," in page.read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True)
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here: it takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_what_was_there(small_disk: Path) -> None:
    page = write(document(), small_disk)
    before = {path.name: path.read_bytes() for path in small_disk.iterdir()}
    with pytest.raises(
        TidegateError, match=r"disk: the report could not be written: No space left on device"
    ):
        write(document(1_000_000), small_disk)
    assert {path.name: path.read_bytes() for path in small_disk.iterdir()} == before
    assert page.exists()


def test_a_full_disk_leaves_no_half_of_a_new_one(small_disk: Path) -> None:
    with pytest.raises(TidegateError, match=r"new: the report could not be written: No space left"):
        write(document(1_000_000), small_disk / "new")
    with pytest.raises(TidegateError, match="No space left on device"):
        write_named(document(1_000_000), small_disk)
    assert list(small_disk.iterdir()) == []


def test_names_follow_from_the_window_and_are_given_once(tmp_path: Path) -> None:
    day = replace(document(), end=datetime(2026, 11, 21, tzinfo=UTC))
    named = [write_named(day, tmp_path).parent.name for _ in range(3)]
    assert named == ["mine-2026-11-20", "mine-2026-11-20-2", "mine-2026-11-20-3"]
    morning = datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert name_of(replace(day, end=morning)) == "mine-2026-11-20-0600"
    assert name_of(replace(day, end=morning.replace(second=7))) == "mine-2026-11-20-060007"
    assert sorted(path.name for path in tmp_path.iterdir()) == named


def test_reports_at_once_find_a_name_each(tmp_path: Path) -> None:
    script = (
        "import pickle, sys; from pathlib import Path; from tidegate.reports.writing import write_named;"
        "print(write_named(pickle.load(sys.stdin.buffer), Path(sys.argv[1])))"
    )
    given = pickle.dumps(document(100_000))
    with ExitStack() as all_of_them:
        words = [sys.executable, "-c", script, str(tmp_path)]
        started = [
            all_of_them.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(4)
        ]
        pages = [process.communicate(given, timeout=60)[0].decode().strip() for process in started]
    assert len(set(pages)) == 4
    assert {Path(page).parent for page in pages} == set(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TidegateError, match="the report could not be written: "):
        write(document(), tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
