"""The spool: bounded, in order, whole after a restart, a kill, a full disk and damage."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.sinks.elastic.documents import Document, body, document
from tidegate.sinks.elastic.spool import Spool, SpoolError, documents_in


def made(first: int, count: int, length: int = 10) -> list[Document]:
    return [
        document("s-conn", number, b"%d" % number, b'{"n":%d,"x":"%s"}' % (number, b"x" * length))
        for number in range(first, first + count)
    ]


def drained(spool: Spool, size: int = 1000) -> list[Document]:
    found: list[Document] = []
    while spool.waiting:
        piece = spool.read(size)
        found += piece.documents
        spool.done(piece)
    return found


def test_documents_come_in_their_order_and_are_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    wanted = made(0, 500)
    for at in range(0, 500, 50):
        spool.add(body(wanted[at : at + 50]))
    assert spool.waiting == len(body(wanted))
    assert drained(spool) == wanted
    assert spool.waiting == spool.lost == 0
    spool.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_is_read_stays_until_it_is_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    spool.add(body(made(0, 10)))
    assert spool.read(200) == spool.read(200)


def test_one_document_may_be_longer_than_what_is_asked_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    wanted = made(0, 3, 5000)
    spool.add(body(wanted))
    assert drained(spool, 100) == wanted


def test_a_restart_goes_on_after_what_was_done(tmp_path: Path) -> None:
    wanted = made(0, 3000, 100)
    spool = Spool(tmp_path, 1 << 20, "oldest")
    for at in range(0, 3000, 10):
        spool.add(body(wanted[at : at + 10]))
    first = spool.read(100_000)
    spool.done(first)
    spool.close()
    assert len(list(tmp_path.glob("*.bulk"))) > 2
    again = Spool(tmp_path, 1 << 20, "oldest")
    again.add(body(made(3000, 1)))
    assert first.documents + drained(again) == wanted + made(3000, 1)
    again.close()


def test_a_file_that_was_cut_off_ends_with_a_whole_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    spool.add(body(made(0, 5)))
    spool.close()
    path = next(tmp_path.glob("*.bulk"))
    path.write_bytes(path.read_bytes()[:-7])
    again = Spool(tmp_path, 1 << 20, "oldest")
    again.add(body(made(9, 1)))
    assert drained(again) == [*made(0, 4), *made(9, 1)]
    assert again.lost == 1
    again.close()


def test_damage_is_passed_over_and_counted(tmp_path: Path) -> None:
    data = body(made(0, 3)) + b"\0" * 100 + b"\n" + body(made(3, 1)) + made(4, 1)[0].action + b"\n"
    (tmp_path / "000000000007.bulk").write_bytes(data)
    (tmp_path / "000000000008.bulk").write_bytes(body(made(5, 2)))
    (tmp_path / "cursor").write_text("what is this")
    spool = Spool(tmp_path, 1 << 20, "oldest")
    assert drained(spool, 1 << 16) == [*made(0, 4), *made(5, 2)]
    assert spool.lost == 2
    spool.close()


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 3))
def test_no_bytes_are_taken_for_a_document(noise: bytes, before: int, after: int) -> None:
    found, used, _ = documents_in(body(made(0, before)) + noise + b"\n" + body(made(10, after)))
    assert found[:before] == made(0, before)
    assert all(each in made(10, after) or b"\n" not in each.source for each in found[before:])
    assert used <= len(body(made(0, before)) + noise + b"\n" + body(made(10, after)))


def test_the_oldest_go_where_it_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    wanted = made(0, 10_000, 200)
    for at in range(0, 10_000, 10):
        spool.add(body(wanted[at : at + 10]))
        assert spool.waiting <= 1 << 20
    found = drained(spool, 50_000)
    assert found == wanted[-len(found) :]
    assert len(found) + spool.lost == 10_000
    assert sum(each.size for each in found) > (1 << 20) * 7 // 8
    spool.close()


def test_the_newest_go_where_it_is_full_and_that_is_asked_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "newest")
    wanted = made(0, 10_000, 200)
    for at in range(0, 10_000, 10):
        spool.add(body(wanted[at : at + 10]))
    found = drained(spool, 50_000)
    assert found == wanted[: len(found)]
    assert len(found) + spool.lost == 10_000
    spool.close()


def test_what_was_on_its_way_when_it_had_to_go_is_not_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    wanted = made(0, 10_000, 200)
    spool.add(body(wanted[:10]))
    piece = spool.read(1000)
    for at in range(10, 10_000, 10):
        spool.add(body(wanted[at : at + 10]))
    lost = spool.lost
    assert lost > 10
    spool.done(piece)
    assert spool.lost == lost - len(piece.documents)
    assert len(drained(spool, 50_000)) + len(piece.documents) + spool.lost == 10_000
    spool.close()


def test_a_disk_that_takes_nothing_leaves_no_half_document(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    spool.add(body(made(0, 2)))
    kept, spool._fd = spool._fd, os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        spool.add(body(made(2, 2)))
    os.close(spool._fd)
    spool._fd = kept
    spool.add(body(made(4, 2)))
    assert drained(spool) == [*made(0, 2), *made(4, 2)]
    spool.close()


def test_a_file_that_somebody_removed_is_passed_over(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, "oldest")
    spool.add(body(made(0, 5)))
    next(tmp_path.glob("*.bulk")).unlink()
    assert drained(spool) == []
    assert spool.lost == 1
    spool.add(body(made(5, 5)))
    assert drained(spool) == made(5, 5)
    spool.close()


def test_how_long_rows_wait(tmp_path: Path) -> None:
    now = [100.0]
    spool = Spool(tmp_path, 1 << 20, "oldest", wall=lambda: now[0])
    assert spool.lag == 0.0
    spool.add(body(made(0, 5)))
    now[0] = 130.0
    spool.add(body(made(5, 5)))
    assert spool.lag == 30.0
    drained(spool)
    assert spool.lag == 0.0
    spool.add(body(made(10, 5)))
    assert spool.lag == 0.0
    spool.close()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "b", 1 << 20, "oldest")
    spool.add(body(made(0, 5)))
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert next((tmp_path / "a" / "b").glob("*.bulk")).stat().st_mode & 0o777 == 0o600
    spool.close()


def test_a_place_that_cannot_be_a_spool_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="file: (File exists|Not a directory).*; choose another spool"):
        Spool(tmp_path / "file", 1 << 20, "oldest")


KILLED = """
import sys
from pathlib import Path
from tidegate.sinks.elastic.documents import body, document
from tidegate.sinks.elastic.spool import Spool
spool = Spool(Path(sys.argv[1]), 1 << 24, "oldest")
for number in range(1_000_000):
    spool.add(body([document("s-conn", number, b"%d" % number, b'{"n":%d,"x":"xxxxxxxxxx"}' % number)]))
    if number % 1000 == 999:
        spool.done(spool.read(1000))
        print(number, flush=True)
"""


def test_a_killed_process_leaves_every_document_that_was_not_done(tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
    spool = Spool(tmp_path, 1 << 24, "oldest")
    numbers = [int(each.source.split(b",")[0].removeprefix(b'{"n":')) for each in drained(spool)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] >= 4999
    spool.close()
