"""Golden captures give their committed tables, byte for byte, however packed and however often read."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from all_scenes import SCENES
from expect import TABLES, captures, expected, rows

CAPTURES = captures()


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_tables(capture: Path) -> None:
    """Each table is the expected one; one without an expected file is empty."""
    for table in TABLES:
        text, path = rows(capture, table).decode(), expected(capture, table)
        assert text == path.read_text() if path.exists() else text.count("\n") <= 1, table


def test_every_scene_has_a_capture() -> None:
    """No capture without the scene that makes it, no scene without its capture."""
    assert {capture.name for capture in CAPTURES} == set(SCENES)


@pytest.mark.parametrize("name", ["http4.pcap", "several.pcapng"])
def test_gzip(name: str, tmp_path: Path) -> None:
    """Packed with gzip it reads the same; only the interface may be named after the file."""
    capture = next(path for path in CAPTURES if path.name == name)
    packed = tmp_path / name
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    assert rows(packed).decode() == expected(capture).read_text()


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is missing: apt install zstd")
@pytest.mark.parametrize("name", ["http4.pcap", "several.pcapng"])
def test_zstd(name: str, tmp_path: Path) -> None:
    """Packed with zstd it reads the same."""
    capture = next(path for path in CAPTURES if path.name == name)
    packed = tmp_path / name
    subprocess.run(["zstd", "-q", str(capture), "-o", str(packed)], check=True)
    assert rows(packed).decode() == expected(capture).read_text()


def test_replay_gives_the_same_bytes() -> None:
    """Two processes, two hash seeds, the same table."""
    capture = next(path for path in CAPTURES if path.name == "iperf.pcap")
    assert rows(capture) == rows(capture)
