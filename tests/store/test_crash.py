"""`kill -9` at any moment: what was written is there, and the store opens."""

import signal
import subprocess
import sys
from pathlib import Path

import tidegate
from pcaps import http_get, write_pcap

ROUNDS = 20

WRITER = """
import sys, tidegate
from pathlib import Path
from tidegate.model.config import StoreSettings
from tidegate.store.writer import StoreWriter

batch = next(iter(tidegate.read(sys.argv[1], tables=["conn"])))
writer = StoreWriter(Path(sys.argv[2]), StoreSettings(segment_bytes=200_000, keep_free=0, keep_age=1e12))
while True:
    writer.write(batch)
    writer.tick()
    print("x", end="", flush=True)
"""


def test_kill_minus_nine_loses_nothing_that_was_written(tmp_path: Path) -> None:
    capture = write_pcap(tmp_path / "one.pcap", http_get())
    store = tmp_path / "store"
    acknowledged = rounds = 0
    for killed_at in range(1, 20 * ROUNDS, 20):
        acknowledged += killed_writer(capture, store, killed_at)
        rounds += 1
        stored = next(iter(tidegate.query("SELECT count(*) FROM conn_rows", store)))[0]
        # The row being written when the signal came may be there without having been told.
        assert acknowledged <= stored <= acknowledged + rounds
        acknowledged = stored
        rounds = 0


def killed_writer(capture: Path, store: Path, rows: int) -> int:
    """Lets a writer write at least so many rows, kills it, and gives how many it had told."""
    command = [sys.executable, "-c", WRITER, str(capture), str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as writer:
        assert writer.stdout is not None
        told = writer.stdout.read(rows)
        while told and len(told) < rows:
            told += writer.stdout.read(rows - len(told))
        writer.send_signal(signal.SIGKILL)
        return len(told + writer.stdout.read())


def test_asking_while_segments_close_sees_every_row_once(tmp_path: Path) -> None:
    capture = write_pcap(tmp_path / "one.pcap", http_get())
    store = tmp_path / "store"
    paced = WRITER.replace("while True:", "while sys.stdin.read(1):").replace("200_000", "30_000")
    command = [sys.executable, "-c", paced, str(capture), str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for told in range(1, 41):
            writer.stdin.write(b"x")
            assert writer.stdout.read(1) == b"x"
            assert list(tidegate.query("SELECT count(*) FROM conn_rows", store)) == [(told,)]
        writer.stdin.close()
