"""List files: what is read, what is wrong with its line, and that a bad version leaves the one before."""

import os
from pathlib import Path

import pytest

from tidegate.model.errors import UsageError
from tidegate.relay import lists
from tidegate.relay.lists import Lists, read_list


def written(path: Path, text: str) -> Path:
    """Put in place as editors do: whole, under the name."""
    made = path.with_suffix(".new")
    made.write_text(text)
    made.replace(path)
    return path


def test_networks_comments_and_repetitions_are_read(tmp_path: Path) -> None:
    text = "# known ones\n192.0.2.7\n\n 198.51.100.0/24  # a net\n192.0.2.7/32\r\n2001:db8::/32"
    assert read_list(written(tmp_path / "deny", text)) == ("192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32")


@pytest.mark.parametrize(
    ("data", "said"), [(b"192.0.2.7\nx y\n", ':2: "x y" is no'), (b"\xff\n", ":1: not text")]
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "deny"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_list(path)
    assert f"{path}{said}" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_list_and_nobody_waits_for_it(tmp_path: Path) -> None:
    path = written(tmp_path / "deny", "192.0.2.7\n")
    files = Lists([str(path)])
    path.unlink()
    os.mkfifo(path)
    assert not files.look()
    assert files.errors == [f"{path}: no regular file"]
    assert files.networks() == {str(path): ("192.0.2.7/32",)}
    with pytest.raises(UsageError, match="no regular file"):
        read_list(Path("/dev/null"))


def test_a_path_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="NUL byte"):
        Lists(["/etc/de\0ny"])


def test_a_list_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    with pytest.raises(UsageError, match=":3: more than 2"):
        read_list(written(tmp_path / "deny", "192.0.2.1\n192.0.2.2\n192.0.2.3\n"))


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "deny", "192.0.2.7\n")
    files = Lists([str(path), str(path)])
    assert not files.look()
    written(path, "192.0.2.8\n")
    assert files.look()
    assert files.networks() == {str(path): ("192.0.2.8/32",)}
    os.utime(path, ns=(1, 1))
    assert not files.look()  # read again, and the same


def test_a_version_that_is_wrong_or_gone_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "deny", "192.0.2.7\n")
    files = Lists([str(path)])
    for break_it in (lambda: written(path, "192.0.2.8\nnonsense\n"), path.unlink):
        break_it()
        assert not files.look()
        assert files.networks() == {str(path): ("192.0.2.7/32",)}
        assert len(files.errors) == 1
        assert str(path) in caplog.text
    assert "1 networks of before stay in force" in caplog.text
    written(path, "192.0.2.9\n")
    assert files.look()
    assert files.errors == []


def test_a_missing_file_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Lists([str(tmp_path / "deny")])
