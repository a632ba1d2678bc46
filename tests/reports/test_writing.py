"""A report on disk: whole, or what was there before."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidegate.model.document import Document, Picture, Sheet
from tidegate.model.errors import TidegateError
from tidegate.reports.writing import write

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def document(size: int = 10) -> Document:
    html = '<img src="cid:a.png">'
    pictures = (Picture("a.png", b"p" * size, "A"),)
    return Document(
        "mine", "Mine", NOW, NOW, "text\udcff\n", html, pictures, (Sheet("a.csv", b"a\r\n"),), False
    )


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


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TidegateError, match="the report could not be written: "):
        write(document(), tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
